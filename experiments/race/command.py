"""The command line of the race."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from softres.cli.arguments import (
    OneLineParser,
    add_clock,
    exit_status,
    output_folder,
    positive,
    positive_whole,
)
from softres.common.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from experiments.race.contestants import Contestant
    from experiments.race.grid import RaceInstance
    from experiments.race.measure import Rules
    from experiments.race.results import RaceResults

__all__ = ["benchmark_command"]


def benchmark_command(arguments: Sequence[str] | None = None) -> int:
    """Run what the results lack, and write tables and figures; return the exit status."""
    chosen = _parser().parse_args(arguments)
    from rich.console import Console

    console = Console(highlight=False)
    stopped = "stopped; the same command takes the race up where it is"
    return exit_status(lambda: _run(chosen, console), lambda: console.print(stopped))


def _run(chosen: argparse.Namespace, console: Console) -> int:
    from experiments.race.code import of_one_code
    from experiments.race.contestants import CONTESTANTS
    from experiments.race.measure import Rules
    from experiments.race.report import write
    from experiments.race.results import RaceResults
    from experiments.race.summary import order

    instances = _instances(chosen)
    contestants = _contestants(chosen.contestants, CONTESTANTS)
    if chosen.list:
        console.print("\n".join(instance.name for instance in instances), soft_wrap=True)
        return 0
    rules = Rules(
        chosen.repeat,
        chosen.limit,
        chosen.factor,
        clock=chosen.clock,
        scratch=1e9 * chosen.scratch_gb,
    )
    results = RaceResults(output_folder(Path(chosen.out)))
    if not chosen.no_run:
        able = []
        for contestant in contestants:
            reason = contestant.absent()
            if reason:
                console.print(f"without {contestant.name}: {reason}", soft_wrap=True)
            else:
                able.append(contestant)
        try:
            _race_all(instances, able, results, rules, chosen.force, console)
        finally:  # a race that is stopped has added rows too
            # Where the results lie says nothing about them.
            arguments = {key: value for key, value in vars(chosen).items() if key != "out"}
            results.describe(vars(rules), arguments)
    rows = results.rows()
    rows = rows[rows.instance.isin([instance.name for instance in instances])]
    rows = rows[rows.contestant.isin([contestant.name for contestant in contestants])]
    if rows.empty:
        console.print("no results")
        return 1
    rows, note = of_one_code(rows, contestants, leave_out=chosen.leave_out_other_code)
    words = write(results, rows, rules, note)
    if note:
        console.print(note, soft_wrap=True)
    _show(rows, rules, order(rows), console)
    for word in words:
        console.print(word)
    console.print(f"tables and figures: {results.folder}", soft_wrap=True)
    return 0


def _race_all(
    instances: Sequence[RaceInstance],
    contestants: Sequence[Contestant],
    results: RaceResults,
    rules: Rules,
    force: bool,
    console: Console,
) -> None:
    from experiments.race.grid import InstanceMaker
    from experiments.race.measure import pending, race, warm_up
    from experiments.race.task import Task
    from experiments.race.threads import one_thread

    make = InstanceMaker()
    warm: set[str] = set()
    for number, instance in enumerate(instances, start=1):
        if force:
            results.drop(instance.name, [contestant.name for contestant in contestants])
        if not pending(instance, contestants, results.rows(), rules):
            continue
        with one_thread(), console.status("warming up"):
            warm_up([it for it in contestants if it.name not in warm])
        warm.update(it.name for it in contestants)
        console.print(f"[bold]{number}/{len(instances)} {instance.name}[/bold]")
        with one_thread(), console.status("making A, finding x*"):
            try:
                task = Task(make(instance))
            except InputError as error:
                console.print(f"  left out: {error}")
                continue
        with one_thread():
            race(instance, task, contestants, results, rules, console.print)


def _show(rows: object, rules: Rules, names: Sequence[str], console: Console) -> None:
    import pandas as pd
    from rich.table import Table

    from experiments.race.measure import LEVELS
    from experiments.race.profile import medians
    from experiments.race.summary import overview

    assert isinstance(rows, pd.DataFrame)
    summary = overview(medians(rows, rules.seconds), LEVELS)
    table = Table(width=min(80, console.width), title="instances solved to a relative error of")
    for column in summary.columns:
        table.add_column(str(column), justify="left" if column == "contestant" else "right")
    for line in summary.itertuples(index=False):
        table.add_row(*(str(cell) for cell in line))
    console.print(table)


def _instances(chosen: argparse.Namespace) -> list[RaceInstance]:
    from experiments.race.grid import race_instances

    found = [
        instance
        for instance in race_instances(chosen.profile, 1e9 * chosen.max_gb, chosen.max_flops)
        if all(text in instance.name for text in chosen.only)
        and (not chosen.d or instance.d in chosen.d)
        and (not chosen.ratio or instance.n // instance.d in chosen.ratio)
    ]
    if not found:
        raise InputError("no instance is left: see --list without --only, --d and --ratio")
    return found


def _contestants(names: str, known: dict[str, Contestant]) -> list[Contestant]:
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(known)
    for name in wanted:
        if name not in known:
            raise InputError(f"--contestants {name}: allowed are {', '.join(known)}")
    return [known[name] for name in known if name in wanted]


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Time preconditioned_newton, exact_newton and approx_newton, exact Newton by "
        "hand, and outside packages to a given accuracy on a grid of instances, one thread each, "
        "and draw performance profiles. What the results hold already of the same code is not run "
        "again.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--profile", choices=("quick", "full"), default="quick", help="which grid")
    add(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help="instances with TEXT in their name; may be repeated",
    )
    add(
        "--d",
        type=positive_whole,
        nargs="+",
        default=[],
        help="instances with these numbers of columns",
    )
    add("--ratio", type=positive_whole, nargs="+", default=[], help="instances with these n/d")
    add("--contestants", default="", metavar="A,B", help="some of the contestants; all if left out")
    add("--repeat", type=positive_whole, default=5, help="runs of each contestant that is not slow")
    add("--limit", type=positive, default=120.0, help="most seconds of a run")
    add("--factor", type=positive, default=30.0, help="most times the seconds of Newton by hand")
    add_clock(parser)
    add("--max-gb", type=positive, default=2.5, help="largest dense A")
    add("--max-flops", type=positive, default=2.5e11, help="largest n d^2 of a dense A")
    add("--scratch-gb", type=positive, default=8.0, help="most memory of a contestant beside A")
    add("--out", default="results/benchmark", help="folder of the results")
    add("--force", action="store_true", help="run what the results hold too")
    add("--no-run", action="store_true", help="run nothing: write tables and figures anew")
    add(
        "--leave-out-other-code",
        action="store_true",
        help="leave out runs of other code than the rest, and say so in every caption; without "
        "it they are refused",
    )
    add("--list", action="store_true", help="list the instances, and run nothing")
    return parser
