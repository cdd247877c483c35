"""Lemmas 8.1 and 8.4 to 8.8: the Hessian is Lipschitz, against an adversary over pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.claims.bounds.bounded import LOOSENESS, draw_looseness, judge_bounds
from experiments.claims.bounds.family import HESSIAN_LIPSCHITZ
from experiments.claims.bounds.hessian_lipschitz_measure import measure
from experiments.kit.claim import Claim, Verdict
from experiments.kit.runs import LoggedRun
from softres.theory.lipschitz import CURVATURE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM"]

CAPTIONS = {"hessian_lipschitz": LOOSENESS + ". Of the Hessian and its parts (Lemmas 8.1, 8.4-8.8)"}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the constant of each part and of the Hessian."""
    return judge_bounds(
        runs, CURVATURE, "Lipschitz constant in the spectral norm", [HESSIAN_LIPSCHITZ]
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw how far each constant is from the largest quotient found."""
    return {"hessian_lipschitz": draw_looseness(runs, CURVATURE)}


CLAIM = Claim(
    id="hessian_lipschitz",
    place="Lemmas 8.1, 8.4-8.8",
    statement="|H(x) - H(y)| <= M |x - y| over |x|, |y| <= R with alpha >= beta.",
    judge=judge,
    draw=draw,
    measure=measure,
    order=7,
)
