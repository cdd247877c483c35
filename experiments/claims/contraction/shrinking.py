"""Lemma A.10: one approximate Newton step shrinks the error by a known factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from experiments.claims.contraction.near_minimiser import NORM_LABELS
from experiments.claims.contraction.shrinking_measure import array_file, measure
from experiments.kit.cells import count, sight
from experiments.kit.claim import PROBLEM_OPTIONS, START_OPTIONS, Author, Claim, Conclusion, Verdict
from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "draw", "judge", "measure"]

#: Rounding that a factor may exceed its bound by.
SLACK = 1 + 1e-6


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the bound in both norms, where the lemma speaks and beyond, for made and drawn H~."""
    steps = steps_of(runs)
    within = steps.error <= steps.eps0 * (1 + 1e-9)
    drawn = steps.kind == "sampled"
    note = outside_band(steps[drawn], within[drawn]) if drawn.any() else ""
    verdicts = [
        _verdict(runs, part, norm, note if part.drawn else "")
        for part in parts(steps[within])
        for norm in NORM_LABELS
    ]
    return [*verdicts, *_recalled(steps)]


def _verdict(runs: Sequence[LoggedRun], part: Part, norm: str, note: str) -> Verdict:
    rows = part.rows
    excess = rows[f"factor_{norm}"] / rows.bound
    worst = row_of_largest(rows, excess)
    bad = rows[excess > SLACK]
    factor = float(worst[f"factor_{norm}"])
    example = None
    if len(bad):
        shown = cleanest(bad, excess)
        file = array_file(norm, drawn=part.drawn, inside=part.inside)
        example = counterexample(runs, str(shown.run), f"{file}.npz")
        reason = (
            f"{len(bad)} of {len(rows)} steps exceed the bound, of {count(bad, INSTANCE)} "
            f"instances of {part.instances}. The worst: {case_of(worst)}, M r = "
            f"{worst.share:.2g} l. Shown, with the smallest condition: {case_of(shown)}, factor "
            f"{shown[f'factor_{norm}']:.3g} against {shown.bound:.3g} (H-norm "
            f"{shown.factor_H:.2g})."
        )
    else:
        reason = f"{len(rows)} steps. The sharpest: {case_of(worst)}. {sight(part.cells)}"
    if not part.inside:
        reason += " Elsewhere than in the lemma's hypotheses M is measured, a lower bound."
    return Verdict(
        statement=f"r+ <= 2 (eps0 + rbar/(l - rbar)) r in {NORM_LABELS[norm]}: {part.words}",
        conclusion=Conclusion.VIOLATED if len(bad) else Conclusion.HOLDS,
        measured=f"factor {factor:.3g}",
        bound=f"{worst.bound:.3g}",
        looseness=float(worst.bound) / factor,
        cases=part.instances,
        reason=f"{reason} {note}".strip(),
        counterexample=example,
        author=Author.PAPER if part.inside and norm == "l2" else Author.OURS,
        derived=part.inside and norm == "H",
    )


def _recalled(table: pd.DataFrame) -> list[Verdict]:
    """Judge what is left of the lemma with the M recalled from the family of papers."""
    known = table.dropna(subset=["log10_share_recalled"])
    if known.empty:
        return []
    met = known.log10_share_recalled < 0
    nearest = row_of_largest(known, -known.log10_share_recalled)
    return [
        Verdict(
            statement="the same with the recalled M: a start with rbar < l",
            conclusion=Conclusion.UNDECIDED if bool(met.any()) else Conclusion.EMPTY,
            measured=f"rbar = 10^{nearest.log10_share_recalled:.0f} l at best",
            bound="rbar < l",
            cases=count(known, INSTANCE),
            reason=(
                f"With M recalled, not quoted, {int(met.sum())} of {len(known)} steps start where "
                f"the assumption allows; the start nearest to that is {nearest.distance:.1e} from "
                "x*."
            ),
            author=Author.RECALLED,
        )
    ]


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the factors against the condition of H, and against the bound."""
    table = joined(runs, "weights")
    figure, axes = new_figure(DOUBLE, columns=2)
    for axis, norm in zip(axes, NORM_LABELS, strict=True):
        for index, kind in enumerate(("reflect", "shrink", "sampled")):
            part = table[table.kind == kind]
            excess = part[f"factor_{norm}"] / part.bound
            worst = part.assign(excess=excess).groupby("run")[["condition", "excess"]].max()
            # Side by side, for the kinds share their conditions.
            place = worst.condition * 1.25 ** (index - 1)
            style = look(kind, index) | {"linestyle": ""}
            axis.plot(place, worst.excess, label=f"{kind} error", alpha=0.7, **style)
        axis.axhline(1.0, label="bound", **look("bound"))
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="condition number of H(x*)",
            ylabel=f"worst factor / bound, {'Euclidean norm' if norm == 'l2' else 'H-norm'}",
        )
    legend_above(figure, axes[0])
    return {"shrinking": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the worst excess of every kind of error by eps0 and weights."""
    table = joined(runs, "weights")
    ratios = table.assign(l2=table.factor_l2 / table.bound, H=table.factor_H / table.bound)
    worst = ratios.groupby(["weights", "kind", "eps0"])[["l2", "H"]].max()
    return {"shrinking": worst.rename(columns=lambda name: f"worst factor/bound, {name}")}


CLAIM = Claim(
    id="shrinking",
    place="Lemma A.10",
    statement="one step shrinks the error: r+ <= 2 (eps0 + rbar/(l - rbar)) r with rbar = M r",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=9,
    uses=(*PROBLEM_OPTIONS, *START_OPTIONS),  # M as recalled depends on alpha at the start
)
