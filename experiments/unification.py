"""Soft-residual regression beside softmax and ResNet-style regression on the same instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats as distributions

from experiments._verdicts import counterexample, joined
from experiments.claim import Claim, Conclusion, Verdict
from experiments.runs import LoggedRun
from experiments.stats import Interval
from experiments.style import DOUBLE, look, new_figure
from experiments.unification_measure import EPS, PROBLEMS, measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


__all__ = ["CAPTIONS", "CLAIM", "headline", "ratio"]

#: What is compared as a ratio: column and words.
COMPARED = {"condition": "condition number of the Hessian at x*", "steps": "steps of exact Newton"}

CAPTIONS = {
    "comparison": "Exact Newton on three problems over the same A and b, w^2 in the same ratio to "
    "each one's own curvature: condition of the Hessian at x*, steps to a relative error of 1e-10 "
    "and largest number of negative eigenvalues on the way. A dot an instance, a bar the median",
    "medians": "Medians by instance kind; the gap is (L(x_T) - L(x*)) / (L(x_0) - L(x*)), each "
    "problem's against its own optimum",
}


def ratio(table: pd.DataFrame, column: str, other: str) -> Interval:
    """Return the mean ratio, soft-residual over another problem, of the same instances.

    The mean is geometric, its 95% interval Student's in the logarithm.
    """
    wide = table.pivot_table(index=["run", "kind"], columns="problem", values=column)
    logs = np.log((wide["softres"] / wide[other]).replace([np.inf, 0.0], np.nan).dropna())
    mean = float(logs.mean())
    reach = float("inf")
    if len(logs) > 1:
        quantile = float(distributions.t.ppf(0.975, len(logs) - 1))
        reach = quantile * float(logs.std(ddof=1)) / sqrt(len(logs))
    with np.errstate(over="ignore"):
        ends = np.exp([mean, mean - reach, mean + reach])
    return Interval(*(float(end) for end in ends))


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge that one method solves all three, and whether soft-residual is the harder one."""
    table = joined(runs)
    verdicts = [_solved(table, runs)]
    for column, words in COMPARED.items():
        verdicts += [_no_harder(table, runs, column, words, name) for name in ("softmax", "resnet")]
    return verdicts


def _solved(table: pd.DataFrame, runs: Sequence[LoggedRun]) -> Verdict:
    failed = table[~table["converged"].astype(bool)]
    worst = float(table["error"].max())
    indefinite = (table["indefinite"] > 0).groupby(table["problem"]).sum()
    met = ", ".join(f"{PROBLEMS[str(k)]} {int(v)}" for k, v in indefinite.items())
    return Verdict(
        statement="The same Newton method solves soft-residual, softmax and ResNet-style "
        "regression, each to its own optimum",
        conclusion=Conclusion.VIOLATED if len(failed) else Conclusion.HOLDS,
        measured=f"{len(table) - len(failed)} of {len(table)} solved, "
        f"relative error <= {worst:.1e}",
        bound=f"{EPS:.0e}",
        cases=len(table),
        reason=f"Instances with an indefinite Hessian on the way: {met}. The largest gap in a "
        f"problem's own loss is {table['gap'].max():.1e} of its fall.",
        looseness=EPS / worst if worst > 0 else None,
        counterexample=counterexample(runs, failed.iloc[0]["run"]) if len(failed) else None,
    )


def _no_harder(
    table: pd.DataFrame, runs: Sequence[LoggedRun], column: str, words: str, other: str
) -> Verdict:
    found = ratio(table, column, other)
    if found.high <= 1:
        conclusion = Conclusion.HOLDS
    elif found.low > 1:
        conclusion = Conclusion.VIOLATED
    else:
        conclusion = Conclusion.UNDECIDED
    finding = None
    if conclusion is Conclusion.VIOLATED:
        wide = table.pivot_table(index=["run", "kind"], columns="problem", values=column)
        worst = int(np.nanargmax((wide["softres"] / wide[other]).to_numpy()))
        finding = counterexample(runs, str(wide.reset_index()["run"].iloc[worst]))
    cases = int((table["problem"] == other).sum())
    return Verdict(
        statement=f"Soft-residual regression is no harder than {PROBLEMS[other]} regression: "
        f"{words}",
        conclusion=conclusion,
        measured=f"ratio {found:.3g}",
        bound="1",
        cases=cases,
        reason="Geometric mean of the ratio over the same instances with its 95% interval; holds "
        "if the interval ends at 1 or below, violated if it starts above. Losses are different "
        "functions and are not compared.",
        looseness=1 / found.value,
        counterexample=finding,
    )


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say how soft-residual compares with what it unifies."""
    table = joined(runs)
    parts = [
        f"{words} {ratio(table, column, 'softmax'):.2g} times softmax's and "
        f"{ratio(table, column, 'resnet'):.2g} times the ResNet-style one's"
        for column, words in COMPARED.items()
    ]
    return f"Soft-residual regression on the same instances: {'; '.join(parts)} (95% intervals)."


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw condition, steps and negative eigenvalues of the three problems."""
    table = joined(runs)
    figure, axes = new_figure(DOUBLE, 2.2, columns=3)
    panels = (
        ("condition", "condition of the Hessian at x*"),
        ("steps", "steps of exact Newton"),
        ("indefinite", "negative eigenvalues met"),
    )
    kinds = list(dict.fromkeys(table["kind"]))
    shift = dict(zip(kinds, np.linspace(-0.25, 0.25, len(kinds)), strict=True))
    for axis, (column, label) in zip(axes, panels, strict=True):
        for number, name in enumerate(PROBLEMS):
            part = table[table["problem"] == name].replace(np.inf, np.nan)
            style = look(name) | {"linestyle": ""}
            axis.plot(number + part["kind"].map(shift), part[column], alpha=0.6, **style)
            middle = float(part[column].median())
            axis.plot([number - 0.33, number + 0.33], [middle] * 2, color="0.15", linewidth=1.2)
        axis.set_xticks(range(len(PROBLEMS)), list(PROBLEMS.values()))
        axis.set_xlim(-0.6, len(PROBLEMS) - 0.4)
        axis.set_ylabel(label)
    axes[0].set_yscale("log")
    axes[1].set_ylim(bottom=0)
    axes[2].locator_params(axis="y", integer=True)
    return {"comparison": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return medians by kind of instance and problem."""
    table = joined(runs)
    columns = ["condition", "condition_on_path", "indefinite", "steps", "passes", "seconds", "gap"]
    medians = table.groupby(["kind", "problem"], sort=False)[columns].median().reset_index()
    return {"medians": medians}


CLAIM = Claim(
    id="unification",
    place="Sections 1 and 10 (our comparison)",
    statement="Soft-residual regression unifies softmax and ResNet-style regression, and is as "
    "tractable as they are.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
)
