"""Write the race's tables and figures from its results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.kit.style import save
from experiments.kit.tables import latex
from experiments.race.figures import PANELS, draw_errors, draw_profile, two_instances
from experiments.race.measure import LEVELS, Rules
from experiments.race.profile import medians
from experiments.race.results import RaceResults
from experiments.race.summary import (
    contest,
    level_table,
    markdown,
    overview,
    sentence,
    status_table,
)

__all__ = ["main_solver", "write"]


def main_solver(table: pd.DataFrame) -> str:
    """Return which of ours the ratios are of: the first in the race's own order that has run."""
    ran = list(dict.fromkeys(table[table.side == "ours"].contestant))
    return "preconditioned_newton" if "preconditioned_newton" in ran else next(iter(ran), "")


def write(results: RaceResults, rows: pd.DataFrame, rules: Rules, note: str = "") -> list[str]:
    """Write everything into the results' folder, and return the ratios in words.

    What ``note`` says of the rows is in every caption.

    Files: ``medians.csv``; ``race.md``; one LaTeX table a level and one of all contestants;
    ``performance_profile`` and ``time_to_error`` as PDF and PNG.
    """
    table = medians(rows, rules.seconds)
    folder: Path = results.folder
    table.to_csv(folder / "medians.csv", index=False)
    summary = overview(table, LEVELS)
    ours = main_solver(table)
    words = [
        sentence(ours, text, found) for lv in PANELS for text, found in contest(table, ours, lv)
    ]
    seconds = "wall" if rules.clock == "wall" else "processor"
    about = (
        f"Median {seconds} seconds on one thread, preparation left out; in brackets products "
        "with A, and weighted Gram matrices (G). A miss shows the least error reached."
    )
    about = f"{about} {note}".rstrip()
    lines = [
        "# The race",
        "",
        "Relative error: |x - x*| / |x0 - x*| in the norm of the Hessian at x*.",
        "",
        *(f"- {word}" for word in words),
        "",
        "![Performance profile](performance_profile.png)",
        "",
        *([note, ""] if note else ()),
        markdown(summary),
        "How the misses ended:",
        "",
        markdown(status_table(table).map(_text)),
    ]
    caption = f"Share of instances solved to each error. {note}".rstrip()
    latex(summary, folder / "tables", "overview", caption)
    for level in LEVELS:
        wide = level_table(table, level)
        if wide.empty:
            continue
        lines += [f"## Time to {level:g}", "", about, "", markdown(wide)]
        latex(wide, folder / "tables", f"time_{level:.0e}", about)
    lines += ["![Errors over time](time_to_error.png)", "", *([note, ""] if note else ())]
    (folder / "race.md").write_text("\n".join(lines), encoding="utf-8")
    save(draw_profile(table), folder, "performance_profile")
    chosen = two_instances(table)
    save(draw_errors(table, results, chosen, rules.seconds), folder, "time_to_error")
    return words


def _text(cell: object) -> str:
    return f"{cell:.1e}" if isinstance(cell, float) else str(cell)
