"""How much of the data term the assumptions leave, and what breaks as the weights shrink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments._breaks import breaks, sentence
from experiments._frontier_figures import draw
from experiments._verdicts import counterexample, joined
from experiments.claim import Claim, Conclusion, Verdict
from experiments.regime_measure import measure
from experiments.runs import LoggedRun
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from experiments._breaks import Break

__all__ = ["CAPTIONS", "CLAIM", "headline"]

#: The rule for EMPTY: within the assumptions no instance loses more than this share of its loss ...
NOTHING_LEFT = 1e-3
#: ... and one linear solve is within this relative distance of x* in every instance.
LINEAR_ENOUGH = 1e-2

CAPTIONS = {
    "emptiness": "What is left of the data term at x* against w^2 over the largest v^2/alpha^2 at "
    "the start. Left: share of the curvature (largest over directions) and share of the loss that "
    "is removed, medians with the range over instances. Right: relative error of the single linear "
    "solve (A^T W^2 A) x = -g(0). The shaded end is the theorem's w^2",
    "frontier": "Exact and approximate Newton's method from x0 = 0 against the weights, by R. "
    "Largest contraction factor of a step in the H-norm, negative eigenvalues of the Hessian met "
    "on the way, steps to a relative error of 1e-10; medians, bands the range over instances",
    "levels": "Medians over instances at each size of the weights (relative: w^2 over the "
    "largest v^2/alpha^2 at the start)",
    "breaks": "Where each conclusion first fails as w^2 falls",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge emptiness, the conclusions within the assumptions, and whether weights are needed."""
    table = joined(runs, "seed")
    inside = table[table["inside"].astype(bool)]
    empty = _is_empty(inside)
    within = [_within(inside, runs, norm, empty=empty) for norm in ("H", "l2")]
    return [_left(inside), *within, _needed(table, runs)]


def _is_empty(inside: pd.DataFrame) -> bool:
    small = float(inside["loss_fall"].max()) < NOTHING_LEFT
    return small and float(inside["linear_solve_error"].max()) < LINEAR_ENOUGH


def _left(inside: pd.DataFrame) -> Verdict:
    fall, linear = float(inside["loss_fall"].max()), float(inside["linear_solve_error"].max())
    empty = _is_empty(inside)
    rule = (
        f"Rule: empty if no instance loses {NOTHING_LEFT:g} of L(0) on the way to x* and one "
        f"linear solve with A^T W^2 A is within {LINEAR_ENOUGH:g} of x* in all."
    )
    what = (
        f"The loss falls by at most {fall:.1e} of L(0), |x*| is at most "
        f"{inside['norm_x'].max():.1e}, the data term has at most "
        f"{inside['data_curvature'].max():.1e} of the curvature in any direction, and exact Newton "
        f"needs {inside['exact_steps'].median():.0f} steps (median)."
    )
    started = int((inside["log10_start_over_basin"] <= 0).sum())
    start = (
        f" x0 = 0 is near enough for M |x0 - x*| <= 0.1 l (M recalled) in {started} of "
        f"{len(inside)} instances."
    )
    return Verdict(
        statement="Within the assumptions the data term leaves something to solve",
        conclusion=Conclusion.EMPTY if empty else Conclusion.HOLDS,
        measured=f"(L(0) - L(x*)) / L(0) <= {fall:.1e}; one linear solve errs by {linear:.1e}",
        bound=f"empty below {NOTHING_LEFT:g} and {LINEAR_ENOUGH:g}",
        cases=len(inside),
        reason=f"{what} {rule}{start}",
        looseness=NOTHING_LEFT / fall if fall > 0 else None,
    )


def _within(inside: pd.DataFrame, runs: Sequence[LoggedRun], norm: str, *, empty: bool) -> Verdict:
    column = f"contraction_{norm}"
    factor = float(inside[column].max())
    bad = inside[(inside[column] > CONTRACTION) | ~inside["strongly_convex"].astype(bool)]
    good = Conclusion.EMPTY if empty else Conclusion.HOLDS
    name = "the H-norm" if norm == "H" else "l2"
    worst = inside.iloc[int(inside[column].argmax())]
    return Verdict(
        statement="Within the assumptions H >= l I on the path and every step of approximate "
        f"Newton contracts by {CONTRACTION} in {name}",
        conclusion=Conclusion.VIOLATED if len(bad) else good,
        measured=f"factor <= {factor:.3g}; smallest eigenvalue >= "
        f"{inside['path_eigenvalue'].min():.3g}",
        bound=f"{CONTRACTION}; l",
        cases=len(inside),
        reason=f"{len(bad)} of {len(inside)} instances fail. The largest factor is met with R = "
        f"{worst['R']:g}, condition {worst['condition']:g}, {worst['rows']} rows. "
        + ("True, but of a linear system." if empty and not len(bad) else ""),
        looseness=CONTRACTION / factor if factor > 0 else None,
        counterexample=counterexample(
            runs, str(bad["run"].iloc[int(bad[column].argmax())]), f"worst_{norm}.npz"
        )
        if len(bad)
        else None,
    )


def _needed(table: pd.DataFrame, runs: Sequence[LoggedRun]) -> Verdict:
    found = breaks(table)
    below = [b for b in found if b.share is not None and b.share < 1]
    # H >= l I fails by construction once w^2 sigma_min^2 < l: it says nothing of the method.
    telling = [b for b in below if not b.conclusion.startswith("H >= l I")]
    first = telling[0] if telling else None
    margin = log10(1 / first.share) if first is not None and first.share else None
    return Verdict(
        statement="Weights as large as the theorem's are needed: its conclusions fail below them",
        conclusion=Conclusion.HOLDS if telling else Conclusion.VIOLATED,
        measured=_first_to_fail(first, margin),
        bound="the theorem's w^2",
        cases=len(table),
        reason=sentence(found)
        + " H >= l I is a matter of units: it fails once w^2 sigma_min^2 is below l."
        + (" Needed, but not so large: see the factor." if first is not None else ""),
        looseness=10.0**margin if margin is not None else None,
        counterexample=None
        if telling
        else counterexample(runs, str(table["run"].iloc[int(table["R"].argmax())])),
    )


def _first_to_fail(first: Break | None, margin: float | None) -> str:
    if first is None:
        return "no conclusion about the method fails down to w^2 = 0"
    if margin is None:
        return f"{first.conclusion} first fails at w^2 = 0"
    return f"{first.conclusion} first fails at 10^-{margin:.1f} of it"


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say what is left within the assumptions, and what breaks first below them."""
    table = joined(runs, "seed")
    inside = table[table["inside"].astype(bool)]
    fall, linear = float(inside["loss_fall"].max()), float(inside["linear_solve_error"].max())
    left = (
        "leave nothing to solve"
        if _is_empty(inside)
        else "leave something to solve"
    )  # fmt: skip
    return (
        f"The theorem's weights {left}: in {len(inside)} instances the loss falls by at most "
        f"{fall:.0e} of its value, and one linear solve gives x* to {linear:.0e}. "
        + sentence(breaks(table))
    )


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return medians by level, and the order of the breaks."""
    table = joined(runs, "seed")
    columns = ["relative", "norm_x", "loss_fall", "data_curvature", "linear_solve_error"]
    columns += ["exact_steps", "negative_eigenvalues", "contraction_H", "approx_steps"]
    finite = table.replace(np.inf, np.nan)
    levels = finite.groupby(["R", "level"], sort=False)[columns].median().reset_index()
    levels = levels.sort_values(["R", "relative"], ascending=[True, False])
    order = pd.DataFrame(
        [
            {
                "conclusion": b.conclusion,
                "first fails at w2 over theorem's": "never"
                if b.share is None
                else f"{b.share:.1e}",
                "fails there": f"{b.failed} of {b.cases}",
                "fails anywhere": f"{b.total} of {b.everywhere}",
            }
            for b in breaks(table)
        ]
    )
    return {"levels": levels, "breaks": order}


CLAIM = Claim(
    id="regime",
    place="Theorem 9.1, its assumptions (our question)",
    statement="With w^2 >= C + l / sigma_min(A)^2 there is something left to solve, and with less "
    "the conclusions fail.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
)
