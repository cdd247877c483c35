"""The command lines of the report and of the figures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.kit.registry import claim_ids
from experiments.report.runner import FIGURES_ONLY
from softres.cli.arguments import (
    OneLineParser,
    exit_status,
    output_folder,
)
from softres.cli.figures import draw_figures
from softres.common.discovery import add_plugins, catalogue
from softres.common.errors import InputError

if TYPE_CHECKING:
    from experiments.report.build import Request

__all__ = ["figures_command", "report_command"]


def report_command(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, judge it and write the report; return the exit status."""
    parser = _parser(
        "Run what is missing of the experiments, judge every claim from the logged runs, and "
        "write report.html (one file, figures inside) and report.md, with figures, LaTeX tables "
        "and counterexamples beside them. Finished runs are not run again.",
        profile="full",
    )
    parser.add_argument(
        "--no-run", action="store_true", help="report on the runs there are, and start none"
    )
    parser.add_argument(
        "--no-download",
        action="store_true",
        help="leave out the jobs on real data that would have to be downloaded",
    )
    parser.add_argument(
        "--readme",
        action="store_true",
        help="bring the generated parts of README.md and of the other documents up to date with "
        "results/reference, and do nothing else",
    )
    chosen = parser.parse_args(arguments)

    def work() -> bool:
        if chosen.readme:
            return _rewrite()
        from experiments.report.build import report

        request = _request(chosen, run=not chosen.no_run)
        return report(replace(request, download=not chosen.no_download), _say)

    return _status(work)


def _rewrite() -> bool:
    from experiments.report.documents.readme import rewrite
    from experiments.report.documents.reference import REFERENCE, ReferenceResults

    if not REFERENCE.is_dir():
        raise InputError(f"--readme: {REFERENCE} is not there; allowed in a copy of the project")
    for path in rewrite(ReferenceResults()):
        _say(f"wrote {path}")
    return True


def figures_command(arguments: Sequence[str] | None = None) -> int:
    """Draw a sweep where one is asked for, and the claims' figures otherwise."""
    return draw_figures(sys.argv[1:] if arguments is None else arguments, _claims_figures)


def _claims_figures(arguments: Sequence[str]) -> int:
    """Redraw figures and LaTeX tables of the claims; return the exit status."""
    parser = _parser(
        "Redraw the figures (PDF and PNG; a caption as text beside each) and the LaTeX tables "
        "from finished runs. Starts no run.",
        profile="full",
    )
    chosen = parser.parse_args(arguments)

    def work() -> bool:
        from experiments.report.build import draw_all

        return draw_all(_request(chosen, run=False), _say)

    return _status(work)


def _parser(description: str, profile: str) -> OneLineParser:
    parser = OneLineParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--profile",
        choices=("quick", "full"),
        default=profile,
        help="quick: minutes on a laptop; full: what the project reports",
    )
    parser.add_argument(
        "--claims",
        default="",
        metavar="A,B",
        help=f"some of {', '.join((*claim_ids(), *FIGURES_ONLY))}; all if left out",
    )
    parser.add_argument(
        "--theorem",
        default="",
        metavar="NAME",
        help=f"judge one theorem alone, {', '.join(catalogue('theorem'))} or one of your own; "
        "every claim if left out",
    )
    parser.add_argument(
        "--plugins",
        nargs="+",
        default=[],
        metavar="FILE",
        help="files with claims or theorems of your own",
    )
    parser.add_argument("--store", default="results", help="folder of the runs")
    parser.add_argument("--out", default="results", help="folder to write to")
    return parser


def _request(chosen: argparse.Namespace, *, run: bool) -> Request:
    claims = [name.strip() for name in chosen.claims.split(",") if name.strip()]
    from experiments.report.build import Request  # heavy, and --help does not need it

    add_plugins(chosen.plugins)
    out = output_folder(Path(chosen.out))  # before hours of runs, not after
    return Request(chosen.profile, claims, run, chosen.store, out, chosen.theorem)


def _status(work: Callable[[], bool]) -> int:
    return exit_status(lambda: 0 if work() else 1)


def _say(line: str) -> None:
    print(line, flush=True)
