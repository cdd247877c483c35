"""Figures and tables of the real instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.claims.practice.large_data_measure import DEFAULT
from experiments.kit.labels import PROBLEM_LABELS, solver_label
from experiments.kit.legends import legend_above, ticks_at
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "against_others", "draw", "tables"]

#: Errors below this are rounding.
FLOOR = 1e-14
#: Rows of a table of residuals, and positions of the attention figure.
SHOWN = 12
POSITIONS = 40

#: Assumptions of Theorem 9.1 by the column that says whether they hold.
ASSUMPTIONS = {
    "holds_A_norm": "|A| <= R",
    "holds_x_norm": "|x*| <= R",
    "holds_weights": "min w^2 >= C + l / sigma_min^2",
    "holds_target": "b >= 0, sum(b) <= 1",
    "holds_alpha": "alpha >= beta on the way",
    "holds_start": "M |x0 - x*| <= 0.1 l",
}

CAPTIONS = {
    "convergence": "The default solver on real data: error in the norm of the Hessian at x*, "
    "relative to the start, against steps; a line that stays up ended near another minimiser",
    "seconds": "Solver seconds to a relative error of 1e-8 in the norm of the Hessian at x*, by "
    "instance; no mark where a solver did not get there within the time limit",
    "attention": "What the last token of a text pays to the others (black), the 40 largest in "
    "order, and how each problem fits it from the keys",
    "instances": "The instances at their minimisers: rank of A, condition of A and of the Hessian, "
    "|f - b|^2 over that at the start, divergence of b from f in nats where f > 0 and the share of "
    "b elsewhere, and how many of the theorem's assumptions hold",
    "solvers": "Every solver: how it ended, steps, solver seconds, passes over A and weighted Gram "
    "matrices, the error relative to the start in the norm of the Hessian at x*, and the error "
    "left to the minimiser that it ended near",
    "assumptions": "Which assumptions of Theorem 9.1 hold on real data, with relative weights that "
    "leave something to fit, and A as it comes (R = |A|); empty where one does not apply",
    "residuals": "Where soft-residual regression fits worst: the rows of largest |f - b|, by name",
    "query": "One attention row of one head, which a query fits exactly: relative error of the "
    "query that softmax regression without weights recovers",
}


def _arrays(run: LoggedRun, name: str) -> dict[str, Any]:
    with np.load(run.artifact(f"{name}.npz")) as stored:
        return dict(stored)


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw convergence, times, and an attention row where there is one."""
    table = joined(runs)
    figures = {"convergence": _convergence(runs, table), "seconds": _seconds(table)}
    found = [run for run in runs if (run.table["data"] == "attention_smollm2").any()]
    if found:
        figures["attention"] = _attention(found)
    return figures


def against_others(table: pd.DataFrame) -> pd.Series[float]:
    """Return the default solver's seconds to 1e-8 over the best other's, where it gets there.

    A solver that does not reach 1e-8 counts as slower.
    """
    keys = ["run", "data", "problem"]
    wide = table.pivot_table(index=keys, columns="solver", values="seconds_8")
    if DEFAULT not in wide or len(wide.columns) < 2:
        return pd.Series(dtype=float)
    wide = wide[wide[DEFAULT].notna()]
    return wide[DEFAULT] / wide.drop(columns=DEFAULT).min(axis=1).fillna(np.inf)


def _present(table: pd.DataFrame) -> list[str]:
    return [name for name in PROBLEM_LABELS if (table["problem"] == name).any()]


def _convergence(runs: Sequence[LoggedRun], table: pd.DataFrame) -> Figure:
    problems, names = _present(table), sorted(table["data"].unique())
    figure, axes = new_figure(DOUBLE, 2.7, columns=len(problems))
    for axis, problem in zip(axes, problems, strict=True):
        for run in runs:
            first = run.table.iloc[0]
            traces = _arrays(run, "traces")
            if first["problem"] != problem or "preconditioned_newton" not in traces:
                continue
            errors = np.maximum(traces["preconditioned_newton"][:, 1], FLOOR)
            style = look(first["data"], names.index(first["data"]))
            every = max(1, len(errors) // 6)
            axis.plot(np.arange(len(errors)), errors, label=first["data"], markevery=every, **style)
        axis.set(yscale="log", xlabel="step")
        axis.set_title(PROBLEM_LABELS[problem])
    axes[0].set_ylabel(r"$|x-x^*|_{H}$, relative")
    _legend(figure, axes)
    return figure


def _legend(figure: Figure, axes: Sequence[Any]) -> None:
    """Put the legend of the axis with the most lines above all."""
    legend_above(figure, max(axes, key=lambda axis: len(axis.get_legend_handles_labels()[1])))


def _seconds(table: pd.DataFrame) -> Figure:
    problems, names = _present(table), sorted(table["data"].unique())
    solvers = sorted(table["solver"].unique())
    times = table["seconds_8"].dropna()
    shortest, longest = (times.min(), times.max()) if len(times) else (1.0, 1.0)
    figure, axes = new_figure(DOUBLE, 2.7, columns=len(problems))
    for axis, problem in zip(axes, problems, strict=True):
        for index, solver in enumerate(solvers):
            part = table[(table["problem"] == problem) & (table["solver"] == solver)]
            style = look(solver, index) | {"linestyle": ""}
            heights = [names.index(name) for name in part["data"]]
            axis.plot(part["seconds_8"], heights, label=solver_label(solver), **style)
        limits = (0.5 * shortest, 2.0 * longest)
        axis.set(xscale="log", xlabel="solver time (s)", xlim=limits)
        axis.set(ylim=(-0.5, len(names) - 0.5))
        ticks_at(axis)
        axis.set_yticks(range(len(names)), labels=names if axis is axes[0] else [""] * len(names))
        axis.set_title(PROBLEM_LABELS[problem])
    _legend(figure, axes)
    return figure


def _attention(runs: Sequence[LoggedRun]) -> Figure:
    figure, (axis,) = new_figure(DOUBLE, 2.4)
    drawn = False
    for index, run in enumerate(runs):
        kept, problem = _arrays(run, "rows"), str(run.table["problem"].iloc[0])
        # The plain problem's target is n b.
        scale = float(run.table["n"].iloc[0]) if problem == "resnet" else 1.0
        place = np.arange(1, 1 + min(POSITIONS, len(kept["heaviest_b"])))
        target, f = (kept[f"heaviest_{key}"][: len(place)] / scale for key in ("b", "f"))
        if not drawn:
            axis.plot(place, target, color="black", linewidth=0.8, label="attention")
            drawn = True
        style = look(problem, index) | {"linestyle": ""}
        axis.plot(place, np.maximum(f, 1e-7), label=PROBLEM_LABELS.get(problem, problem), **style)
    axis.set(yscale="log", xlabel="token, by attention", ylabel="share")
    legend_above(figure, axis)
    return figure


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return instances, solvers, the worst fitted rows by name, and the recovered query."""
    table = joined(runs).sort_values(["data", "problem"], kind="stable")
    once = table.drop_duplicates(["data", "problem"])
    holds = [column for column in once if str(column).startswith("holds_")]
    met = once[holds].eq(True).sum(axis=1)  # an assumption that does not apply is missing
    of = once[holds].notna().sum(axis=1)
    columns = ["data", "problem", "n", "d", "rank", "condition_A", "condition", "relative_loss"]
    instances = once[[*columns, "kl", "unfit"]].assign(
        assumptions=[f"{a} of {b}" for a, b in zip(met, of, strict=True)]
    )
    columns = ["data", "problem", "solver", "status", "steps", "seconds", "passes", "grams"]
    columns += ["rows_read"] if "rows_read" in table else []
    found = {
        "instances": instances.rename(columns=_words),
        "solvers": table[[*columns, "error", "left"]].rename(columns=_words),
    }
    known = [column for column in ASSUMPTIONS if column in once]
    found["assumptions"] = once[["data", "problem", *known]].rename(columns=ASSUMPTIONS)
    worst = _residuals(runs)
    if len(worst):
        found["residuals"] = worst
    if "query_error" in once and once["query_error"].notna().any():
        query = once[once["query_error"].notna()]
        found["query"] = query[["data", "n", "d", "query_error", "query_steps"]].rename(
            columns=_words
        )
    return found


def _words(column: str) -> str:
    return str(column).replace("_", " ")


def _residuals(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    """Return the worst fitted rows of soft-residual regression on each instance."""
    parts = []
    for run in runs:
        first = run.table.iloc[0]
        if first["problem"] == "softres":
            kept = _arrays(run, "rows")
            part = {"row": kept["worst"], "b": kept["worst_b"], "f": kept["worst_f"]}
            parts.append(pd.DataFrame(part).head(SHOWN).assign(data=first["data"]))
    return (
        pd.concat(parts, ignore_index=True)[["data", "row", "b", "f"]] if parts else pd.DataFrame()
    )
