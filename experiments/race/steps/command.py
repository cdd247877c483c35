"""The command line of the comparison of a step of Algorithm 1 with one of exact Newton."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from softres.cli.arguments import (
    OneLineParser,
    add_clock,
    exit_status,
    fraction,
    output_folder,
    positive,
    positive_whole,
)
from softres.common.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

__all__ = ["step_cost_command"]

#: Columns of the table of sizes, and how they are headed: in 80 characters.
_SIZES = {
    "d": "d",
    "n": "n",
    "rows_per_column": "n/d",
    "exact_seconds": "exact\ns/step",
    "approx_seconds": "approx\ns/step",
    "exact_steps": "exact\nsteps",
    "approx_steps": "approx\nsteps",
    "step_ratio": "step\nratio",
    "solve_ratio": "solve\nratio",
}
_RATIOS = "medians; ratios: exact Newton's seconds over those of Algorithm 1 (safeguarded)"
_EXPONENTS = {"d": "d", "solver": "solver", "exponent": "seconds a step\n~ n^"}


def step_cost_command(arguments: Sequence[str] | None = None) -> int:
    """Measure steps of both solvers, and write and show tables; return the exit status."""
    chosen = _parser().parse_args(arguments)
    from rich.console import Console

    console = Console(highlight=False)
    console.width = min(80, console.width)
    return exit_status(
        lambda: _run(chosen, console), lambda: console.print("stopped; nothing is written")
    )


def _run(chosen: argparse.Namespace, console: Console) -> None:
    sizes = _sizes(chosen)
    folder = output_folder(chosen.out)
    import pandas as pd

    from experiments.race.steps.cost import StepCost, exponents, measure, summary
    from experiments.race.threads import one_thread

    clock = time.process_time if chosen.clock == "cpu" else time.perf_counter
    options = StepCost(eps0=chosen.eps0, repeats=chosen.repeat)
    rows: list[pd.Series] = []
    for (d, ratio), fits in sizes.items():
        if not fits:
            console.print(f"d={d} n/d={ratio}: left out, A is above --max-gb")
            continue
        with one_thread(), console.status(f"d={d} n/d={ratio}"):
            found = list(measure(ratio * d, d, options, clock))
        rows += found
        (line,) = summary(pd.DataFrame(found)).to_dict("records")
        console.print(
            f"d={d} n/d={ratio}: exact {line['exact_seconds']:.3g} s a step, "
            f"approx {line['approx_seconds']:.3g} s"
        )
    table = summary(pd.DataFrame(rows))
    growth = exponents(table, chosen.fit_from)
    pd.DataFrame(rows).to_csv(folder / "step_cost_runs.csv", index=False)
    table.to_csv(folder / "step_cost.csv", index=False)
    growth.to_csv(folder / "step_cost_exponents.csv", index=False)
    _show(table, _SIZES, _RATIOS, console)
    if len(growth):
        _show(growth, _EXPONENTS, f"n/d from {chosen.fit_from:g} on", console)
    short = [f"{d}" for d in dict.fromkeys(table["d"]) if d not in set(growth["d"])]
    if short:
        console.print(
            f"fewer than three sizes of one d: no exponent for d = {', '.join(short)} "
            f"(n/d from {chosen.fit_from:g} on)"
        )
    console.print(f"tables: {folder}", soft_wrap=True)


def _sizes(chosen: argparse.Namespace) -> dict[tuple[int, int], bool]:
    """Return each d and n / d, and whether A is within --max-gb."""
    gigabytes = {(d, ratio): 8e-9 * ratio * d * d for d in chosen.d for ratio in chosen.ratio}
    if min(gigabytes.values()) > chosen.max_gb:
        raise InputError(
            f"--max-gb {chosen.max_gb:g}: no size is left; allowed is {min(gigabytes.values()):.2g}"
            " or more, or a smaller --d or --ratio"
        )
    return {size: amount <= chosen.max_gb for size, amount in gigabytes.items()}


def _show(table: pd.DataFrame, headers: dict[str, str], title: str, console: Console) -> None:
    from rich.table import Table

    shown = Table(title=title, box=None, pad_edge=False, padding=(0, 1))
    for column, header in headers.items():
        text = column == "solver"
        shown.add_column(header, justify="left" if text else "right", no_wrap=True)
    for row in table[list(headers)].itertuples(index=False):
        shown.add_row(*map(_cell, row))
    console.print(shown)


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return f"{value}"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Time approx_newton and exact_newton on Gaussian instances, one thread each: "
        "seconds a step and for the whole solve, and how a step grows with n.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--d", type=positive_whole, nargs="+", default=[200], help="numbers of columns")
    add(
        "--ratio",
        type=positive_whole,
        nargs="+",
        default=[500, 2000, 4000, 8000],
        help="values of n/d",
    )
    add(
        "--fit-from",
        type=positive,
        default=2000.0,
        help="least n/d for the exponent in n",
    )
    add("--eps0", type=fraction, default=0.25, help="spectral accuracy of the sampled Hessian")
    add("--repeat", type=positive_whole, default=5, help="solves of each solver")
    add("--max-gb", type=positive, default=4.5, help="largest A")
    add_clock(parser)
    add("--out", type=Path, default=Path("results/step_cost"), help="folder of the tables")
    return parser
