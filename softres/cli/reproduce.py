"""``softres reproduce``: a recorded run is run again, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from softres.cli.arguments import (
    OneLineParser,
    add_store,
    exit_status,
    not_negative,
)

if TYPE_CHECKING:
    from softres.tracking import TrackingOptions

__all__ = ["reproduce_command"]


def reproduce_command(arguments: Sequence[str] | None = None) -> int:
    """Run a recorded run again, and compare."""
    chosen = _parser().parse_args(arguments)
    from softres.tracking import TrackingOptions

    def work() -> int:
        options = TrackingOptions(uri=chosen.tracking_uri, folder=chosen.folder)
        return _reproduce(chosen.run_id, options, chosen.tolerance, chosen.plugins)

    return exit_status(work)


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Run a recorded run again from its own configuration, and compare all but "
        "the times. Exit status 0 if it is the same: to the last bit on the machine and with the "
        "packages that it was made with, to a tolerance elsewhere. 1 if it is not, 2 if it cannot "
        "be run."
    )
    parser.add_argument("run_id", help="id of the run in MLflow, or its first characters")
    add_store(parser)
    parser.add_argument(
        "--tolerance", type=not_negative, default=1e-6, help="elsewhere; default 1e-6"
    )
    parser.add_argument(
        "--plugins",
        nargs="+",
        default=[],
        metavar="FILE",
        help="files with what the run was made with; nothing that a store names is ever imported",
    )
    return parser


def _reproduce(
    run_id: str, options: TrackingOptions, tolerance: float, plugins: Sequence[str]
) -> int:
    """Repeat the run, say how it compares, and return the exit status."""
    from softres.config.claims import probe_for
    from softres.config.stored import stored_settings
    from softres.harness.keys.identity import job_key
    from softres.harness.reproducing import (
        compare,
        kept_table,
        repeat,
        same_machine,
        steps_before,
    )
    from softres.tracking.lookup import find_run

    run, artifact = find_run(options, run_id)
    text = artifact("config.yaml").read_text("utf-8", errors="replace")
    settings = stored_settings(text, plugins)
    probe = probe_for(settings)
    print(f"{run.name} (run {run.run_id})")
    print(f"  made by: {run.tags.get('command', 'unknown')}")
    print(f"  commit:  {run.tags.get('commit', 'unknown')}")
    if run.tags.get("key") != job_key(settings, probe):
        print("  note:    the code, or a file of data, is not as it was")
    kept = kept_table(run.tags, artifact)
    new = repeat(settings, probe, steps_before(run.tags, kept))
    changes = same_machine(run.tags, settings)
    for line in changes:
        print(f"  note:    {line}")
    result = compare(kept, new)
    for name, size in sorted(result.different.items(), key=lambda item: -item[1])[:10]:
        print(f"  differs: {name} by {size:.1e} of its largest value")
    if result.identical:
        print(f"the same to the last bit: {result.rows[1]} rows")
        return 0
    rows = f"{result.rows[0]} rows before, {result.rows[1]} now"
    if changes and result.within(tolerance):
        print(f"the same to {tolerance:g}: {rows}")
        return 0
    print(f"NOT the same: {rows}")
    return 1
