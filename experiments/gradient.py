"""Lemma 4.1: the closed form of the gradient, for every problem of the harness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from experiments._closed_forms import first_derivatives
from experiments._derivatives import draw_errors, judge_errors, measure_errors
from experiments.claim import Claim, Verdict
from experiments.runs import LoggedRun
from softres.harness.probe import ProbeContext

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]

#: Rounding of a sum of n terms with cancellation; a wrong formula is off by order one.
TOLERANCE = 1e-12
#: The functions of Lemma 4.1; Parts 9 to 12 derive v * A_j and <v, A_j> once more.
PARTS = ("z", "exp", "u", "alpha", "1/alpha", "f", "c", "L", "v A_j", "<v, A_j>")


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return relative errors of the closed forms, one row a case and part."""
    return measure_errors(context, first_derivatives, second=False)


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge each problem, and the lemma's chain."""
    return judge_errors(runs, "gradient", TOLERANCE, PARTS)


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the largest error of each problem."""
    return {"gradient": draw_errors(runs, TOLERANCE)}


CLAIM = Claim(
    id="gradient",
    place="Definition 3.1, Lemma 4.1 (12 parts)",
    statement="The closed forms of the first derivatives of "
    "z, exp(z), u, alpha, 1/alpha, f, c and L are right.",
    judge=judge,
    draw=draw,
    measure=measure,
    sources=("_bounded", "_closed_forms", "_derivatives", "_references"),
)
