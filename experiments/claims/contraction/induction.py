"""Lemma A.11: along a whole run every step contracts by 0.4, and the run stays in its basin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from experiments.claims.contraction.hypotheses import (
    INSTANCE,
    Part,
    case_of,
    cleanest,
    outside_band,
    parts,
    steps_of,
)
from experiments.claims.contraction.induction_measure import BASIN, measure
from experiments.claims.contraction.near_minimiser import LARGEST_EPS0, NORM_LABELS
from experiments.claims.contraction.shrinking_measure import array_file
from experiments.kit.cells import count, sight
from experiments.kit.claim import PROBLEM_OPTIONS, Author, Claim, Conclusion, Verdict
from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "draw", "judge", "measure"]

#: Rounding that a figure may exceed its bound by.
SLACK = 1 + 1e-6


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge factor and basin in both norms, where the lemma speaks and beyond, made and drawn."""
    steps = steps_of(runs)
    steps = steps[steps.eps0 <= LARGEST_EPS0]
    within = steps["within"].astype(bool)
    drawn = steps.kind == "sampled"
    note = outside_band(steps[drawn], within[drawn]) if drawn.any() else ""
    verdicts = []
    for part in parts(steps[within]):
        for norm in NORM_LABELS:
            along = replace(part, rows=part.rows[part.rows.norm == norm])
            if len(along.rows):
                verdicts.append(_verdict(runs, along, norm, note if part.drawn else ""))
    return verdicts


def _verdict(runs: Sequence[LoggedRun], part: Part, norm: str, note: str) -> Verdict:
    rows = part.rows
    factor, basin = rows[f"contraction_{norm}"], rows[f"basin_{norm}"]
    slow, left = factor > CONTRACTION * SLACK, basin > BASIN * SLACK
    bad = rows[slow | left]
    worst = row_of_largest(rows, factor)
    reason = (
        f"{int(slow.sum())} of {len(rows)} steps do not contract by {CONTRACTION}, "
        f"{int(left.sum())} end outside the basin. The slowest: {case_of(worst)}, step "
        f"{int(worst.step)}."
    )
    example = None
    if len(bad):
        shown = cleanest(bad, factor)
        file = array_file(norm, drawn=part.drawn, inside=part.inside)
        example = counterexample(runs, str(shown.run), f"{file}.npz")
        reason += (
            f" Failures are of {count(bad, INSTANCE)} instances of {part.instances}. Shown, with "
            f"the smallest condition: {case_of(shown)}, step {int(shown.step)}, factor "
            f"{shown[f'contraction_{norm}']:.3g} (H-norm {shown.contraction_H:.2g})."
        )
    else:
        reason += f" {sight(part.cells)}"
    if not part.inside:
        reason += " Elsewhere than in the lemma's hypotheses M is measured, a lower bound."
    return Verdict(
        statement=f"r_t <= 0.4 r_(t-1) and M r_t <= 0.1 l in {NORM_LABELS[norm]}: {part.words}",
        conclusion=Conclusion.VIOLATED if len(bad) else Conclusion.HOLDS,
        measured=f"factor {float(factor.max()):.3g}, M r <= {float(basin.max()):.2g} l",
        bound=f"{CONTRACTION}, {BASIN} l",
        looseness=CONTRACTION / float(factor.max()),
        cases=part.instances,
        reason=f"{reason} {note}".strip(),
        counterexample=example,
        author=Author.PAPER if part.inside and norm == "l2" else Author.OURS,
        derived=part.inside and norm == "H",
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the worst factor of a step against eps0, in both norms."""
    table = joined(runs, "weights")
    figure, axes = new_figure(DOUBLE, columns=2)
    for axis, norm in zip(axes, NORM_LABELS, strict=True):
        part = table[table.norm == norm]
        for index, kind in enumerate(("reflect", "shrink", "sampled")):
            worst = part[part.kind == kind].groupby("eps0")[f"contraction_{norm}"].max()
            axis.plot(worst.index, worst, label=f"{kind} error", **look(kind, index))
        axis.axhline(CONTRACTION, label="bound 0.4", **look("bound"))
        axis.axvline(LARGEST_EPS0, linewidth=0.8, color="0.6")
        axis.annotate(
            "4/45",
            (LARGEST_EPS0, 0.02),
            (2, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=7,
            color="0.35",
        )
        axis.set(
            yscale="log",
            xlabel="spectral error $\\epsilon_0$",
            ylabel=f"largest factor of a step, {'Euclidean' if norm == 'l2' else 'H-norm'}",
        )
    legend_above(figure, axes[0])
    return {"induction": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the worst factor and the furthest point by norm, error, eps0 and weights."""
    table = joined(runs, "weights")
    parts = []
    for norm in NORM_LABELS:
        part = table[table.norm == norm]
        columns = {f"contraction_{norm}": "largest factor", f"basin_{norm}": "largest M r / l"}
        worst = part.groupby(["norm", "weights", "kind", "eps0"])[list(columns)].max()
        parts.append(worst.rename(columns=columns))
    return {"induction": pd.concat(parts)}


CLAIM = Claim(
    id="induction",
    place="Lemma A.11",
    statement="r_t <= 0.4 r_(t-1) and M r_t <= 0.1 l along the whole run",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=10,
    uses=PROBLEM_OPTIONS,  # its runs begin at the edge of the basin
)
