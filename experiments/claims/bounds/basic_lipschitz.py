"""Lemma 8.3: Lipschitz constants of twelve basic quantities, against an adversary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.claims.bounds.basic_lipschitz_measure import measure
from experiments.claims.bounds.bounded import LOOSENESS, draw_looseness, judge_bounds
from experiments.claims.bounds.family import EXP_LIPSCHITZ
from experiments.kit.claim import Claim, Verdict
from experiments.kit.runs import LoggedRun
from softres.theory.lipschitz import LIPSCHITZ

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM"]

CAPTIONS = {
    "basic_lipschitz": LOOSENESS
    + ". Lemma 8.3: f = u / alpha, c = f - b, v = u' in z, q = (c - <f, c> 1) / alpha"
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge each of the twelve constants."""
    return judge_bounds(runs, LIPSCHITZ, "Lipschitz constant", [EXP_LIPSCHITZ])


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw how far each constant is from the largest quotient found."""
    return {"basic_lipschitz": draw_looseness(runs, LIPSCHITZ)}


CLAIM = Claim(
    id="basic_lipschitz",
    place="Lemma 8.3 (12 parts)",
    statement="Over |x|, |y| <= R with alpha >= beta, exp(Ax), u, alpha, 1/alpha, f, c, v, "
    "I - f 1^T, diag(v), 1/alpha^2, q and q * exp(Ax) are Lipschitz in x.",
    judge=judge,
    draw=draw,
    measure=measure,
    order=6,
)
