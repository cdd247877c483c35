"""What happens around a command's jobs: a check before one, a closing table after the last."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from softres.config.beginning import begin
from softres.config.jobs import is_grid, single_job
from softres.config.launching import (
    SERIAL,
    check_launcher,
    launcher_name,
    limit_batches,
    share_code,
)
from softres.tracking.durable.orphans import name_launcher

__all__ = ["RaisedInCallback", "SoftresCallback"]

_F = TypeVar("_F", bound=Callable[..., None])


class RaisedInCallback(BaseException):
    """Carries an error past Hydra, which makes a warning of any exception of a callback.

    Parameters
    ----------
    error
        What was raised; the frame around Hydra raises it again.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _ends_the_command(method: _F) -> _F:
    """Let what a callback raises end the command."""

    @wraps(method)
    def loud(*arguments: Any, **named: Any) -> None:
        try:
            method(*arguments, **named)
        except Exception as error:
            raise RaisedInCallback(error) from error

    return cast("_F", loud)


class SoftresCallback(Callback):
    """Checks a single job before it starts, and closes a command."""

    @_ends_the_command
    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Prepare the launcher; the sweeper checks the jobs."""
        check_launcher(config.hydra)
        if launcher_name(config.hydra) not in SERIAL:
            share_code()
            name_launcher()
            limit_batches(config.hydra)
        if not is_grid(config.hydra):
            begin(config, list)
            _forget(config.hydra.sweep.dir)

    @_ends_the_command
    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """End with status 2 if a single run has a value that is not allowed."""
        begin(config, lambda: [single_job(config)])
        _forget(config.hydra.run.dir)

    @_ends_the_command
    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Take passwords out of what Hydra has written down of the job."""
        from softres.tracking.options import without_secrets

        uri = config.tracking.get("uri") or ""
        if uri == without_secrets(uri):
            return
        output = Path(config.hydra.runtime.output_dir) / str(config.hydra.output_subdir)
        written = [*output.glob("*.yaml"), Path(config.hydra.sweep.dir) / "multirun.yaml"]
        for path in written:
            if path.is_file():
                path.write_text(without_secrets(path.read_text("utf-8")), encoding="utf-8")

    @_ends_the_command
    def on_run_end(self, config: DictConfig, **_: Any) -> None:
        """Close a single run."""
        _close(config, config.hydra.run.dir)

    @_ends_the_command
    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Close a sweep."""
        _close(config, config.hydra.sweep.dir, figures=bool(config.sweep.figures))


def _forget(folder: str) -> None:
    from softres.harness.outcome import forget_outcomes

    forget_outcomes(Path(folder))


def _close(config: DictConfig, folder: str, *, figures: bool = False) -> None:
    from softres.harness.terminal.closing import close_command

    tracking: Any = OmegaConf.to_container(config.tracking, resolve=True)
    overrides = list(config.hydra.overrides.task)
    if not close_command(folder, tracking, overrides, figures=figures):
        raise SystemExit(1)
