"""Theorem 9.1: the number of steps grows like log(|x0 - x*| / eps)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from experiments.claims.contraction.near_minimiser import LARGEST_EPS0
from experiments.kit.cells import sight
from experiments.kit.claim import Author, Claim, Conclusion, Verdict
from experiments.kit.labels import PROBLEM_LABELS
from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import Interval, fit_line
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import counterexample, row_of_largest
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "SLOPE", "draw", "judge", "steps_to"]

#: Steps per natural logarithm of |x0 - x*| / eps that a factor of 0.4 a step gives.
SLOPE = 1.0 / log(1.0 / CONTRACTION)
#: The relative errors to reach.
GOALS = tuple(10.0**-k for k in range(2, 13))
#: Growth beyond linear: the slope of the last goals over that of the first, at most.
BEND = 1.5
#: Where the data term falls by a smaller share than this from x0 to x*, nothing was fitted.
FITTED = 1e-2
#: How the paper's own problem is called in a statement.
THEIRS = "softres"
REGIMES = {"theorem": "the theorem's weights", "relative": "practical weights"}


def steps_to(trace: pd.DataFrame, goals: Sequence[float] = GOALS) -> pd.DataFrame:
    """Return the first step at which each goal is met, for the goals that are met.

    A goal at or below the run's last error only; the start's distance cancels, for errors are
    relative to it.
    """
    error = trace.relative_error_l2.to_numpy()
    step = trace.step.to_numpy()
    met = [(log(1.0 / goal), int(step[error <= goal][0])) for goal in goals if error.min() <= goal]
    return pd.DataFrame(met, columns=["logarithm", "steps"])


def _fits(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    """Fit a line to each run; slopes of its first and last goals show whether it bends."""
    rows: list[dict[str, Any]] = []
    for run in runs:
        trace = run.table
        counts = steps_to(trace)
        eps = float(run.params["eps"])
        wanted = [goal for goal in GOALS if goal >= eps * (1 - 1e-9)]
        row: dict[str, Any] = {
            "run": run.run_id,
            "problem": run.params["problem"],
            "n": int(run.params["n"]),
            "d": int(run.params["d"]),
            "eps0": float(run.params.get("solver.eps0", "nan")),
            "weights": run.params["weights"],
            "goals met": len(counts),
            "goals": len(wanted),
            "rows": float(trace["rows_distinct"].dropna().mean())
            if "rows_distinct" in trace
            else float("nan"),
        }
        if "data_loss" in trace:
            loss = trace.data_loss.to_numpy()
            row["fitted"] = float(1.0 - loss[-1] / loss[0])
        if len(counts) >= 6:
            half = len(counts) // 2
            line = fit_line(counts.logarithm, counts.steps)
            first, last = counts.iloc[: half + 1], counts.iloc[half:]
            row |= {
                "slope": line.slope.value,
                "intercept": line.intercept.value,
                "first": fit_line(first.logarithm, first.steps).slope.value,
                "last": fit_line(last.logarithm, last.steps).slope.value,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _mean(values: pd.Series[float], cells: pd.Series[Any]) -> Interval:
    """Return the mean over cells with its t-interval; the runs of a cell count as one."""
    means = values.groupby(cells).mean()
    mean, count = float(means.mean()), len(means)
    if count < 2:
        return Interval(mean, float("-inf"), float("inf"))
    reach = float(stats.t.ppf(0.975, count - 1)) * float(means.std()) / sqrt(count)
    return Interval(mean, mean - reach, mean + reach)


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge growth and slope, where the theorem speaks and for each way beyond it."""
    fits = _fits(runs)
    scopes = [_scope(row) for row in fits.itertuples()]
    verdicts = [_verdict(runs, group, str(where)) for where, group in fits.groupby(scopes)]
    return sorted(verdicts, key=lambda v: v.author is not Author.PAPER)


def _scope(row: Any) -> str:
    """Return which statement a run belongs to."""
    where = f"{REGIMES.get(row.weights, row.weights)}, eps0 = {row.eps0:g}"
    if row.weights != "theorem" or row.eps0 > LARGEST_EPS0:
        return f"{where}, all problems"
    return f"{where}, {THEIRS if row.problem == 'softres' else 'softmax and ResNet-style'}"


def _verdict(runs: Sequence[LoggedRun], group: pd.DataFrame, where: str) -> Verdict:
    short = group[group["goals met"] < group.goals]
    real = int((group.rows < group.n).sum())
    if "slope" not in group or group.slope.isna().all():
        slope = intercept = Interval(float("nan"), float("nan"), float("nan"))
        steepest = bend = float("inf")
        worst = group.iloc[0]
    else:
        fitted = group.dropna(subset=["slope"])
        # Problems of one size and seed share A, and seeds of one size repeat it.
        slope, intercept = _mean(fitted.slope, fitted.n), _mean(fitted.intercept, fitted.n)
        # Each kind of problem has to hold by itself: a mean must not hide one that does not.
        steepest = float(fitted.groupby(["problem", "n"]).slope.mean().max())
        bend = float(fitted["last"].mean() / max(1e-12, float(fitted["first"].mean())))
        worst = row_of_largest(fitted, fitted.slope)
    linear = bend <= BEND
    if len(short) or steepest > SLOPE or not linear:
        conclusion = Conclusion.VIOLATED
    else:
        conclusion = Conclusion.HOLDS if slope.high <= SLOPE else Conclusion.UNDECIDED
    fitted_share = float(group.fitted.max()) if "fitted" in group else float("nan")
    if conclusion is Conclusion.HOLDS and fitted_share < FITTED:
        conclusion = Conclusion.EMPTY
    culprit = short.iloc[0] if len(short) else worst
    violated = conclusion is Conclusion.VIOLATED
    return Verdict(
        statement=f"T = O(log(|x0 - x*|/eps)) with at most 1/ln 2.5 steps a nat: {where}",
        conclusion=conclusion,
        measured=f"slope {slope}, intercept {intercept}",
        bound=f"{SLOPE:.3f}",
        looseness=SLOPE / slope.value,
        cases=len(group),
        reason=(
            f"{len(group)} runs of {group.problem.nunique()} problems and {group.n.nunique()} "
            f"sizes; {len(short)} miss a goal; the slope of the last goals is {bend:.2g} times "
            f"that of the first (linear up to {BEND:g}); steepest kind {steepest:.3g}. Sampling "
            f"left rows out in {real} of the runs. From x0 to x* the data term falls by at most "
            f"{fitted_share:.2g} of itself. The solver keeps the rank-two part of the Hessian and "
            f"safeguards its steps. {'' if violated else sight(group.n.nunique())}"
        ).strip(),
        counterexample=counterexample(runs, str(culprit.run)) if violated else None,
        author=Author.PAPER if where.endswith(THEIRS) else Author.OURS,
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw steps against the goal, by problem, beside the theorem's line."""
    rules = sorted({(r.params["weights"], float(r.params.get("solver.eps0", "nan"))) for r in runs})
    columns = min(2, len(rules))
    figure, axes = new_figure(DOUBLE, columns=columns, rows=-(-len(rules) // columns))
    for axis, (weights, eps0) in zip(axes, rules, strict=False):
        chosen = [
            run
            for run in runs
            if run.params["weights"] == weights
            and float(run.params.get("solver.eps0", "nan")) == eps0
        ]
        problems = sorted({run.params["problem"] for run in chosen})
        for index, problem in enumerate(problems):
            counts = pd.concat(
                steps_to(run.table) for run in chosen if run.params["problem"] == problem
            )
            cells = counts.groupby("logarithm").steps
            # Side by side, for problems take as good as the same steps.
            goals = np.exp(-cells.median().index.to_numpy())
            goals = goals * 1.7 ** (index - (len(problems) - 1) / 2)
            style, middle = look(problem) | {"linewidth": 0.7}, cells.median()
            reach = np.array([middle - cells.min(), cells.max() - middle])
            label = PROBLEM_LABELS.get(problem, problem)
            axis.errorbar(goals, middle, yerr=reach, elinewidth=1.4, label=label, **style)
        goals = np.array(GOALS)
        axis.plot(goals, SLOPE * np.log(1 / goals), label="theorem", **look("bound"))
        axis.set(
            xscale="log",
            ylim=(0.0, None),
            xlabel=f"relative error reached\n({weights} weights, $\\epsilon_0$ = {eps0:g})",
            ylabel="steps",
        )
        axis.invert_xaxis()
    for axis in axes[len(rules) :]:
        axis.set_axis_off()
    legend_above(figure, axes[0])
    return {"iterations": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return slopes and intercepts of every group."""
    fits = _fits(runs)
    keys = ["weights", "eps0", "problem", "n"]
    columns = [name for name in ("slope", "intercept", "first", "last", "rows") if name in fits]
    return {"iterations": fits.groupby(keys)[columns].mean()}


CLAIM = Claim(
    id="iterations",
    place="Theorem 9.1",
    statement="T = O(log(|x0 - x*| / eps)) steps reach |x_T - x*| <= eps",
    judge=judge,
    draw=draw,
    tables=tables,
    order=11,
)
