"""``softres reproduce``: a recorded run is run again, and compared."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from softres.cli.arguments import (
    OneLineParser,
    add_store,
    exit_status,
    not_negative,
)
from softres.common.errors import InputError
from softres.common.text import printable

if TYPE_CHECKING:
    from softres.tracking import TrackingOptions

__all__ = ["reproduce_command"]


def reproduce_command(arguments: Sequence[str] | None = None) -> int:
    """Run a recorded run again, and compare."""
    chosen = _parser().parse_args(arguments)
    from softres.tracking import TrackingOptions

    def work() -> int:
        options = TrackingOptions(uri=chosen.tracking_uri, folder=chosen.folder)
        return _reproduce(chosen, options)

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
    parser.add_argument(
        "--trust",
        action="store_true",
        help="follow addresses, paths, large sizes and limits that the store names; without it "
        "they are shown, and nothing is run",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        dest="given",
        help="values of yours instead of the store's, such as data.path=mine.npz",
    )
    return parser


def _given(words: Sequence[str]) -> dict[str, Any]:
    """Read values that are given anew."""
    from softres.config.kept.plain_yaml import plain_yaml

    for word in words:
        if not re.fullmatch(r"[A-Za-z_.]+=.*", word, re.S):
            raise InputError(f"--set {word}: allowed is KEY=VALUE")
    pairs = (word.partition("=") for word in words)
    return {key: plain_yaml(value, f"--set {key}") for key, _, value in pairs}


def _reproduce(chosen: Namespace, options: TrackingOptions) -> int:
    """Repeat the run, say how it compares, and return the exit status."""
    from softres.config.claims import probe_for
    from softres.config.kept.plain_yaml import MOST_BYTES
    from softres.config.kept.stored import stored_settings
    from softres.harness.keys.identity import job_key
    from softres.harness.reproducing import (
        compare,
        kept_table,
        kept_text,
        repeat,
        same_machine,
        steps_before,
    )
    from softres.tracking.lookup import find_run

    run, artifact = find_run(options, chosen.run_id)
    text = kept_text(artifact, "config.yaml", MOST_BYTES)
    settings = stored_settings(
        text, chosen.plugins, trusted=chosen.trust, given=_given(chosen.given)
    )
    probe = probe_for(settings)
    print(f"{printable(run.name)} (run {printable(run.run_id)})")
    print(f"  made by: {printable(run.tags.get('command', 'unknown'))}")
    print(f"  commit:  {printable(run.tags.get('commit', 'unknown'))}")
    if run.tags.get("key") != job_key(settings, probe):
        print("  note:    the code, or a file of data, is not as it was")
    kept = kept_table(run.tags, artifact)
    new = repeat(settings, probe, steps_before(run.tags, kept))
    changes = same_machine(run.tags, settings)
    for line in changes:
        print(f"  note:    {printable(line)}")
    result = compare(kept, new)
    for name, size in sorted(result.different.items(), key=lambda item: -item[1])[:10]:
        print(f"  differs: {printable(name)} by {size:.1e} of its largest value")
    if result.identical:
        print(f"the same to the last bit: {result.rows[1]} rows")
        return 0
    rows = f"{result.rows[0]} rows before, {result.rows[1]} now"
    if changes and result.within(chosen.tolerance):
        print(f"the same to {chosen.tolerance:g}: {rows}")
        return 0
    print(f"NOT the same: {rows}")
    return 1
