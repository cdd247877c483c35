"""Gradient, Hessian and structure of the model of several layers, against autodiff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from experiments.claims.multi_layer.multi_layer_closed_forms_measure import COLUMNS, measure
from experiments.kit.cells import count, sight
from experiments.kit.claim import Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "headline"]

#: Relative error that double precision allows for.
TOLERANCE = 1e-12
STATEMENTS = {
    "gradient": "The gradient of L layers in closed form",
    "hessian": "The Hessian of L layers in closed form",
    "hvp": "Its product with a vector in closed form",
    "rank": "The curvature in z is block diagonal, a block a row of the data, plus rank two",
}
CAPTIONS = {
    "errors": "Largest relative error of the closed forms against automatic differentiation, and "
    "third eigenvalue of the curvature less its blocks over the curvature's largest, by depth",
    "by_depth": "The same as numbers, with how many points there are of each depth",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge by the largest error of any case."""
    table = joined(runs)
    if table.empty:
        return []
    cells = count(table, ["depth", "skip", "branch"])
    verdicts = []
    for column, statement in STATEMENTS.items():
        worst = row_of_largest(table, table[column])
        largest = float(worst[column])
        holds = largest <= TOLERANCE
        reason = (
            "Against automatic differentiation, at points alpha >= 0.1 n where f is not peaked. "
            f"{sight(cells)}"
        )
        if column == "rank":
            reason += (
                f" The second eigenvalue is at least {table['second'].min():.1e} of the first."
            )
        verdicts.append(
            Verdict(
                statement=statement,
                conclusion=Conclusion.HOLDS if holds else Conclusion.VIOLATED,
                measured=f"{largest:.1e} ({worst['depth']} layers, {worst['branch']})",
                bound=f"{TOLERANCE:.0e}",
                cases=len(table),
                reason=reason,
                looseness=TOLERANCE / largest if largest > 0 else None,
                counterexample=None if holds else counterexample(runs, str(worst["run"])),
                derived=True,
            )
        )
    return verdicts


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say how exact the closed forms are, and up to which depth."""
    table = joined(runs)
    return (
        f"Up to {table['depth'].max()} layers gradient and Hessian agree with automatic "
        f"differentiation to {table[['gradient', 'hessian', 'hvp']].to_numpy().max():.0e}, and the "
        "curvature is block diagonal plus rank two."
    )


def _by_depth(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    return joined(runs).groupby("depth")[list(COLUMNS)].max()


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the largest errors by depth."""
    table = _by_depth(runs)
    figure, (axis,) = new_figure()
    for index, column in enumerate(COLUMNS):
        axis.plot(table.index, table[column], label=column, **look("", index))
    axis.axhline(TOLERANCE, **look("bound"))
    axis.set(xlabel="layers", ylabel="relative error", yscale="log")
    axis.legend()
    return {"errors": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the largest errors by depth."""
    points = joined(runs).groupby("depth").size().rename("points")
    return {"by_depth": _by_depth(runs).join(points).reset_index()}


CLAIM = Claim(
    id="multi_layer_closed_forms",
    place="Section 10, future work (our derivation)",
    statement="Gradient and Hessian of a model of several layers in closed form: the curvature is "
    "block diagonal plus rank two.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=18,
)
