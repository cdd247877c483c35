"""A sweep by solver: what each solved and what it took, and which was the first to the goal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from rich.table import Table

from softres.harness.outcome import JobOutcome
from softres.harness.terminal.console import cell, error_text, rule, show_line, show_table

__all__ = ["first_to_goal", "is_solved", "show_solvers"]


def is_solved(outcome: JobOutcome) -> bool:
    """Whether a job reached its goal, now or in the run that made it needless."""
    return "converged" in (outcome.status, outcome.ended)


def first_to_goal(outcomes: Sequence[JobOutcome]) -> tuple[dict[str, list[float]], int]:
    """Return who reached the goal in the least solver time, and by how much.

    Returns
    -------
    For each solver, over the instances on which it was the first, the time of the next one over
    its own (infinite where no other reached the goal); and how many instances had several solvers,
    one of which reached it.
    """
    times: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for outcome in outcomes:
        if outcome.instance and outcome.solve_seconds is not None:
            seconds = outcome.solve_seconds if is_solved(outcome) else float("inf")
            best = times[outcome.instance]
            best[outcome.solver] = min(seconds, best.get(outcome.solver, float("inf")))
    ahead: defaultdict[str, list[float]] = defaultdict(list)
    compared = 0
    for one in times.values():
        (first, least), *others = sorted(one.items(), key=lambda item: item[1])
        if others and least < float("inf"):
            compared += 1
            ahead[first].append(others[0][1] / max(least, 1e-9))
    return dict(ahead), compared


def show_solvers(outcomes: Sequence[JobOutcome]) -> None:
    """Print a row for each solver: medians over its jobs; nothing for jobs that solve nothing."""
    tried: defaultdict[str, list[JobOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.steps is not None or outcome.status == "failed":
            tried[outcome.solver].append(outcome)
    tried.pop("", None)
    if not any(outcome.steps is not None for jobs in tried.values() for outcome in jobs):
        return
    shared = not all(outcome.timed for outcome in outcomes)
    ahead, compared = ({}, 0) if shared else first_to_goal(outcomes)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("solver", no_wrap=True)
    headings = ["solved", *(["first", "ahead"] if compared else [])]
    for heading in (*headings, "steps", "seconds", "passes", "error"):
        table.add_column(heading, justify="right", no_wrap=True)
    for solver, jobs in tried.items():
        cells = [f"{sum(map(is_solved, jobs))} of {len(jobs)}"]
        if compared:
            cells += _ahead(ahead, solver, compared)
        table.add_row(
            cell(solver),
            *cells,
            _median(jobs, lambda job: job.steps, "{:g}"),
            _median(jobs, lambda job: job.solve_seconds, "{:.2g}"),
            _median(jobs, lambda job: job.passes, "{:g}"),
            error_text(_middle(jobs, lambda job: job.error)),
        )
    rule("by solver")
    show_table(table)
    show_line("medians over the jobs; seconds of solve, passes over A", style="dim")
    if shared:
        show_line("first to eps: not compared, for jobs ran at the same time", style="dim")
    if compared:
        show_line("first: to eps on an instance; ahead: time of the next over its own", style="dim")


def _ahead(ahead: Mapping[str, Sequence[float]], solver: str, compared: int) -> list[str]:
    factors = ahead.get(solver, [])
    if not factors:
        return [f"0 of {compared}", ""]
    factor = median(factors)
    alone = factor == float("inf")
    return [f"{len(factors)} of {compared}", "alone" if alone else f"{factor:.3g} x"]


def _middle(
    jobs: Sequence[JobOutcome], value: Callable[[JobOutcome], float | None]
) -> float | None:
    values = [found for job in jobs if (found := value(job)) is not None]
    return median(values) if values else None


def _median(
    jobs: Sequence[JobOutcome], value: Callable[[JobOutcome], float | None], form: str
) -> str:
    middle = _middle(jobs, value)
    return "" if middle is None else form.format(middle)
