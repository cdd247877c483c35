"""Lemma 8.3: Lipschitz constants of twelve basic quantities, against an adversary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from experiments._adversary import Bounds, measure_bounded
from experiments._bounded import draw_looseness, judge_bounds
from experiments._points import DIFFERENCES
from experiments._regions import Setting
from experiments.claim import Claim, Verdict
from experiments.runs import LoggedRun
from softres.harness.probe import ProbeContext
from softres.theory.bounds import Region
from softres.theory.lipschitz import LIPSCHITZ, basic_lipschitz, recalled_lipschitz

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest quotient found for each quantity, one row a quantity and matrix."""

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        return (
            basic_lipschitz(Region.worst(n, R, beta), R, R),
            basic_lipschitz(Region.of(setting.A, R, beta), setting.norm, setting.row),
            recalled_lipschitz(n, R, beta),
        )

    return measure_bounded(context, 2, lambda setting: DIFFERENCES, bounds)


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge each of the twelve constants."""
    return judge_bounds(runs, LIPSCHITZ, "Lipschitz constant")


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
    sources=("_adversary", "_bounded", "_points", "_regions", "_search"),
)
