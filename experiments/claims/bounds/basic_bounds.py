"""Lemma 8.2: upper bounds of ten basic quantities, against an adversary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.claims.bounds.basic_bounds_measure import measure
from experiments.claims.bounds.bounded import LOOSENESS, draw_looseness, judge_bounds
from experiments.claims.bounds.family import EXP_NORM
from experiments.kit.claim import Claim, Verdict
from experiments.kit.runs import LoggedRun
from softres.theory.bounds import BASIC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM"]

CAPTIONS = {
    "basic_bounds": LOOSENESS
    + ". Lemma 8.2: f = u / alpha, c = f - b, v = u' in z, q = (c - <f, c> 1) / alpha"
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge each of the ten bounds."""
    return judge_bounds(runs, BASIC, "norm", [EXP_NORM])


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw how far each bound is from the largest value found."""
    return {"basic_bounds": draw_looseness(runs, BASIC)}


CLAIM = Claim(
    id="basic_bounds",
    place="Lemma 8.2 (10 parts)",
    statement="With |A|, |x| <= R and alpha >= beta the norms of exp(Ax), u, alpha, 1/alpha, f, c, "
    "I - f 1^T, v, 1/alpha^2 and q are bounded in n, R and beta.",
    judge=judge,
    draw=draw,
    measure=measure,
    order=5,
)
