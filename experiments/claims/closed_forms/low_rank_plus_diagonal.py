"""Definition 5.1, Lemmas 5.3 and 5.4: the curvature is a diagonal plus rank two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.claims.bounds.bounded import row_at
from experiments.claims.closed_forms.low_rank_plus_diagonal_measure import (
    EIGENVALUE_FLOOR,
    KEPT_EIGENVALUES,
    measure,
)
from experiments.kit.claim import Author, Claim, Conclusion, Counterexample, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import command

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]

#: What is judged: a column of the table, and the statement.
STATEMENTS = {
    "rank": "B is a diagonal plus a matrix of low rank, two (Lemmas 5.3, 5.4): third eigenvalue of "
    "B - diag(D) over its first",
    "signs": "one eigenvalue of B - diag(D) is positive and one negative: 1 where not",
    "formula": "the two eigenvalues are <v,h> +- |v||h|: relative error",
    "sum": "B is B1 + B2 + B3 + W^2 of Definition 5.1: relative error",
}
#: Whose the statements are; that the rank is two, with these eigenvalues, is proven here.
PAPERS = ("rank", "sum")


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge rank, signs, eigenvalues and the sum of the parts."""
    bound = f"{EIGENVALUE_FLOOR:.0e}"
    if not runs:
        none = "No finished run."
        return [
            Verdict(statement, Conclusion.UNDECIDED, "-", bound, 0, none, **_whose(column))
            for column, statement in STATEMENTS.items()
        ]
    data = pd.concat([run.table.assign(run=k) for k, run in enumerate(runs)], ignore_index=True)
    return [_judge(runs, data, column) for column in STATEMENTS]


def _judge(runs: Sequence[LoggedRun], data: pd.DataFrame, column: str) -> Verdict:
    # Only soft-residual regression has the paper's split.
    cases = data[data["model"] == "softres"] if column == "sum" else data
    errors = cases[column].fillna(np.inf)
    worst = row_at(cases, int(errors.to_numpy().argmax()))
    largest = float(errors.max())
    holds = largest <= EIGENVALUE_FLOOR
    run = runs[int(worst["run"])]
    second = float(cases["eigenvalue_1"].min())
    reason = "Against the Hessian in z from automatic differentiation, at points alpha >= 0.1 n."
    if column == "rank":
        reason += f" The second eigenvalue is at least {second:.1e} of the first: not rank one."
    return Verdict(
        statement=STATEMENTS[column],
        conclusion=Conclusion.HOLDS if holds else Conclusion.VIOLATED,
        measured=f"{largest:.1e} ({worst['model']}, n={run.params.get('n')})",
        bound=f"{EIGENVALUE_FLOOR:.0e}",
        cases=len(cases),
        reason=reason,
        looseness=EIGENVALUE_FLOOR / largest if 0 < largest < np.inf else None,
        counterexample=None if holds else Counterexample(run, command(run), "worst.npz"),
        **_whose(column),
    )


def _whose(column: str) -> dict[str, Any]:
    if column in PAPERS:
        return {"author": Author.PAPER}
    return {"author": Author.OURS, "derived": True}


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the sizes of the eigenvalues of B - diag(D): two, then rounding."""
    data = pd.concat([run.table.assign(n=run.params["n"]) for run in runs], ignore_index=True)
    figure, axes = new_figure()
    axis = axes[0]
    index = np.arange(1, KEPT_EIGENVALUES + 1)
    columns = [f"eigenvalue_{k}" for k in range(KEPT_EIGENVALUES)]
    for model, points in data.groupby("model", sort=False):
        values = np.maximum(points[columns].to_numpy(), 1e-20)
        style = look(str(model))
        axis.plot(index, np.median(values, axis=0), label=f"{model}, {len(points)} points", **style)
        axis.fill_between(
            index, values.min(axis=0), values.max(axis=0), color=style["color"], alpha=0.2, lw=0
        )
    axis.set_yscale("log")
    axis.set_xlabel("eigenvalue of B - diag(D), by size")
    axis.set_ylabel("size over the largest")
    axis.legend(fontsize=7, frameon=False)
    return {"low_rank_plus_diagonal": figure}


CLAIM = Claim(
    id="low_rank_plus_diagonal",
    place="Definition 5.1, Lemmas 5.3 and 5.4, Definition 6.1",
    statement="The curvature B is a diagonal plus a low-rank matrix; sharper: plus rank two, with "
    "eigenvalues <v,h> +- |v||h| of opposite signs.",
    judge=judge,
    draw=draw,
    measure=measure,
    order=3,
)
