"""How many critical points the loss has, certified, and whether solvers find the lowest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.claims.landscape.landscape_measure import measure
from experiments.kit.cells import count, sight
from experiments.kit.claim import Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import clopper_pearson
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest, undecided

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "judge"]

CELL = ("d", "R", "noise")
INSTANCE = (*CELL, "run")
#: Share of instances in which the lowest may be missed.
MISSED = 0.05
#: Share of the points that need not be certified.
LEFT = 0.05
#: Differences of losses that are rounding.
ROUNDING = 1e-9
STATEMENTS = {
    "unique": "With the theorem's weights, C = 100, the loss has one critical point where "
    "alpha > 0: x* is the minimiser",
    "across": "Large enough weights leave the loss one minimiser, on both sides of alpha = 0",
    "lowest": "At practical weights, a fixed share of v^2/alpha^2, the minimiser that exact Newton "
    "finds from x0 = 0 is the lowest where alpha > 0, in 95% of instances",
    "certified": "Of the points that Newton's method ends at, Krawczyk's test certifies 95%: there "
    "is one critical point, and of that index",
}
CAPTIONS = {
    "landscape": "Minimisers with alpha > 0, certified by Krawczyk's test, of small instances "
    "against w^2 in shares of the largest v^2/alpha^2 at 0 (theorem: 100 + l / sigma_min^2): mean "
    "over the instances, by size of A",
    "landscape_counts": "Critical points by size, noise and weight, means over the seeds: found "
    "from many starts, certified, minimisers where alpha > 0 and across the pole, saddles; and the "
    "share of instances in which exact Newton from 0 finds the lowest where alpha > 0",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge uniqueness at the theorem's weights and across the pole, and what solvers find."""
    table = joined(runs, "seed")
    if table.empty:
        return [undecided(statement) for statement in STATEMENTS.values()]
    inner = table[table["part"] == "instance"]
    stated = inner[inner["weight"] == "theorem"]
    practical = inner[inner["weight"] != "theorem"]
    return [
        _unique(runs, stated),
        _across(runs, table[table["part"] == "three rows"]),
        _lowest(runs, practical),
        _certified(runs, table),
    ]


def _verdict(
    runs: Sequence[LoggedRun],
    key: str,
    bad: pd.DataFrame,
    cases: pd.DataFrame,
    measured: str,
    bound: str,
    reason: str,
    artifact: str = "",
) -> Verdict:
    if cases.empty:
        return undecided(STATEMENTS[key])
    return Verdict(
        statement=STATEMENTS[key],
        conclusion=Conclusion.VIOLATED if len(bad) else Conclusion.HOLDS,
        measured=measured,
        bound=bound,
        cases=count(cases, INSTANCE),
        reason=f"{reason} {sight(count(cases, CELL))}",
        counterexample=counterexample(runs, str(bad.iloc[0]["run"]), artifact)
        if len(bad)
        else None,
        author=Author.OURS,
    )


def _unique(runs: Sequence[LoggedRun], cases: pd.DataFrame) -> Verdict:
    here = cases["minimisers"] + cases["saddles"]
    bad = cases[here > 1]
    return _verdict(
        runs, "unique", bad, cases,
        f"at most {int(here.max()) if len(cases) else 0} certified, in "
        f"{len(bad)} of {len(cases)} cases more than one",
        "1",
        "Saddles count too. A search from many starts may miss some.",
        "minimisers.npz",
    )  # fmt: skip


def _across(runs: Sequence[LoggedRun], cases: pd.DataFrame) -> Verdict:
    total = cases["minimisers"] + cases["minimisers_across"]
    bad = cases[total > 1].sort_values("w2", ascending=False)
    largest = f"w^2 = {bad['w2'].max():g}" if len(bad) else "no w^2"
    return _verdict(
        runs, "across", bad, cases,
        f"up to {int(total.max()) if len(cases) else 0} certified minimisers at up to {largest}",
        "1",
        "n = 3, d = 1, a = (1, 1, -0.2): alpha <= 0 on [-17.1, -1.07], the loss is infinite at "
        "both ends and w^2 times a square outside, so that each of the three parts has a minimiser "
        "whatever w is. The theorem's x* is a minimiser, not the minimiser.",
        "minimisers.npz",
    )  # fmt: skip


def _lowest(runs: Sequence[LoggedRun], cases: pd.DataFrame) -> Verdict:
    gap = cases["found"] - cases["lowest_here"]
    bad = cases[gap > ROUNDING * np.maximum(1.0, cases["lowest_here"].abs())]
    if cases.empty:
        return undecided(STATEMENTS["lowest"])
    share = clopper_pearson(len(bad), len(cases))
    several = cases[cases["minimisers"] > 1]
    worst = row_of_largest(cases, gap)
    found = _verdict(
        runs, "lowest", bad, cases,
        f"not the lowest in {len(bad)} of {len(cases)}, a share of {share:.2g}; loss at most "
        f"{worst['found']:.3g} against {worst['lowest_here']:.3g}",
        f"{MISSED:g}",
        f"{len(several)} of {len(cases)} cases have more than one minimiser where alpha > 0, up to "
        f"{int(cases['minimisers'].max())}.",
        "not_lowest.npz",
    )  # fmt: skip
    if share.low > MISSED:
        return found
    decided = Conclusion.HOLDS if share.high <= MISSED else Conclusion.UNDECIDED
    return replace(found, conclusion=decided, counterexample=None)


def _certified(runs: Sequence[LoggedRun], cases: pd.DataFrame) -> Verdict:
    missing = cases["points"] - cases["certified"]
    bad = cases[missing > 0]
    if int(missing.sum()) <= LEFT * int(cases["points"].sum()):
        bad = bad.iloc[:0]
    total = int(cases["points"].sum())
    return _verdict(
        runs, "certified", bad, cases,
        f"{total - int(missing.sum())} of {total} certified",
        f"{1 - LEFT:.0%}",
        "What is not certified is counted nowhere: a point of nearly singular Hessian, or none. In "
        "interval arithmetic with outward rounding, boxes of 1e-12 to 1e-6 of the point's size.",
    )  # fmt: skip


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say how often there are several minimisers, and how often the lowest is missed."""
    table = joined(runs)
    cases = table[(table["part"] == "instance") & (table["weight"] != "theorem")]
    several = int((cases["minimisers"] > 1).sum())
    missed = int((cases["found"] - cases["lowest_here"] > ROUNDING).sum())
    return (
        f"At practical weights {several} of {len(cases)} small instances have more than one "
        f"minimiser where alpha > 0, and exact Newton from 0 misses the lowest in {missed}; at the "
        "theorem's weights there is one. Across the pole alpha = 0 there may be another one for "
        "every finite w."
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the mean number of minimisers against the weight, a line for each R."""
    table = joined(runs)
    cases = table[table["part"] == "instance"]
    weights = sorted(set(cases["weight"]), key=lambda name: (name != "theorem", -_number(name)))
    figure, (axis,) = new_figure()
    for index, (R, part) in enumerate(cases.groupby("R")):
        mean = part.groupby("weight")["minimisers"].mean().reindex(weights)
        axis.plot(range(len(weights)), mean, label=f"R = {R:g}", **look("", index))
    axis.set_xticks(range(len(weights)), weights)
    axis.set(xlabel="w^2, relative", ylabel="minimisers, alpha > 0")
    axis.legend()
    return {"landscape": figure}


def _number(name: str) -> float:
    return float(name) if name != "theorem" else np.inf


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the counts by size, noise and weight."""
    table = joined(runs)
    gap = table["found"] - table["lowest_here"]
    table = table.assign(finds_lowest=gap <= ROUNDING * np.maximum(1.0, table["lowest_here"].abs()))
    columns = ["points", "certified", "minimisers", "minimisers_across", "saddles", "finds_lowest"]
    keys = ["part", "d", "R", "noise", "weight"]
    found = table.groupby(keys, dropna=False, sort=False)[columns].mean()
    return {"landscape_counts": found.reset_index()}


CLAIM = Claim(
    id="landscape",
    place="Sections 1 and 10 (our statements)",
    statement="The loss has one minimiser, and solvers find the lowest.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=18,
)
