"""Lemma A.8: a few reweighted rows stand for A^T D A, spectrally, and cheaply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments._figures import legend_above, ticks_at
from experiments._verdicts import command, counterexample, joined, row_of_largest
from experiments.claim import Claim, Conclusion, Counterexample, Verdict
from experiments.runs import LoggedRun
from experiments.sparsifier_measure import SKETCHES, measure
from experiments.stats import clopper_pearson, fit_line
from experiments.style import DOUBLE, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "draw", "judge", "measure"]

#: The lemma allows time nnz(A) times logarithms: an exponent this much above one is not that.
TOLERANCE = 0.2


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the failure rate of leverage sampling, and how its time grows."""
    table = joined(runs, "data.rows", "experiment.delta")
    errors = table[table.part == "error"]
    verdicts = []
    if len(errors):
        delta, C = (float(runs[0].number(f"experiment.{key}")) for key in ("delta", "constant"))
        proven = proven_eps0(errors.rows, errors.rows / errors.rows_over_d, delta)
        verdicts = [
            _accuracy(runs, errors.assign(eps0=proven), "with a C that can be proven"),
            _accuracy(runs, errors, f"with C = {C:g}, an option of the solver"),
        ]
    times = table[table.part == "time"]
    valid = all(run.tags.get("timing_valid") == "true" for run in runs)
    if len(times):
        verdicts.append(_time(runs, times, valid))
    return verdicts


def proven_eps0(rows: Any, d: Any, delta: float) -> Any:
    """Return the eps0 that a matrix Chernoff bound proves for s rows and exact scores.

    It solves s = 2 (1 + eps0 / 3) eps0^-2 d log(2 d / delta) for eps0.
    """
    a = 2.0 * d * np.log(2.0 * d / delta) / rows
    return (a / 3.0 + np.sqrt(a * a / 9.0 + 4.0 * a)) / 2.0


def _rates(errors: pd.DataFrame) -> pd.DataFrame:
    """Return failures by sketch, kind of A and rows, with intervals that hold together."""
    cells = errors.groupby(["sketch", "data.rows", "rows_over_d"])
    level = 1 - 0.05 / max(1, len(cells))
    found = []
    for (sketch, kind, over), cell in cells:
        failures = int((cell.error > cell.eps0).sum())
        interval = clopper_pearson(failures, len(cell), level)
        found.append(
            {
                "sketch": sketch,
                "A": kind,
                "rows / d": over,
                "eps0 promised": cell.eps0.iloc[0],
                "median error": cell.error.median(),
                "largest error": cell.error.max(),
                "failures": failures,
                "trials": len(cell),
                "share, low": interval.low,
                "share, high": interval.high,
            }
        )
    return pd.DataFrame(found)


def _accuracy(runs: Sequence[LoggedRun], errors: pd.DataFrame, statement: str) -> Verdict:
    delta = float(errors["experiment.delta"].iloc[0])
    # The lemma speaks of eps0 below one; few rows promise nothing.
    errors = errors[errors.eps0 < 1]
    rates = _rates(errors)
    ours = rates[rates.sketch == "leverage"]
    trials, failures = int(ours.trials.sum()), int(ours.failures.sum())
    pooled = clopper_pearson(failures, trials)
    if (ours["share, low"] > delta).any() or pooled.low > delta:
        conclusion = Conclusion.VIOLATED
    else:
        conclusion = Conclusion.HOLDS if pooled.high <= delta else Conclusion.UNDECIDED
    own = errors[errors.sketch == "leverage"]
    worst = row_of_largest(own, own.error / own.eps0)
    reason = (
        f"{failures} of {trials} sketches exceed their eps0 over {len(ours)} cells of rows and "
        f"kinds of A; the typical error is {float((own.eps0 / own.error).median()):.2g} times "
        "smaller than promised."
    )
    for name, part in rates[rates.A == "coherent"].groupby("sketch"):
        share = part.failures.sum() / part.trials.sum()
        reason += f" {name} on coherent A: {share:.0%} fail." if name != "leverage" else ""
    violated = conclusion is Conclusion.VIOLATED
    return Verdict(
        statement=f"leverage sampling keeps A^T D A within eps0 with 1 - delta: {statement}",
        conclusion=conclusion,
        measured=f"failures {pooled:.2g}",
        bound=f"delta = {delta:g}",
        looseness=float(worst.eps0 / worst.error),
        cases=trials,
        reason=reason,
        counterexample=counterexample(runs, str(worst.run), "worst.npz") if violated else None,
    )


def _medians(times: pd.DataFrame) -> pd.DataFrame:
    return times.groupby(["nnz", "sketch"]).seconds.median().unstack()


def _time(runs: Sequence[LoggedRun], times: pd.DataFrame, valid: bool) -> Verdict:
    medians, sketched = _medians(times), times[times.sketch == "leverage"]
    line = fit_line(np.log(sketched.nnz), np.log(sketched.seconds))
    ratio = float((medians.leverage / medians.exact).iloc[-1])
    limit = 1 + TOLERANCE
    conclusion = Conclusion.UNDECIDED
    if valid and line.slope.low > limit:
        conclusion = Conclusion.VIOLATED
    elif valid and line.slope.high <= limit:
        conclusion = Conclusion.HOLDS
    return Verdict(
        statement="scores and sample cost about nnz(A)",
        counterexample=Counterexample(runs[0], command(runs[0]))
        if conclusion is Conclusion.VIOLATED
        else None,
        conclusion=conclusion,
        measured=f"exponent in nnz {line.slope}",
        bound=f"1, up to logarithms; {limit:g} tolerated",
        looseness=None,
        cases=len(times),
        reason=(
            f"At nnz = {medians.index[-1]:.2g} and d = {int(times.width.iloc[0])} it takes "
            f"{ratio:.2g} times as long as the exact Gram matrix: linear growth says nothing of "
            "the constant."
        ),
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw errors against rows for each kind of A, and seconds against nnz."""
    table = joined(runs, "data.rows", "experiment.delta")
    errors = table[table.part == "error"]
    kinds = sorted(errors["data.rows"].unique(), reverse=True)
    figure, axes = new_figure(DOUBLE, columns=max(1, len(kinds)))
    for axis, kind in zip(axes, kinds, strict=True):
        part = errors[errors["data.rows"] == kind]
        for name in SKETCHES:
            cells = part[part.sketch == name].groupby("rows_over_d").error
            style = look(name)
            axis.plot(cells.median(), label=name.replace("_", " "), **style)
            low, high = cells.quantile(0.2), cells.quantile(0.8)
            axis.fill_between(low.index, low, high, color=style["color"], alpha=0.2, linewidth=0)
        promised = part.groupby("rows_over_d").eps0.first()
        axis.plot(promised, label="$\\epsilon_0$ of the lemma", **look("bound"))
        axis.set(
            xscale="log", yscale="log", xlabel="rows drawn / d", ylabel=f"spectral error, {kind} A"
        )
        ticks_at(axis, [float(over) for over in promised.index if over == int(over)])
    legend_above(figure, axes[0])
    figures = {"sparsifier": figure}
    times = table[table.part == "time"]
    if len(times):
        figure, (axis,) = new_figure()
        for name, words in (("exact", "exact Gram matrix"), ("leverage", "scores and sample")):
            style = look("uniform" if name == "exact" else name)
            axis.plot(_medians(times)[name], label=words, **style)
        axis.set(xscale="log", yscale="log", xlabel="nnz(A)", ylabel="seconds")
        legend_above(figure, axis)
        figures["sparsifier_time"] = figure
    return figures


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the failure rates of every sketch."""
    table = joined(runs, "data.rows", "experiment.delta")
    return {"sparsifier": _rates(table[table.part == "error"])}


CLAIM = Claim(
    id="sparsifier",
    place="Lemma A.8",
    statement="s = C eps0^-2 d log(d/delta) rows drawn by leverage scores keep A^T D A within eps0",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
)
