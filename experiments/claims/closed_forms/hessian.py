"""Lemma 5.2: the closed form of the hessian, for every problem of the harness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.claims.closed_forms.derivatives import draw_errors, judge_errors
from experiments.claims.closed_forms.formulas import CHAIN
from experiments.claims.closed_forms.hessian_measure import measure
from experiments.kit.claim import Claim, Verdict
from experiments.kit.runs import LoggedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]

#: Rounding of a sum of n terms with cancellation; a wrong formula is off by order one.
FORMULA_TOLERANCE = 1e-11
#: The seven functions of Lemma 5.2, each with i = j and i != j at once.
LEMMA_PARTS = CHAIN


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge each problem, and the lemma's chain."""
    return judge_errors(runs, "hessian", "Lemma 5.2", FORMULA_TOLERANCE, LEMMA_PARTS)


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the largest error of each problem."""
    return {"hessian": draw_errors(runs, FORMULA_TOLERANCE)}


CLAIM = Claim(
    id="hessian",
    place="Lemma 5.2 (14 parts)",
    statement="The closed forms of the second derivatives of "
    "z, exp(z), u, alpha, 1/alpha, f and L are right.",
    judge=judge,
    draw=draw,
    measure=measure,
    order=2,
)
