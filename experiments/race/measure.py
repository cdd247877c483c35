"""Run the contestants on one instance, each within its limit of time, interleaved."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from time import perf_counter

import pandas as pd

from experiments.race.code import is_present
from experiments.race.contestants.base import Contestant
from experiments.race.grid import InstanceMaker, RaceInstance
from experiments.race.recorder import Clock, Finished, Mark, Recorder
from experiments.race.results import RaceResults
from experiments.race.task import Task
from experiments.race.threads import one_thread

__all__ = ["LEVELS", "RaceOutcome", "Rules", "pending", "race", "run_once", "warm_up"]

#: The relative errors in the H-norm that times are taken to.
LEVELS = (1e-4, 1e-8, 1e-10)
#: The level by which a contestant counts as slow, or as not worth repeating.
DECISIVE = 1e-8


@dataclass(frozen=True)
class Rules:
    """How long, and how often.

    Attributes
    ----------
    repeat
        Runs of every contestant that is neither slow nor missed.
    limit
        Most seconds of a run.
    factor
        Most times the seconds of Newton by hand.
    least
        Seconds that every run may take, whatever the factor.
    slow
        Times the best one's seconds beyond which one run is enough.
    clock
        The clock of all these seconds, and of the tables.
    scratch
        Most bytes that a contestant may need beside A.
    """

    repeat: int = 5
    limit: float = 120.0
    factor: float = 30.0
    least: float = 2.0
    slow: float = 20.0
    clock: Clock = "wall"
    scratch: float = 8e9

    @property
    def seconds(self) -> str:
        """The column that holds the clock's seconds."""
        return "seconds" if self.clock == "wall" else "cpu_seconds"


@dataclass(frozen=True)
class RaceOutcome:
    """What one run left.

    Attributes
    ----------
    marks
        Its iterates in order.
    status
        ``"reached"``, or how it ended short of the goal.
    prepare_seconds, total_seconds, total_cpu_seconds
        Wall time before the clock, then wall and processor time on it.
    """

    marks: Sequence[Mark]
    status: str
    prepare_seconds: float = nan
    total_seconds: float = nan
    total_cpu_seconds: float = nan

    def first(self, level: float) -> Mark | None:
        """Return the first mark with an error of at most ``level``."""
        return next((mark for mark in self.marks if mark.error <= level), None)


def pending(
    instance: RaceInstance, contestants: Sequence[Contestant], rows: pd.DataFrame, rules: Rules
) -> list[tuple[int, Contestant]]:
    """Return the runs that the results lack, the first of every contestant before any second.

    Runs of other code than is here count as lacking.
    """
    here = rows[(rows.instance == instance.name) & is_present(rows, contestants)]
    done = {(str(name), int(k)) for name, k in zip(here.contestant, here.repeat, strict=True)}
    decisive = here[(here.repeat == 0) & (here.level == _decisive(here))]
    first = {
        str(name): float(seconds)
        for name, seconds in zip(decisive.contestant, decisive[rules.seconds], strict=True)
    }
    best = min((seconds for seconds in first.values() if isfinite(seconds)), default=inf)

    def wanted(contestant: Contestant, repeat: int) -> bool:
        if (contestant.name, repeat) in done:
            return False
        if repeat == 0 or contestant.name not in first:
            return True
        return first[contestant.name] <= rules.slow * best  # a miss is nan: not wanted

    runs = []
    for repeat in range(rules.repeat):
        turn = repeat % len(contestants) if contestants else 0
        order = [*contestants[turn:], *contestants[:turn]]
        runs += [(repeat, contestant) for contestant in order if wanted(contestant, repeat)]
    return runs


def _decisive(here: pd.DataFrame) -> float:
    # Where x* is not known well enough, the hardest level that is measured decides.
    return max(DECISIVE, float(here.level.min())) if len(here) else DECISIVE


def race(
    instance: RaceInstance,
    task: Task,
    contestants: Sequence[Contestant],
    results: RaceResults,
    rules: Rules,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Run what the results lack of an instance, and append it to them run by run.

    All runs of a contestant are replaced if some are of other code than is here.
    """
    levels = [level for level in LEVELS if level >= 3.0 * task.floor]
    for level in set(LEVELS) - set(levels):
        say(f"{instance.name}: x* is known to {task.floor:.0e} only, no times to {level:g}")
    if not levels:
        return
    rows = results.rows()
    rows = rows[rows.instance == instance.name]
    if stale := list(rows[~is_present(rows, contestants)].contestant.unique()):
        say(f"  of other code than is here, and so raced again: {', '.join(stale)}")
        results.drop(instance.name, stale)
    while runs := pending(instance, contestants, results.rows(), rules):
        repeat, contestant = runs[0]
        reason = contestant.unfit(task, rules.scratch)
        if reason:
            outcome = RaceOutcome([], reason)
        else:
            limit = _limit(results.rows(), instance, rules)
            outcome = run_once(contestant, task, levels[-1], limit, rules.clock)
        results.add(_rows(instance, contestant, repeat, levels, outcome))
        if repeat == 0 and outcome.marks:
            results.keep_trajectory(instance.name, contestant.name, outcome.marks)
        say(_line(contestant, repeat, outcome, rules))


def warm_up(contestants: Sequence[Contestant]) -> None:
    """Run contestants on a small instance, untimed: the first call of a library is slow."""
    if not contestants:
        return
    task = Task(InstanceMaker()(RaceInstance("synthetic", 200, 10, 1e-2, 10.0)))
    for contestant in contestants:
        run_once(contestant, task, LEVELS[-1], 1.0, "wall")


def run_once(
    contestant: Contestant, task: Task, goal: float, limit: float, clock: Clock
) -> RaceOutcome:
    """Run a contestant until its error is at most ``goal``, it stalls, or its time is up."""
    gc.collect()
    record = Recorder(task.error, goal, limit, clock)
    start = perf_counter()
    try:
        run = contestant.prepare(task)
    except Exception as error:  # a package's own failure is a result of the race
        return RaceOutcome([], _failure(error))
    prepared = perf_counter() - start
    with one_thread():  # again: preparation may have loaded a library
        try:
            run(record)
            status = "stalled"
        except Finished as finished:
            status = str(finished)
        except Exception as error:
            status = _failure(error)
        wall, cpu = record.total()
    missed = all(mark.error > LEVELS[0] for mark in record.marks)
    if status != "reached" and missed and record.x is not None and task.stationary(record.x):
        excess = task.loss_excess(record.x)
        status = f"another stationary point, loss {100 * excess:+.2g}%"
    return RaceOutcome(record.marks, status, prepared, wall, cpu)


def _failure(error: Exception) -> str:
    text = " ".join(str(error).split())[:80]
    return f"failed: {type(error).__name__}" + (f": {text}" if text else "")


def _limit(rows: pd.DataFrame, instance: RaceInstance, rules: Rules) -> float:
    """Return a run's limit: a multiple of what Newton by hand took, if it has run."""
    hand = rows[
        (rows.instance == instance.name) & (rows.side == "hand") & (rows.status == "reached")
    ]
    if hand.empty:
        return rules.limit
    seconds = float(hand[f"total_{rules.seconds}"].median())
    return min(rules.limit, max(rules.least, rules.factor * seconds))


def _rows(
    instance: RaceInstance,
    contestant: Contestant,
    repeat: int,
    levels: Sequence[float],
    outcome: RaceOutcome,
) -> list[dict[str, object]]:
    best = min((mark.error for mark in outcome.marks), default=inf)
    common: dict[str, object] = {
        "instance": instance.name,
        "kind": instance.kind,
        "n": instance.n,
        "d": instance.d,
        "contestant": contestant.name,
        "side": contestant.side,
        "repeat": repeat,
        "status": outcome.status,
        "best_error": best,
        "steps": max(0, len(outcome.marks) - 1),
        "prepare_seconds": outcome.prepare_seconds,
        "total_seconds": outcome.total_seconds,
        "total_cpu_seconds": outcome.total_cpu_seconds,
        "code": contestant.code(),
    }
    rows = []
    for level in levels:
        mark = outcome.first(level)
        taken: dict[str, object] = {"level": level}
        if mark is not None:
            taken |= {
                "seconds": mark.seconds,
                "cpu_seconds": mark.cpu_seconds,
                "passes": mark.passes,
                "grams": mark.grams,
            }
        rows.append(common | taken)
    return rows


def _line(contestant: Contestant, repeat: int, outcome: RaceOutcome, rules: Rules) -> str:
    if not outcome.marks:
        return f"  {contestant.name:<22} {outcome.status}"
    seconds = outcome.total_seconds if rules.clock == "wall" else outcome.total_cpu_seconds
    best = min(mark.error for mark in outcome.marks)
    return (
        f"  {contestant.name:<22} run {repeat + 1}  {seconds:8.3g} s  "
        f"error {best:.0e}  {outcome.status}"
    )
