"""What was behind a figure or a verdict: sizes, seeds, counts, commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from experiments.kit.runs import LoggedRun

__all__ = ["facts", "listed", "origin"]

_ABSENT = ("None", "null", "")


def facts(runs: Sequence[LoggedRun]) -> str:
    """Return n, d, R and seeds of runs, how many there are, and the commits they ran at.

    Where a measurement chose sizes itself, its table's columns say which.
    """
    parts = []
    for key, name in (("n", "n"), ("d", "d"), ("R", "R"), ("seed", "seeds")):
        values = _values(runs, key)
        if values:
            parts.append(f"{name} = {listed(values)}")
    return "; ".join([*parts, origin(runs)])


def origin(runs: Sequence[LoggedRun]) -> str:
    """Return how many runs there are, and the one commit of all; or each commit with its runs."""
    commits = Counter(run.tags.get("commit", "unknown")[:10] for run in runs)
    changed = sum(run.tags.get("dirty") == "true" for run in runs)
    text = f"{len(runs)} run{'s' * (len(runs) != 1)}; "
    if len(commits) == 1:
        text += f"commit {next(iter(commits))}"
    else:
        text += "commits " + ", ".join(f"{name} ({commits[name]})" for name in sorted(commits))
    if changed:
        text += f", {'all' if changed == len(runs) else changed} with local changes"
    return text


def _values(runs: Sequence[LoggedRun], key: str) -> list[float]:
    found: set[float] = set()
    for run in runs:
        measured = run.tags.get("status") == "measured"
        if measured and key in run.table.columns:
            found |= {float(value) for value in run.table[key].dropna().unique()}
        elif run.params.get(key, "") not in _ABSENT:
            found.add(float(run.params[key]))
    return sorted(found)


def listed(values: Iterable[float], most: int = 6) -> str:
    """Return numbers as a short list: a range of whole numbers, or first to last of many."""
    numbers = sorted(set(values))
    whole = all(value == int(value) for value in numbers)
    if whole and len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{int(numbers[0])}..{int(numbers[-1])}"
    texts = [f"{value:,.0f}" if value == int(value) else f"{value:.3g}" for value in numbers]
    if len(texts) > most:
        texts = [*texts[:2], "...", texts[-1]]
    return ", ".join(texts)
