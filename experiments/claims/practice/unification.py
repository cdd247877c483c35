"""Soft-residual regression beside softmax and ResNet-style regression on the same instances.

Nobody has said that one of them is the easier one: this compares, cell by cell of the instances,
and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.claims.practice.unification_measure import measure
from experiments.kit.claim import Claim, Verdict
from experiments.kit.labels import PROBLEM_LABELS
from experiments.kit.legends import legend_above, ticks_at
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import Interval, cluster_bootstrap
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "headline", "ratio", "ratios"]

#: What is compared as a ratio: column and words.
COMPARED = {"condition": "condition of the Hessian at x*", "steps": "steps of exact Newton"}
#: The problems that soft-residual regression is compared with.
OTHERS = ("softmax", "resnet")

CAPTIONS = {
    "ratios": "Soft-residual regression over another problem on the same A and b, w^2 in the same "
    "ratio to each one's own curvature: geometric mean of the ratio over the seeds of a kind of "
    "instance with its 95% interval (bootstrap over seeds; none where there is one instance). "
    "Left of 1 soft-residual regression is the easier one",
    "by_kind": "The same as numbers, with how many instances each mean is of",
    "medians": "Medians by kind of instance and problem; the gap is (L(x_T) - L(x*)) / "
    "(L(x_0) - L(x*)), each problem's against its own optimum",
}


def ratio(table: pd.DataFrame, column: str, other: str) -> Interval:
    """Return the mean ratio, soft-residual over another problem, of the same instances.

    The mean is geometric; its 95% interval is a bootstrap's over seeds, all instances of a seed
    drawn together. Not a number at both ends where there is one seed, or no ratio at all.
    """
    wide = table.pivot_table(index=["run", "kind"], columns="problem", values=column)
    known = (wide["softres"] / wide[other]).replace([np.inf, 0.0], np.nan).dropna()
    seeds, logs = [run for run, _ in known.index], np.log(known.to_numpy(float))
    nan = float("nan")
    if len(set(seeds)) < 2:
        return Interval(float(np.exp(logs.mean())) if len(logs) else nan, nan, nan)
    return cluster_bootstrap(logs, seeds, _geometric_mean)


def _geometric_mean(logs: npt.NDArray[np.float64]) -> float:
    return float(np.exp(logs.mean()))


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return :func:`ratio` of every kind of instance, column and other problem, a row each."""
    rows: list[dict[str, Any]] = []
    for kind, cell in table.groupby("kind", sort=False):
        for column, words in COMPARED.items():
            for other in OTHERS:
                found = ratio(cell, column, other)
                rows.append(
                    {"kind": kind, "compared": words, "with": PROBLEM_LABELS[other]}
                    | {"ratio": found.value, "low": found.low, "high": found.high}
                    | {"instances": int((cell["problem"] == other).sum())}
                )
    return pd.DataFrame(rows)


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge nothing: nobody has made a statement that these comparisons could refute."""
    return []


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say how soft-residual compares with what it unifies, and on how many kinds of instances."""
    table = joined(runs)
    found = ratios(table)
    parts = []
    for (words, other), cell in found.groupby(["compared", "with"], sort=False):
        easier, harder = int((cell.high < 1).sum()), int((cell.low > 1).sum())
        parts.append(
            f"{words} {cell.ratio.min():.2g} to {cell.ratio.max():.2g} times that of {other} "
            f"regression, with an interval below 1 on {easier} and above 1 on {harder} of "
            f"{len(cell)}"
        )
    solved = int(table["converged"].astype(bool).sum())
    return (
        "Soft-residual regression on the same instances, by kind of instance: "
        f"{'; '.join(parts)}. Exact Newton solves {solved} of {len(table)} problems, each to its "
        f"own optimum (relative error at most {table['error'].max():.0e})."
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the ratios of every kind of instance with their intervals."""
    found = ratios(joined(runs))
    kinds = list(dict.fromkeys(found["kind"]))
    figure, axes = new_figure(DOUBLE, 0.7 + 0.24 * len(kinds), columns=len(COMPARED))
    for axis, words in zip(axes, COMPARED.values(), strict=True):
        for index, other in enumerate(OTHERS):
            cells = found[(found.compared == words) & (found["with"] == PROBLEM_LABELS[other])]
            places = np.array([kinds.index(kind) for kind in cells.kind]) + 0.24 * (index - 0.5)
            reach = np.array([cells.ratio - cells.low, cells.high - cells.ratio])
            style = look(other) | {"linestyle": ""}
            label = f"over {PROBLEM_LABELS[other]}"
            # One instance has no interval, and still a ratio.
            axis.errorbar(cells.ratio, places, xerr=np.nan_to_num(reach), label=label, **style)
        axis.axvline(1.0, color="0.25", linestyle=":", linewidth=1)
        axis.set(xlabel=f"ratio: {words}", ylim=(len(kinds) - 0.5, -0.5))
        axis.set_yticks(range(len(kinds)), labels=kinds if axis is axes[0] else [""] * len(kinds))
    axes[0].set_xscale("log")
    ticks_at(axes[0])
    axes[0].xaxis.set_major_formatter("{x:g}")
    legend_above(figure, axes[0])
    return {"ratios": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the ratios, and medians by kind of instance and problem."""
    table = joined(runs)
    columns = ["condition", "condition_on_path", "indefinite", "steps", "passes", "seconds", "gap"]
    medians = table.groupby(["kind", "problem"], sort=False)[columns].median().reset_index()
    return {"by_kind": ratios(table), "medians": medians}


CLAIM = Claim(
    id="unification",
    place="Sections 1 and 10 (our comparison)",
    statement="Soft-residual regression beside the two that it unifies, softmax and ResNet-style "
    "regression: how well conditioned each is, and how many Newton steps it takes.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    comparison=True,
    order=16,
)
