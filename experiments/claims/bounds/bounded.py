"""What claims of the form "this figure is at most that bound" share: verdicts and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

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
    "LOOSENESS",
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


#: Bounds that are looser than this power of ten are drawn at it, as arrows.
FAR = 12.0
#: Parts as formulas.
SYMBOLS = {
    "B1": "$B_1$",
    "B2": "$B_2$",
    "B3": "$B_3$",
    "-B": "$-B$",
    "w^2": "$w^2$",
    "1/alpha": r"$1/\alpha$",
    "1/alpha^2": r"$1/\alpha^2$",
    "alpha": r"$\alpha$",
    "I - f 1^T": r"$I - f\,\mathbf{1}^\top$",
}
LOOSENESS = (
    "Proven bounds (filled) and recalled ones (open) over the largest value that a search found, "
    "in the sharpest case, by R: at 1 a bound is attained, left of it violated; an arrow: looser "
    f"than 10^{FAR:g}"
)


def legend_in_columns(figure: Figure, columns: int = 2) -> None:
    """Put one legend above the axes, in the sizes of :mod:`experiments.kit.style`."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=columns, fontsize=7, frameon=False
    )


def draw_looseness(runs: Sequence[LoggedRun], parts: Sequence[str]) -> Figure:
    """Draw bound over measured for each part: the sharpest case, by R, own and recalled.

    As a power of ten: zero would be a bound that is attained; below zero it is violated.
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
            style = {
                "linestyle": "none",
                "markersize": 4,
                "color": look("", k)["color"],
                "markerfacecolor": "none" if column == "recalled" else None,
            }
            powers = np.array([gap[parts[i]] for i in places])
            far, rows = powers > FAR, np.array(places) + 0.16 * (k - (len(radii) - 1) / 2)
            label = f"{'own' if column == 'bound' else 'recalled'}, R = {float(radius):g}"
            axis.plot(
                np.where(far, np.nan, powers),
                rows,
                marker=look("", k)["marker"],
                label=label,
                **style,
            )
            axis.plot(np.full(far.sum(), FAR), rows[far], marker=">", **style)
    axis.axvline(0.0, **(look("bound") | {"marker": None}))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.xaxis.set_major_formatter(lambda power, _: f"$10^{{{power:.0f}}}$")
    axis.set_yticks(range(len(parts)), [SYMBOLS.get(part, part) for part in parts])
    axis.set_ylim(len(parts) - 0.5, -0.5)
    axis.set_xlabel("bound / largest found, sharpest case")
    legend_in_columns(figure)
    return figure
