"""The command line of the ablation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softres.cli.arguments import (
    OneLineParser,
    exit_status,
    output_folder,
    positive_whole,
)
from softres.common.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from experiments.ablation.constants import Ablated

__all__ = ["ablation_command"]

#: Columns of the table that is shown, and how they are headed: in 80 characters.
_SHOWN = {
    "constant": "constant",
    "setting": "set to",
    "value": "value",
    "touched": "tou-\nched",
    "changed": "chan-\nged",
    "time": "time",
    "passes": "passes",
    "worst_passes": "worst\npasses",
    "solved": "solved",
}
_WORDS = """# What each tuned constant of `preconditioned_newton` is worth

`{command}`: {instances} instances, each solved with a constant at its value, at
half and twice that, and switched off; {repeats} paired rounds, processor time, one thread, nominal
rates. What the constants decide: `softres/solvers/preconditioned/tuning.py`.

- `touched`: instances on which the result differs, by a last bit or more, or the work does
- `changed`: those on which steps, passes or Gram matrices differ by more than 1%, or the status
  does
- `time`, `passes`: over the default's, geometric means over the instances that are touched;
  `worst passes`: the largest such ratio of passes
- `solved`: of {instances}, of which the default solves {solved}

No instance is touched by: {untouched}.

Instances are touched but none is changed by: {idle}.

All columns: [ablation.csv](ablation.csv).

"""


def ablation_command(arguments: Sequence[str] | None = None) -> int:
    """Measure, write and show; return the exit status."""
    chosen = _parser().parse_args(arguments)
    from rich.console import Console

    console = Console(highlight=False)
    console.width = min(80, console.width)
    return exit_status(
        lambda: _run(chosen, console), lambda: console.print("stopped; nothing is written")
    )


def _run(chosen: argparse.Namespace, console: Console) -> None:
    constants = _constants(chosen.constants)
    folder = output_folder(chosen.out)
    import pandas as pd

    from experiments.ablation.instances import INSTANCES, LARGE
    from experiments.ablation.measure import measure, summary
    from experiments.race.threads import one_thread

    known = INSTANCES if chosen.quick else (*INSTANCES, *LARGE)
    instances = [one for one in known if all(text in one.name for text in chosen.only)]
    if not instances:
        raise InputError(f"--only {' '.join(chosen.only)}: no instance is left")
    repeats = chosen.repeat or (3 if chosen.quick else 5)
    rows: list[dict[str, Any]] = []
    for number, instance in enumerate(instances, start=1):
        with one_thread(), console.status(instance.name):
            rows += measure(instance, constants, repeats)
        console.print(f"{number}/{len(instances)} {instance.name}: {instance.shows}")
    runs = pd.DataFrame(rows)
    table = summary(runs)
    runs.to_csv(folder / "ablation_runs.csv", index=False, float_format="%.6g")
    table.to_csv(folder / "ablation.csv", index=False, float_format="%.4g")
    (folder / "ablation.md").write_text(_document(table, chosen, repeats), encoding="utf-8")
    _show(table, console)
    untouched, idle = _idle(table)
    console.print(f"no instance is touched by: {untouched}")
    console.print(f"touched, none changed: {idle}")
    console.print(f"tables: {folder}", soft_wrap=True)


def _constants(names: str) -> list[Ablated]:
    from experiments.ablation.constants import ablated

    known = {one.name: one for one in ablated()}
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(known)
    for name in wanted:
        if name not in known:
            raise InputError(f"--constants {name}: allowed are {', '.join(known)}")
    return [known[name] for name in known if name in wanted]


def _idle(table: pd.DataFrame) -> tuple[str, str]:
    """Name the constants that touch no instance, and those that touch some and change none."""
    most = table.groupby("constant", sort=False)[["touched", "changed"]].max()
    untouched, changed = most["touched"] == 0, most["changed"] > 0
    chosen = most.index[untouched & ~changed], most.index[~untouched & ~changed]
    one, other = (", ".join(map(str, names)) or "none" for names in chosen)
    return one, other


def _show(table: pd.DataFrame, console: Console) -> None:
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, padding=(0, 1))
    for column, header in _SHOWN.items():
        text = column in ("constant", "setting", "value")
        shown.add_column(header, justify="left" if text else "right", overflow="fold")
    for row in table[list(_SHOWN)].itertuples(index=False):
        shown.add_row(*map(_cell, row))
    console.print(shown)


def _document(table: pd.DataFrame, chosen: argparse.Namespace, repeats: int) -> str:
    """Return the table as Markdown, and what it is."""
    command = "python scripts/ablation.py" + (" --quick" if chosen.quick else "")
    untouched, idle = _idle(table)
    words = _WORDS.format(
        command=command,
        instances=int(table["instances"].max()),
        repeats=repeats,
        solved=int(table["default_solved"].max()),
        untouched=untouched,
        idle=idle,
    )
    headers = [header.replace("-\n", "").replace("\n", " ") for header in _SHOWN.values()]
    lines = [f"| {' | '.join(headers)} |", "|---" * len(headers) + "|"]
    for row in table[list(_SHOWN)].itertuples(index=False):
        lines.append(f"| {' | '.join(map(_cell, row))} |")
    return words + "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_cell, value)) or "none"
    return f"{value:.3g}" if isinstance(value, float) else f"{value}"


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Solve instances with each constant of preconditioned_newton at its value, at "
        "half and twice that, and switched off, and compare time, passes over A and how solves "
        "end. One thread, nominal rates.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="small instances, three rounds: some minutes")
    add("--constants", default="", metavar="A,B", help="some of the constants; all if left out")
    add(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help="instances with TEXT in their name; may be repeated",
    )
    add("--repeat", type=positive_whole, help="rounds; 5 if left out, 3 with --quick")
    add("--out", type=Path, default=Path("results/ablation"), help="folder of the tables")
    return parser
