"""``softres sync``: runs that wait for their tracking store are delivered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from softres.cli.arguments import OneLineParser, folder
from softres.common.errors import InputError
from softres.common.text import printable

if TYPE_CHECKING:
    from softres.tracking.durable.spool import Spool

__all__ = ["sync_command"]


def sync_command(arguments: Sequence[str] | None = None) -> int:
    """Deliver runs that wait for their tracking store."""
    options = _parser().parse_args(arguments)
    from softres.tracking import TrackingOptions
    from softres.tracking.durable.outage import is_outage, refusal
    from softres.tracking.durable.spool import Spool

    spool = Spool(options.folder.absolute() / "spool")
    if options.refused:
        spool.take_back()
    waiting = spool.runs()
    if not waiting:
        print("nothing waits")
        return _name_aside(spool)
    from softres.tracking.store import open_store

    for uri, experiment in sorted({(run.uri, run.experiment) for run in waiting}):
        try:
            # Opening a store delivers what waits for it.
            open_store(TrackingOptions(uri=uri, folder=str(options.folder), experiment=experiment))
        except Exception as error:
            refused = refusal(uri, error)
            if not (refused or isinstance(error, InputError) or is_outage(error)):
                raise
            print(f"softres: {printable(str(refused or error).splitlines()[0])}", file=sys.stderr)
    left = spool.runs()
    print(f"delivered {len(waiting) - len(left)} runs, {len(left)} wait")
    return _name_aside(spool) or (1 if left else 0)


def _name_aside(spool: Spool) -> int:
    """Name what was set aside; return the exit status that it makes."""
    for path in spool.aside():
        again = "; --refused tries it again" if path.suffix == ".refused" else ""
        print(f"softres: set aside: {printable(str(path))}{again}", file=sys.stderr)
    return 1 if spool.aside() else 0


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Deliver runs that a tracking store could not take when they were made. "
        "Exit status 1 if some still wait, or are set aside."
    )
    # The default is no text, and so not checked: where nothing has run yet, nothing waits.
    parser.add_argument(
        "--folder", type=folder, default=Path("results"), help="tracking.folder of the runs"
    )
    parser.add_argument(
        "--refused", action="store_true", help="try once more what a store has refused"
    )
    return parser
