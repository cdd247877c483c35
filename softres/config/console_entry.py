"""The frame around Hydra: a wrong value ends in one line and status 2, not in a traceback."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import chdir
from types import FrameType
from typing import Any

import hydra
from hydra.errors import HydraException
from hydra.utils import get_original_cwd
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from softres.common.errors import InputError
from softres.common.presets import conf_folder
from softres.common.printing import forgiving_output
from softres.common.text import printable
from softres.config.callbacks import RaisedInCallback
from softres.config.choices import register
from softres.config.one_line import USAGE, one_line
from softres.config.typed.command_line import command_words
from softres.tracking.durable.orphans import end_with_launcher
from softres.tracking.options import take_credentials

__all__ = ["main", "run_command"]

#: Packages whose errors mean that a launcher lost a worker.
LAUNCHERS = ("joblib", "submitit", "ray")


def run_command(main: Callable[[], Any]) -> None:
    """Run Hydra's main function as a command.

    Errors in what the user asked for are printed in one line and end with status 2. Ctrl-C ends
    with status 130, and SIGTERM is made to unwind like an exit, so that no run is left open.
    HYDRA_FULL_ERROR=1 in the environment shows tracebacks instead.
    """
    signal.signal(signal.SIGTERM, _terminate)
    given = os.environ.get("HYDRA_FULL_ERROR")
    verbose = given == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # otherwise Hydra prints errors its own way, and exits
    try:
        words = _without_credentials(sys.argv[1:])
        register(words)
        sys.argv[1:] = command_words(words)
        _carried(main)
    except (InputError, HydraException, OmegaConfBaseException, OSError) as error:
        if verbose:
            raise
        print(f"softres: {printable(one_line(error))}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    except Exception as error:
        # What a launcher raises when one of its processes was killed, by a user or for memory.
        if verbose or type(error).__module__.split(".")[0] not in LAUNCHERS:
            raise
        print(
            f"softres: a worker was lost ({type(error).__name__}); finished runs are kept, the "
            "same command goes on from here",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except KeyboardInterrupt as interrupt:
        said = str(interrupt) or "finished runs are kept; the same command goes on from here"
        print(f"softres: interrupted; {said}", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        if given is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = given


def _without_credentials(words: Sequence[str]) -> list[str]:
    """Return the words of a command without the user and password of its server.

    Hydra writes them to files, prints them and quotes them in errors: it never sees them. Those of
    MLflow's own variable are taken out of it, too, for the configuration refers to it.
    """
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        os.environ["MLFLOW_TRACKING_URI"] = take_credentials(uri)
    return [
        take_credentials(word) if re.match(r"""["']?\+{0,2}tracking\.uri=""", word) else word
        for word in words
    ]


def _carried(main: Callable[[], Any]) -> None:
    """Run Hydra's main function; raise what a callback of ours raised as it was."""
    try:
        main()
    except RaisedInCallback as carrier:
        raise carrier.error from carrier.error.__cause__


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")
def main(config: DictConfig) -> float:
    """Run one job; return what a sweeper such as optuna's minimises."""
    forgiving_output()  # a launcher may have started another process for it
    end_with_launcher()
    from softres.config.launching import job_context
    from softres.config.settings import settings

    # With hydra.job.chdir a job begins in a folder of its own: its paths are the command's.
    with chdir(get_original_cwd()):
        checked = settings(config)  # before anything heavy is imported
        from softres.config.claims import probe_for
        from softres.harness import run_job

        outcome = run_job(checked, job_context(), probe_for(checked))
        return outcome.objective(checked.tree["sweep"]["objective"])
