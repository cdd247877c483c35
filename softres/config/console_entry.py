"""The frame around Hydra: a wrong value ends in one line and status 2, not in a traceback."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from errno import EACCES, EPERM, EROFS
from types import FrameType
from typing import Any

from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from softres.common.errors import InputError

__all__ = ["USAGE", "one_line", "run_command"]

#: Exit status of a command that was asked for something that cannot be.
USAGE = 2
#: Packages whose errors mean that a launcher lost a worker.
LAUNCHERS = ("joblib", "submitit", "ray")
WHERE = "; hydra.run.dir, hydra.sweep.dir and tracking.folder say where a command writes"


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
        main()
    except (InputError, HydraException, OmegaConfBaseException, OSError) as error:
        if verbose:
            raise
        print(f"softres: {one_line(error)}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    except ValueError as error:
        # Hydra's own word for a group that is set to null; any other is ours to debug.
        if verbose or "Config group override" not in str(error):
            raise
        print(
            "softres: a group (solver, problem, data ...) must be given a choice", file=sys.stderr
        )
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
    except KeyboardInterrupt:
        print("softres: interrupted; finished runs are kept", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        if given is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = given


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def one_line(error: BaseException, prefix: str = "") -> str:
    """Return an error of ours, Hydra's, OmegaConf's or the system's as one line that names what.

    Parameters
    ----------
    error
        The error.
    prefix
        Stands before the key that OmegaConf names, such as ``"solver."``.
    """
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        denied = error.errno in (EACCES, EPERM, EROFS)
        return f"{error.filename}: {error.strerror}{WHERE if denied else ''}"
    if isinstance(error, OverrideParseException):
        return (
            f"{error.override}: cannot be read as KEY=VALUE; a value with brackets, commas or "
            "letters beyond a-z needs quotes within quotes, \"KEY='...'\""
        )
    text = str(error)
    if error.__cause__ is not None and "full_key" in str(error.__cause__):
        text = str(error.__cause__)
    if choice := re.search(r"Could not find '(?P<group>[^']+)/(?P<choice>[^'/]+)'", text):
        options = re.search(r"Available options in '[^']*':\s*(.*?)(?:\n\S|\Z)", text, re.S)
        allowed = ", ".join(options.group(1).split()) if options else "none"
        return f"{choice['group']}={choice['choice']}: no such choice; allowed are {allowed}"
    key = re.search(r"full_key: (\S+)", text)
    name = f"{prefix}{key.group(1)}" if key else prefix.rstrip(".") or "value"
    if value := re.search(r"Value '(.*?)' (?:of type|is not a valid)", text):
        kinds = {"Integer": "a whole number", "Float": "a number", "bool": "true or false"}
        wanted = [words for kind, words in kinds.items() if kind in text.split("\n", 1)[0]]
        return f"{name}={value.group(1)}: must be {wanted[0] if wanted else 'of another type'}"
    if "Ambiguous value" in text:
        return "a list of values, such as n=1000,10000, needs -m: python run.py -m ..."
    if "not Optional" in text:
        return f"{name}=null: must have a value"
    if key and text.startswith("Cannot "):
        return f"{name}: {text.splitlines()[0]}"
    if re.search(r"Key '.*' (is )?not in ", text) and key:
        return f"{name}: no such key; 'python run.py ... --cfg job' shows those there are"
    first = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(first[:2]) if first else type(error).__name__
