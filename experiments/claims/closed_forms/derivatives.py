"""What the claims on the gradient and on the Hessian share: judging and drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.claims.bounds.bounded import legend_in_columns, row_at
from experiments.claims.closed_forms.formulas import MODELS
from experiments.claims.closed_forms.references import DIGITS
from experiments.kit.claim import Author, Conclusion, Counterexample, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import command, undecided

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_errors", "judge_errors"]

#: Who states a problem's closed form; the others' are ours.
AUTHORS = {"softres": Author.PAPER, "softmax": Author.FAMILY}


def judge_errors(
    runs: Sequence[LoggedRun], what: str, lemma: str, tolerance: float, chain: Sequence[str]
) -> list[Verdict]:
    """Judge the closed form of every problem, then the lemma's chain for soft-residual.

    The paper states soft-residual regression's, its family softmax regression's. Those of the other
    problems follow from ours for any link.
    """
    frames = [run.table.assign(run=k) for k, run in enumerate(runs)]
    if not frames:
        reason = "No finished run."
        return [undecided(what, reason, bound=f"{tolerance:.0e}")]
    data = pd.concat(frames, ignore_index=True)
    losses = data[data["part"] == "loss"]
    verdicts = []
    for model, cases in losses.groupby("model", sort=False):
        author = AUTHORS.get(str(model), Author.OURS)
        place = f" ({lemma})" if author is Author.PAPER else ""
        found = _judge(runs, cases, f"{what} of {model}{place}", tolerance)
        verdicts.append(replace(found, author=author, derived=author is Author.OURS))
    rest = data[data["part"] != "loss"]
    missing = sorted(set(chain) - set(rest["part"]))
    statement = f"{what} of softres, step by step ({lemma}): {', '.join(chain)}"
    if missing:
        reason = f"Not measured: {', '.join(missing)}."
        bound = f"{tolerance:.0e}"
        found = Verdict(statement, Conclusion.UNDECIDED, "-", bound, 0, reason)
    else:
        found = _judge(runs, rest, statement, tolerance)
    return [*verdicts, replace(found, author=Author.PAPER)]


def _judge(
    runs: Sequence[LoggedRun], cases: pd.DataFrame, statement: str, tolerance: float
) -> Verdict:
    errors = cases[["autodiff", "mpmath"]]
    # A NaN in the error itself, not in a comparison that was left out, is a failure.
    error = errors.max(axis=1).where(cases["autodiff"].notna(), np.inf)
    worst = row_at(cases, int(error.to_numpy().argmax()))
    largest = float(error.max())
    exact = int(cases["mpmath"].notna().sum())
    against = "torch's automatic differentiation"
    if exact:
        against += f"; {exact} of them with {DIGITS}-digit arithmetic too"
    holds = largest <= tolerance
    run = runs[int(worst["run"])]
    return Verdict(
        statement=statement,
        conclusion=Conclusion.HOLDS if holds else Conclusion.VIOLATED,
        measured=f"relative error {largest:.1e} ({worst['part']}, R={run.params.get('R')})",
        bound=f"{tolerance:.0e}",
        cases=len(cases[["run", "model", "case"]].drop_duplicates()),
        reason=f"Compared with {against}. Points with alpha >= 0.1 n only.",
        looseness=tolerance / largest if 0 < largest < np.inf else None,
        counterexample=None if holds else Counterexample(run, command(run), "worst.npz"),
    )


def draw_errors(runs: Sequence[LoggedRun], tolerance: float) -> Figure:
    """Draw the largest relative error of each problem against both references, by R."""
    frames = [run.table.assign(R=run.params.get("R")) for run in runs]
    data = pd.concat(frames, ignore_index=True)
    data = data[data["part"] == "loss"]
    models = [model for model in MODELS if model in set(data["model"])]
    figure, axes = new_figure(height=2.8)
    axis = axes[0]
    radii = sorted(data["R"].unique(), key=float)
    for k, radius in enumerate(radii):
        largest = data[data["R"] == radius].groupby("model")[["autodiff", "mpmath"]].max()
        for column, filled in (("mpmath", True), ("autodiff", False)):
            values = [largest[column].get(model, np.nan) for model in models]
            axis.plot(
                np.maximum(values, 1e-17),
                np.arange(len(models)) + 0.2 * (k - (len(radii) - 1) / 2),
                linestyle="none",
                marker=look("", k)["marker"],
                markersize=4,
                color=look("", k)["color"],
                markerfacecolor=None if filled else "none",
                label=f"{column}, R={radius}",
            )
    axis.axvline(tolerance, **(look("bound") | {"marker": None}))
    axis.set_xscale("log")
    axis.set_yticks(range(len(models)), models)
    axis.invert_yaxis()
    axis.set_xlabel("largest relative error")
    legend_in_columns(figure)
    return figure
