"""Lemma 8.2: upper bounds of ten basic quantities, against an adversary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from experiments._adversary import Bounds, measure_bounded
from experiments._bounded import draw_looseness, judge_bounds
from experiments._points import NORMS
from experiments._regions import Setting
from experiments.claim import Claim, Verdict
from experiments.runs import LoggedRun
from softres.harness.probe import ProbeContext
from softres.theory.bounds import BASIC, Region, basic_bounds, recalled_bounds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest norm found of each quantity, one row a quantity and matrix."""

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        return (
            basic_bounds(Region.worst(n, R, beta)),
            basic_bounds(Region.of(setting.A, R, beta)),
            recalled_bounds(n, R, beta),
        )

    return measure_bounded(context, 1, lambda setting: NORMS, bounds)


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge each of the ten bounds."""
    return judge_bounds(runs, BASIC, "norm")


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
    sources=("_adversary", "_bounded", "_points", "_regions", "_search"),
)
