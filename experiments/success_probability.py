"""Theorem 9.1 and Lemma A.8: how often the random part fails, against delta."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments._figures import legend_above
from experiments._verdicts import counterexample, joined, row_of_largest
from experiments.claim import Claim, Conclusion, Verdict
from experiments.runs import LoggedRun
from experiments.stats import Interval, clopper_pearson
from experiments.style import DOUBLE, look, new_figure
from experiments.success_probability_measure import measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "draw", "judge", "measure"]

PARTS = {
    "sparsifier": "one sparsifier is within eps0 of A^T D A",
    "run": "a run of Algorithm 1 meets eps within the steps that the factor 0.4 predicts",
}


def _shares(table: pd.DataFrame) -> pd.DataFrame:
    """Return the share of failures of each part and C with its exact interval."""
    rows = []
    for (part, C), cell in table.groupby(["part", "C"]):
        failures, trials = int(cell.failed.sum()), len(cell)
        share = clopper_pearson(failures, trials)
        rows.append(
            {
                "part": part,
                "C": C,
                "failures": failures,
                "trials": trials,
                "share": share.value,
                "low": share.low,
                "high": share.high,
                "instances": cell.run.nunique(),
                "largest": cell.measured.max(),
            }
        )
    return pd.DataFrame(rows)


def _table(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    return joined(runs, "experiment.delta")


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge failures of the sparsifier and of whole runs against delta, for each C."""
    table = _table(runs)
    delta = float(table["experiment.delta"].iloc[0])
    verdicts = []
    for row in _shares(table).to_dict("records"):
        share = Interval(float(row["share"]), float(row["low"]), float(row["high"]))
        conclusion = Conclusion.UNDECIDED
        if share.low > delta:
            conclusion = Conclusion.VIOLATED
        elif share.high <= delta:
            conclusion = Conclusion.HOLDS
        part, C = str(row["part"]), float(row["C"])
        cell = table[(table.part == part) & (table.C == C)]
        worst = row_of_largest(cell, cell.measured)
        what = "spectral error over eps0" if part == "sparsifier" else "steps over those predicted"
        example = None
        if conclusion is Conclusion.VIOLATED:
            example = counterexample(
                runs, str(worst.run), "worst.npz" if part == "sparsifier" else ""
            )
        verdicts.append(
            Verdict(
                statement=f"{PARTS[part]} with probability 1 - delta, C = {C:g}",
                conclusion=conclusion,
                measured=f"{row['failures']} failures, share {share:.2g}",
                bound=f"delta = {delta:g}",
                looseness=delta / share.high,
                cases=int(row["trials"]),
                reason=(
                    f"{row['trials']} independent repetitions on {row['instances']} instances, "
                    f"exact binomial 95% interval; the largest {what} is {row['largest']:.3g}. "
                    "C is an option of the solver: the paper leaves the constant of s open, so "
                    "this is of the constant, and not yet of the theorem."
                ),
                counterexample=example,
            )
        )
    return verdicts


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the distribution of what could have failed, by C."""
    table = _table(runs)
    figure, axes = new_figure(DOUBLE, columns=2)
    labels = {
        "sparsifier": "spectral error / $\\epsilon_0$",
        "run": "steps / predicted steps",
    }
    for axis, (part, label) in zip(axes, labels.items(), strict=True):
        for index, (C, cell) in enumerate(table[table.part == part].groupby("C")):
            ordered = np.sort(cell.measured.to_numpy())
            above = 1.0 - np.arange(len(ordered)) / len(ordered)
            style = look("", index) | {"marker": ""}
            axis.step(ordered, above, where="post", label=f"C = {C:g}", **style)
        axis.axvline(1.0, color="0.25", linestyle=":", linewidth=1)
        axis.axhline(float(table["experiment.delta"].iloc[0]), label="$\\delta$", **look("bound"))
        axis.set(yscale="log", xlabel=label, ylabel="share at or above")
    legend_above(figure, axes[0])
    return {"success_probability": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return failures and their intervals."""
    return {"success_probability": _shares(_table(runs))}


CLAIM = Claim(
    id="success_probability",
    place="Theorem 9.1, Lemma A.8",
    statement="the random part fails with probability at most delta",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
)
