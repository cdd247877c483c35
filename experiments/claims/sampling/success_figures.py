"""Figures and tables of how often the random part fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.claims.sampling.failure_rates import FailureRates
from experiments.claims.sampling.success_probability_measure import (
    APPROXIMATE,
    OWN,
    PROVEN,
    THEOREM,
)
from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import joined
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "draw", "joined_table", "named", "tables"]

CAPTIONS = {
    "success_probability": "How much of the random part reaches how far: spectral errors of "
    "sparsifiers over eps0, and the largest factor of a run's steps in the H-norm, all instances "
    "together; what lies right of 1, or of 0.4, has failed",
    "success_probability_instances": "The share of sparsifiers that are not within eps0, by kind "
    "of A and seed, with exact intervals that hold together",
    "failures": "Failures by instance and way to draw, with exact intervals by themselves. left: "
    "the least eigenvalue of the Hessian relative to A^T D A, what the rank-two part leaves of "
    "it; factor: the largest of a step, of a sparsifier in the worst direction near x*; exact: the "
    "same of exact Newton",
}


def joined_table(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    """Return the tables of all runs as one, with what names their instances."""
    return joined(runs, "experiment.delta", "data.rows", "data", "seed")


def _kind(row: Any) -> str:
    """Name the kind of instance of a row: the rows of a made-up A, or the data."""
    return str(row["data.rows"] if row["data"] == "synthetic" else row["data"])


def named(row: Any) -> str:
    """Return the kind of a row's instance with its seed."""
    return f"{_kind(row)}, seed {row['seed']}"


def _ways(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the ways to draw a sparsifier, named for a legend."""
    draws = table[table.part == "sparsifier"]
    found = [(f"C = {C:g}", cell) for C, cell in draws[draws.draw == APPROXIMATE].groupby("C")]
    return [
        *found,
        *(
            (f"proven, {scheme}", cell)
            for scheme, cell in draws[draws.draw == PROVEN].groupby("sampling")
        ),
    ]


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the distribution of what could have failed, and the failures of every instance."""
    table = joined_table(runs)
    delta = float(table["experiment.delta"].iloc[0])
    figure, (errors, factors) = new_figure(DOUBLE, columns=2)
    for index, (name, cell) in enumerate(_ways(table)):
        _exceedance(errors, cell.measured, name, index)
    whole = table[table.part == "run"]
    for index, (regime, words) in enumerate(
        ((THEOREM, "the theorem's weights"), (OWN, "practical weights"))
    ):
        cell = whole[whole.regime == regime]
        if len(cell):
            _exceedance(factors, cell.factor_H, words, index)
    for axis, limit in ((errors, 1.0), (factors, CONTRACTION)):
        axis.axvline(limit, color="0.25", linestyle=":", linewidth=1)
        axis.axhline(delta, label="$\\delta$", **look("bound"))
        axis.set(yscale="log", ylabel="share at or above")
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    errors.set_xlabel("spectral error / $\\epsilon_0$")
    factors.set(xscale="log", xlabel="largest factor of a run's steps, H-norm")
    return {
        "success_probability": figure,
        "success_probability_instances": _instances(table, delta),
    }


def _exceedance(axis: Any, values: pd.Series[float], name: str, index: int) -> None:
    ordered = np.sort(values.to_numpy())
    above = 1.0 - np.arange(len(ordered)) / len(ordered)
    axis.step(ordered, above, where="post", label=name, **(look("", index) | {"marker": ""}))


def _instances(table: pd.DataFrame, delta: float) -> Figure:
    """Draw the share of sparsifiers that failed on every instance."""
    figure, (axis,) = new_figure(DOUBLE, 2.4)
    once = table.drop_duplicates("run")
    kinds = list(dict.fromkeys(_kind(row) for _, row in once.iterrows()))
    ways = _ways(table)
    for index, (name, cell) in enumerate(ways):
        shares = FailureRates.of(cell, "run", delta).by_instance.set_index("instance")
        for kind_at, kind in enumerate(kinds):
            seen = [row.run for _, row in once.iterrows() if _kind(row) == kind]
            for place, run in enumerate(run for run in seen if run in shares.index):
                at = kind_at + 0.18 * (index - 0.5 * (len(ways) - 1)) + 0.07 * place
                row = shares.loc[run]
                reach = [[row.share - row.low], [row.high - row.share]]
                label = name if kind_at == 0 and place == 0 else None
                style = look("", index) | {"linestyle": ""}
                axis.errorbar(at, row.share, yerr=reach, label=label, elinewidth=0.8, **style)
    axis.axhline(delta, label="$\\delta$", **look("bound"))
    axis.set_xticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
    axis.set(ylabel="share of failures")
    legend_above(figure, axis)
    return figure


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return failures of every instance and way to draw."""
    table = joined_table(runs)
    delta = float(table["experiment.delta"].iloc[0])
    keys = ["part", "regime", "draw", "sampling", "C"]
    rows = []
    for _, cell in table.groupby([*keys, "run"], sort=False, dropna=False):
        first = cell.iloc[0]
        rates = FailureRates.of(cell, "run", delta)
        rows.append(
            {"A": _kind(first), "seed": first.seed}
            | {key: first[key] for key in keys}
            | {"failures": int(rates.worst.failures), "trials": int(rates.worst.trials)}
            | {"low": rates.largest.low, "high": rates.largest.high, "left": first.left}
            | {"factor, H": cell.factor_H.max(), "factor, l2": cell.factor_l2.max()}
            | {"exact, H": first.get("factor_exact", float("nan"))}
        )
    return {"failures": pd.DataFrame(rows)}
