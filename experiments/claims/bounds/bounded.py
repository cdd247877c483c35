"""What claims of the form "this figure is at most that bound" share: verdicts and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.claims.bounds.bounded_measure import FILES
from experiments.claims.bounds.family import Stated
from experiments.kit.claim import Author, Conclusion, Counterexample, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import command, undecided

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "LOG_ROUNDING",
    "draw_looseness",
    "judge_bounds",
    "legend_in_columns",
    "matrices",
    "row_at",
    "table",
]

#: log10 of the factor by which rounding may carry a sharp case over its bound: 1 + 1e-9.
LOG_ROUNDING = 1e-9 / np.log(10.0)
#: Columns with bounds: how they are called in verdicts and figures.
VERSIONS = {
    "bound": "worst case in (n, R, beta)",
    "instance_bound": "instance-wise",
    "recalled": "as recalled from the family of papers",
    "stated": "as the family of papers states it",
}


def row_at(table: pd.DataFrame, place: int) -> dict[str, Any]:
    """Return a row by its place."""
    return {str(key): value for key, value in table.iloc[place].items()}


def table(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    """Return the rows of all runs, with the run's index as ``run`` and its n, R and beta."""
    parts = []
    for k, run in enumerate(runs):
        options = {key: run.params.get(key) for key in ("n", "R", "experiment.beta")}
        parts.append(run.table.assign(run=k, **options))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"part": []})


def judge_bounds(
    runs: Sequence[LoggedRun],
    parts: Sequence[str],
    what: Mapping[str, str] | str,
    stated: Sequence[Stated] = (),
) -> list[Verdict]:
    """Judge each part against its worst-case bound, then all parts against the other versions.

    The worst-case and instance-wise bounds are proven here: a case that exceeds one is a mistake of
    ours, and none that does says nothing of the paper, whose constants we do not have.

    Parameters
    ----------
    what
        What the figures are, for the statements: one text for all parts, or one by part.
    stated
        Bounds of the family of papers that could be confirmed. They come before the last verdict,
        which is on those that are only recalled.
    """
    data = table(runs)
    verdicts = []
    for part in parts:
        text = what if isinstance(what, str) else what[part]
        cases = data[data["part"] == part]
        verdicts.append(_judge(runs, cases, "bound", f"{text} of {part}" if text else part))
    every = "all parts, bounds "
    verdicts.append(_judge(runs, data, "instance_bound", every + VERSIONS["instance_bound"]))
    verdicts = [replace(verdict, derived=True) for verdict in verdicts]
    for one in stated:
        cases = data[data["part"] == one.part]
        if not cases.empty:
            sizes = zip(cases["n"].astype(float), cases["R"].astype(float), strict=True)
            cases = cases.assign(stated=[one.log10_bound(n, R) for n, R in sizes])
        found = _judge(runs, cases, "stated", one.statement)
        verdicts.append(replace(found, author=Author.FAMILY))
    found = _judge(runs, data, "recalled", every + VERSIONS["recalled"])
    return [*verdicts, replace(found, author=Author.RECALLED)]


def matrices(cases: pd.DataFrame) -> int:
    """Return how many matrices A are behind some rows: what is searched on one counts once."""
    return len(cases[["run", "kind", "instance"]].drop_duplicates())


def _judge(runs: Sequence[LoggedRun], cases: pd.DataFrame, column: str, statement: str) -> Verdict:
    cases = cases.dropna(subset=[column]) if column in cases else cases.iloc[:0]
    if cases.empty:
        return undecided(statement, "No case: no admissible point was measured.")
    gap = cases[column] - cases["measured"]
    nearest = row_at(cases, int(gap.to_numpy().argmin()))
    smallest = float(gap.min())
    broken = int((gap < -LOG_ROUNDING).sum())
    at = f"{nearest['part']}, {nearest['kind']} A, n={nearest['n']}, R={nearest['R']}, "
    at += f"beta={nearest['experiment.beta']}"
    example = None
    if broken:
        run = runs[int(nearest["run"])]
        # The arrays that are kept are of the versions that the measurement knows.
        artifact = f"{FILES[column]}.npz" if column in FILES else ""
        example = Counterexample(run, command(run), artifact)
        reason = f"{broken} of {len(cases)} figures exceed the bound ({VERSIONS[column]})."
    else:
        reason = (
            f"No figure exceeds it; it is loose by a factor of 10^{smallest:.2f} in the sharpest "
            f"case and 10^{float(gap.median()):.1f} in the median one. The search only gives lower "
            "bounds on the worst case."
        )
    return Verdict(
        statement,
        Conclusion.VIOLATED if broken else Conclusion.HOLDS,
        f"10^{nearest['measured']:.3f} ({at})",
        f"10^{nearest[column]:.3f}",
        matrices(cases),
        reason,
        10.0**smallest,
        example,
    )


def legend_in_columns(figure: Figure, columns: int = 2) -> None:
    """Put one legend above the axes, in the sizes of :mod:`experiments.kit.style`."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=columns, fontsize=7, frameon=False
    )


def draw_looseness(runs: Sequence[LoggedRun], parts: Sequence[str]) -> Figure:
    """Draw log10 of bound over measured for each part: the sharpest case, by R, own and recalled.

    Zero would be a bound that is attained; below zero it is violated.
    """
    data = table(runs)
    radii = sorted(data["R"].unique(), key=float)
    figure, axes = new_figure(height=0.9 + 0.21 * len(parts) * 1.3)
    axis = axes[0]
    for column in ("bound", "recalled"):
        for k, radius in enumerate(radii):
            cases = data[data["R"] == radius]
            gap = (cases[column] - cases["measured"]).groupby(cases["part"]).min()
            places = [i for i, part in enumerate(parts) if np.isfinite(gap.get(part, np.nan))]
            if not places:
                continue
            axis.plot(
                [gap[parts[i]] for i in places],
                places,
                linestyle="none",
                marker=look("", k)["marker"],
                markersize=4,
                color=look("", k)["color"],
                markerfacecolor="none" if column == "recalled" else None,
                label=f"{'own' if column == 'bound' else 'recalled'}, R={radius}",
            )
    axis.axvline(0.0, **(look("bound") | {"marker": None}))
    axis.set_xscale("symlog", linthresh=1.0)
    ticks = (-10, -1, 0, 1, 10, 100)
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    values = np.concatenate([line.get_xdata() for line in axis.lines])
    axis.set_xlim(min(-0.1, 1.4 * values.min()), max(1.0, 1.6 * values.max()))
    axis.set_yticks(range(len(parts)), list(parts))
    axis.invert_yaxis()
    axis.set_xlabel("log10 (bound / largest found), sharpest case")
    legend_in_columns(figure)
    return figure
