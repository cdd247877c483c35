"""Theorem 9.1 repaired: 0.4 in the norm of H, half a ln(kappa) more steps, and where l2 fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.claims.algorithm.repaired_measure import BASIN, measure
from experiments.kit.cells import count, sight
from experiments.kit.claim import PROBLEM_OPTIONS, Author, Claim, Conclusion, Verdict
from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest, undecided
from softres.theory.euclidean_factor import euclidean_factor, largest_condition
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "draw", "judge", "tables"]

CELL = ("n", "d", "data.condition")
#: Rounding that a figure may exceed its bound by.
SLACK = 1 + 1e-6

CAPTIONS = {
    "repaired": "The worst factor of a step in the Euclidean norm over all H~ within eps0 of H, in "
    "closed form, and the largest measured, against the condition of H; dotted: 0.4",
    "repaired_factors": "The worst factor of a step in the Euclidean norm by condition of H: "
    "measured and in closed form, and the condition up to which it is 0.4 at most",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the repaired error, the closed form, and the same without the condition."""
    table = joined(runs, *CELL, "seed")
    table = table[table["proven"].astype(bool)]  # elsewhere M is a lower bound, and no proof
    single, steps = (table[table["part"] == part] for part in ("single", "run"))
    return [
        _verdict(
            runs,
            steps.assign(
                excess=np.maximum(steps["left"] / steps["repaired"], steps["basin"] / BASIN)
            ),
            "the repaired theorem: from M sqrt(kappa) |e_0| <= 0.1 l on, |e_t| <= 0.4^t "
            "sqrt(kappa) |e_0| and M |e_t| <= 0.1 l, so that T = ln(sqrt(kappa) "
            "|x0 - x*| / eps) / ln 2.5 steps are enough",
            derived=True,
        ),
        _verdict(
            runs,
            single.assign(excess=single["factor_l2"] / single["phi"]),
            "the worst l2 factor over all H~ within eps0 of H is the closed form phi(eps0, kappa)",
            derived=True,
        ),
        _verdict(
            runs,
            single.assign(excess=single["factor_H"] / single["bound_H"]),
            "the worst H-norm factor over all H~ within eps0 of H is eps0 / (1 - eps0)",
            derived=True,
        ),
        _verdict(
            runs,
            steps.assign(excess=steps["left"] / steps["plain"]),
            "the theorem as it stands, from the same starts: |e_t| <= 0.4^t |e_0| in l2",
            derived=False,
        ),
    ]


def _verdict(
    runs: Sequence[LoggedRun], table: pd.DataFrame, statement: str, *, derived: bool
) -> Verdict:
    author = Author.OURS if derived else Author.PAPER
    if table.empty:
        return undecided(statement, author=author, derived=derived)
    worst = row_of_largest(table, table["excess"])
    bad = table[table["excess"] > SLACK]
    limits = ", ".join(
        f"{largest_condition(eps0):.3g} at eps0 = {eps0:g}"
        for eps0 in sorted({float(eps0) for eps0 in table["eps0"]})
    )
    reason = (
        f"{len(bad)} of {len(table)} steps exceed it. The sharpest: {worst['kind']} error, "
        f"{worst['direction']} start, eps0 = {worst['eps0']:g}, condition of H "
        f"{worst['condition']:.3g}. A step contracts by {CONTRACTION} in l2 whatever H~ is up to "
        f"a condition of H of {limits}. {sight(count(table, CELL))}"
    )
    return Verdict(
        statement=statement,
        conclusion=Conclusion.VIOLATED if len(bad) else Conclusion.HOLDS,
        measured=f"{float(worst['excess']):.3g} of the bound",
        bound="1",
        cases=count(table, (*CELL, "seed")),
        reason=reason,
        looseness=1.0 / float(worst["excess"]),
        counterexample=counterexample(runs, str(worst["run"]), "worst.npz") if len(bad) else None,
        author=author,
        derived=derived,
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the closed form against the condition, with the largest factors measured."""
    table = joined(runs, *CELL, "seed")
    single = table[table["part"] == "single"]
    figure, axes = new_figure(height=2.6)
    axis = axes[0]
    conditions = np.geomspace(1.0, 2.0 * float(single["condition"].max()), 200)
    for number, eps0 in enumerate(sorted({float(eps0) for eps0 in single["eps0"]})):
        part = single[single["eps0"] == eps0]
        style = look("", number)
        closed = [euclidean_factor(eps0, kappa) for kappa in conditions]
        axis.plot(conditions, closed, label=f"eps0 = {eps0:g}", **(style | {"marker": ""}))
        found = part.groupby("run")[["condition", "factor_l2"]].max()
        axis.plot(found["condition"], found["factor_l2"], **(style | {"linestyle": ""}))
    axis.axhline(CONTRACTION, label=f"{CONTRACTION}", **look("bound"))
    axis.set(xscale="log", yscale="log", xlabel="condition of H", ylabel="worst l2 factor")
    legend_above(figure, axis)
    return {"repaired": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return measured and closed factors by eps0 and condition."""
    table = joined(runs, *CELL, "seed")
    single = table[table["part"] == "single"]
    found = single.groupby(["eps0", "data.condition"])[["condition", "factor_l2", "phi"]].max()
    limit = [largest_condition(eps0) for eps0 in found.reset_index()["eps0"].astype(float)]
    return {"repaired_factors": found.assign(**{"0.4 up to condition": limit})}


CLAIM = Claim(
    id="repaired",
    place="Theorem 9.1, repaired",
    statement="Contraction by 0.4 holds in the norm of H, and T = ln(sqrt(kappa) |x0 - x*| / eps) "
    "/ ln 2.5 steps are enough.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=12,
    uses=PROBLEM_OPTIONS,
)
