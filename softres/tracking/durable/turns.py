"""One process at a time for one job: whoever comes second finds the job finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from softres.tracking.options import TrackingOptions

__all__ = ["tidy_turns", "turn"]


@contextmanager
def turn(options: TrackingOptions, key: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the turn of a job against other processes that share the tracking folder.

    The operating system ends the turn of a process that dies.

    Parameters
    ----------
    options
        Where runs are recorded.
    key
        The job's key.
    say
        Told in a line if another process has the turn and this one waits.
    """
    if not options.enabled:
        yield
        return
    from filelock import FileLock, Timeout

    path = Path(options.folder).absolute() / "turns" / f"{key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another process runs this job; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: whoever waits for it looks again
        lock.release()


def tidy_turns(options: TrackingOptions) -> None:
    """Remove what jobs have left whose process was killed when they were all but done."""
    from filelock import FileLock, Timeout

    for path in (Path(options.folder).absolute() / "turns").glob("*.lock"):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            continue  # somebody has the turn, or it is not ours to take
        path.unlink(missing_ok=True)
        lock.release()
