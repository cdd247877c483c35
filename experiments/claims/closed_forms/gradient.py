"""Lemma 4.1: the closed form of the gradient, for every problem of the harness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.claims.closed_forms.derivatives import draw_errors, judge_errors
from experiments.claims.closed_forms.gradient_measure import measure
from experiments.kit.claim import Claim, Verdict
from experiments.kit.runs import LoggedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]

#: Rounding of a sum of n terms with cancellation; a wrong formula is off by order one.
FORMULA_TOLERANCE = 1e-12
#: The functions of Lemma 4.1; Parts 9 to 12 derive v * A_j and <v, A_j> once more.
LEMMA_PARTS = ("z", "exp", "u", "alpha", "1/alpha", "f", "c", "L", "v A_j", "<v, A_j>")


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge each problem, and the lemma's chain."""
    return judge_errors(runs, "gradient", "Lemma 4.1", FORMULA_TOLERANCE, LEMMA_PARTS)


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the largest error of each problem."""
    return {"gradient": draw_errors(runs, FORMULA_TOLERANCE)}


CLAIM = Claim(
    id="gradient",
    place="Definition 3.1, Lemma 4.1 (12 parts)",
    statement="The closed forms of the first derivatives of "
    "z, exp(z), u, alpha, 1/alpha, f, c and L are right.",
    judge=judge,
    draw=draw,
    measure=measure,
    order=1,
)
