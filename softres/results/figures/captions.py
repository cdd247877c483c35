"""What a caption says of the runs: how many, what is pooled, what did not finish or is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from softres.results.columns import REPETITIONS
from softres.results.figures import labels
from softres.results.resample import groups

if TYPE_CHECKING:
    from softres.results.figures.encoding import Encoding
    from softres.results.runs import Runs

__all__ = ["caption", "counted", "note_of", "runs_a_line", "table_caption", "unfinished"]

_TIMES = "in figures of time"


def counted(count: int, noun: str = "run") -> str:
    """Return a count and its noun."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def runs_a_line(counts: Sequence[int] | pd.Series) -> str:
    """Return how many runs each line stands for."""
    least, most = int(min(counts)), int(max(counts))
    return f"{least} a line" if least == most else f"{least} to {most} a line"


def note_of(runs: Runs, encoding: Encoding, each: str) -> str:
    """Return the small print of a figure: its runs, and what it pools."""
    parts = [f"{counted(len(runs))}, {each}" if each else counted(len(runs))]
    if encoding.pooled:
        pooled = (
            f"{labels.symbol(key)} ({runs.table[key].nunique(dropna=False)} values)"
            for key in encoding.pooled
        )
        parts.append(f"pooled over {', '.join(pooled)}")
    return "; ".join(parts)


def caption(
    runs: Runs, sentences: Sequence[str], encoding: Encoding, *, times: bool, left_out: int = 0
) -> str:
    """Return a caption: what is drawn, then what must be known of the runs.

    Parameters
    ----------
    runs
        The runs that are drawn.
    sentences
        What is drawn.
    encoding
        Where the keys are shown.
    times
        Whether it is a figure of time.
    left_out
        Runs whose times cannot be compared, left out of it.
    """
    parts = list(sentences)
    repeated = [key for key in runs.swept if key in REPETITIONS]
    over = f", {labels.symbol(repeated[0])}s " + _span(runs, repeated[0]) if repeated else ""
    parts.append(f"{counted(len(runs))}{over}.")
    for key in encoding.pooled:
        parts.append(f"Pooled over {labels.symbol(key)}: {_span(runs, key)}.")
    if ends := unfinished(runs):
        parts.append(f"Did not converge, drawn as far as they came: {'; '.join(ends)}.")
    if runs.untraced:
        names = ", ".join(map(labels.text, runs.untraced[:3])) + (
            ", ..." if len(runs.untraced) > 3 else ""
        )
        parts.append(f"Without a trace, so not drawn: {counted(len(runs.untraced))} ({names}).")
    if times and left_out:
        parts.append(f"Left out {_TIMES}, for they shared their machine: {counted(left_out)}.")
    if runs.differing:
        what = (f"{count} values of {labels.symbol(key)}" for key, count in runs.differing.items())
        parts.append(f"The runs differ in what was not swept: {', '.join(what)}.")
    parts += [f"{note[0].upper()}{note[1:]}." for note in runs.notes]
    return " ".join(parts)


def unfinished(runs: Runs) -> list[str]:
    """Return for each solver and way to end how many runs did not reach their goal."""
    table = runs.table.assign(end=runs.table["status"].fillna(runs.table["state"].str.lower()))
    table = table[~runs.solved & (table["status"] != "measured")]
    if "solver" not in table:
        return [f"{counted(len(table))}"] if len(table) else []
    tried = runs.table["solver"].value_counts()
    return [
        f"{labels.value(solver)}, {labels.text(str(end).partition(' (')[0])}, {len(group)} of "
        f"{tried[solver]}"
        for (solver, end), group in groups(table, ["solver", "end"])
    ]


def _span(runs: Runs, key: str) -> str:
    values = sorted(runs.table[key].dropna().unique(), key=lambda v: (isinstance(v, str), v))
    if len(values) > 4:
        return f"{labels.value(values[0])} to {labels.value(values[-1])} ({len(values)} values)"
    return ", ".join(labels.value(value) for value in values)


def table_caption(runs: Runs) -> str:
    """Return the caption of the summary."""
    left_out = len(runs) - len(runs.timed)
    sentences = [
        "Median over the runs that reached their goal, in brackets their 20–80 % interval where it "
        "is wider than what is shown; how many of those tried were solved. Bold: the least among "
        "the methods that solved the most.",
        f"{counted(len(runs))}.",
    ]
    if ends := unfinished(runs):
        sentences.append(f"Did not converge: {'; '.join(ends)}.")
    if left_out:
        sentences.append(f"Left out of times, for they shared their machine: {counted(left_out)}.")
    return " ".join(sentences)
