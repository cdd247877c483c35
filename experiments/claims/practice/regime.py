"""How much of the data term the assumptions leave, and what breaks as the weights shrink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

import numpy as np
import pandas as pd

from experiments.claims.practice.breaks import breaks, sentence
from experiments.claims.practice.frontier_figures import draw
from experiments.claims.practice.regime_measure import NORMS, measure
from experiments.kit.cells import count, sight
from experiments.kit.claim import Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.verdicts import counterexample, joined, row_of_largest
from softres.theory.predictions import CONTRACTION

__all__ = ["CAPTIONS", "CLAIM", "headline"]

#: The rule for EMPTY: within the assumptions no instance loses more than this share of its loss ...
NOTHING_LEFT = 1e-3
#: ... and one linear solve is within this relative distance of x* in every instance.
LINEAR_ENOUGH = 1e-2

#: What kinds of instances differ in, and with the seed what instances do.
CELL = ("R", "n", "d", "rows", "condition")
INSTANCE = (*CELL, "seed")

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
    within = [_within(inside, runs, norm, empty=empty) for norm in NORMS]
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
    return Verdict(
        statement="Within the assumptions the data term leaves something to solve",
        conclusion=Conclusion.EMPTY if empty else Conclusion.HOLDS,
        measured=f"(L(0) - L(x*)) / L(0) <= {fall:.1e}; one linear solve errs by {linear:.1e}",
        bound=f"empty below {NOTHING_LEFT:g} and {LINEAR_ENOUGH:g}",
        cases=count(inside, INSTANCE),
        reason=f"{what} {rule} {_started(inside)} {sight(count(inside, CELL))}",
        looseness=NOTHING_LEFT / fall if fall > 0 else None,
        author=Author.OURS,
    )


def _started(inside: pd.DataFrame) -> str:
    recalled = int((inside["log10_start_over_basin"] <= 0).sum())
    proven = int(inside["start_proven"].astype(bool).sum())
    return (
        f"x0 = 0 is near enough, M |x0 - x*| <= 0.1 l, in {proven} of {len(inside)} instances "
        f"with the M that is proven here, in {recalled} with M recalled."
    )


def _within(inside: pd.DataFrame, runs: Sequence[LoggedRun], norm: str, *, empty: bool) -> Verdict:
    """Judge the conclusions where all assumptions hold, the start's with the M proven here."""
    column = f"contraction_{norm}"
    started = inside["start_proven"].astype(bool)
    convex = inside["strongly_convex"].astype(bool)
    bad = inside[started & ((inside[column] > CONTRACTION) | ~convex)]
    good = Conclusion.EMPTY if empty else Conclusion.HOLDS
    conclusion = good if started.any() else Conclusion.UNDECIDED
    if len(bad):
        conclusion = Conclusion.VIOLATED
    judged = inside[started] if started.any() else inside
    factor = float(judged[column].max())
    worst = row_of_largest(bad if len(bad) else judged, (bad if len(bad) else judged)[column])
    reason = (
        f"{len(bad)} of {len(judged)} instances fail. The largest factor is met with R = "
        f"{worst['R']:g}, n = {worst['n']:,}, condition {worst['condition']:g}, {worst['rows']} "
        f"rows, seed {worst['seed']}. {_started(inside)}"
    )
    if conclusion is good:
        reason += f" {sight(count(judged, CELL))}"
    if conclusion is Conclusion.EMPTY:
        reason += " True, but of a linear system."
    example = counterexample(runs, str(worst["run"]), f"worst_{norm}.npz") if len(bad) else None
    return Verdict(
        statement="Within the assumptions H >= l I on the path and every step of approximate "
        f"Newton contracts by {CONTRACTION} in {'the H-norm' if norm == 'H' else 'l2'}",
        conclusion=conclusion,
        measured=f"factor <= {factor:.3g}; smallest eigenvalue >= "
        f"{judged['path_eigenvalue'].min():.3g}",
        bound=f"{CONTRACTION}; l",
        cases=count(judged, INSTANCE),
        reason=reason,
        looseness=CONTRACTION / factor if factor > 0 else None,
        counterexample=example,
        # The paper measures r_t = |x_t - x*| in l2; the norm of the Hessian is our reading.
        author=Author.PAPER if norm == "l2" else Author.OURS,
    )


def _needed(table: pd.DataFrame, runs: Sequence[LoggedRun]) -> Verdict:
    """Judge whether the conclusions fail as soon as the weights are smaller than the theorem's.

    One size of the weights below the theorem's with which every instance keeps every conclusion
    shows that they are not needed.
    """
    found = breaks(table)
    # H >= l I fails by construction once w^2 sigma_min^2 < l: it says nothing of the method. And
    # what fails with the theorem's own weights does not fail for want of them.
    telling = [b for b in found if not b.conclusion.startswith("H >= l I")]
    shares = [b.share for b in telling if b.share is not None and b.share < 1]
    first = max(shares, default=-1.0)
    lighter = table[table["w2_over_theorem"] < 1 - 1e-9]
    enough = lighter[lighter["w2_over_theorem"] > first]
    example, where = None, ""
    least = 1.0
    if lighter.empty:
        conclusion, measured = Conclusion.UNDECIDED, "no smaller weights tried"
    elif enough.empty:
        conclusion = Conclusion.HOLDS
        measured = f"a conclusion fails at the next smaller weights, {_power(first)} of them"
    else:
        conclusion = Conclusion.VIOLATED
        case = row_of_largest(enough, -enough["w2_over_theorem"])
        least = float(case["w2_over_theorem"])
        example = counterexample(runs, str(case["run"]))
        fails = f"the first failure is at {_power(first)}" if shares else "none fails at all"
        measured = f"no conclusion fails down to {_power(least)} of them; {fails}"
        where = (
            f" That case: n = {case['n']:,}, R = {case['R']:g}, condition {case['condition']:g}, "
            f"{case['rows']} rows, seed {case['seed']}, level {case['level']}."
        )
    return Verdict(
        statement="Weights as large as the theorem's are needed: with less, a conclusion about "
        "the method fails",
        conclusion=conclusion,
        measured=measured,
        bound="the theorem's w^2",
        cases=count(table, INSTANCE),
        reason=f"{sentence(found)} H >= l I is a matter of units and not counted: it fails once "
        f"w^2 sigma_min^2 is below l.{where}",
        looseness=1.0 / least if 0 < least < 1 else None,
        counterexample=example,
        author=Author.OURS,
    )


def _power(share: float) -> str:
    return "0" if share == 0 else f"10^{log10(share):.1f}"


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say what is left within the assumptions, and what breaks first below them."""
    table = joined(runs, "seed")
    inside = table[table["inside"].astype(bool)]
    fall, linear = float(inside["loss_fall"].max()), float(inside["linear_solve_error"].max())
    left = "nothing" if _is_empty(inside) else "something"
    return (
        f"The theorem's weights leave {left} to solve: in {len(inside)} instances the loss falls "
        f"by at most {fall:.0e} of its value, and one linear solve gives x* to {linear:.0e}. "
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
    order=14,
)
