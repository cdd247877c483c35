"""Lemma A.10: one approximate Newton step shrinks the error by a known factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from experiments._figures import legend_above
from experiments._verdicts import counterexample, joined, row_of_largest
from experiments.claim import Claim, Conclusion, Verdict
from experiments.runs import LoggedRun
from experiments.shrinking_measure import NORMS, array_file, in_band, measure
from experiments.style import DOUBLE, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "draw", "judge", "measure"]

REGIMES = {"theorem": "the theorem's weights", "relative": "practical weights"}
#: Rounding that a factor may exceed its bound by.
SLACK = 1 + 1e-6


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the bound in both norms, in both regimes, and for Algorithm 1's own draws."""
    table = joined(runs, "weights")
    verdicts = []
    for regime, words in REGIMES.items():
        part = table[table.weights == regime]
        for norm in NORMS:
            inside = part[in_band(part.error, part.eps0)]
            if len(inside):
                verdicts.append(_verdict(runs, inside, norm, f"{words}, H~ within eps0 of H"))
    drawn = table[table.kind == "sampled"]
    for norm in NORMS:
        if len(drawn):
            share = float(in_band(drawn.error, drawn.eps0).mean())
            note = (
                f"Sampling promises eps0 on A^T D A only; H~ was within eps0 of H in {share:.1%} "
                f"of the draws (largest error {float((drawn.error / drawn.eps0).max()):.2g} eps0)."
            )
            verdicts.append(_verdict(runs, drawn, norm, "H~ as Algorithm 1 draws it", note))
    verdicts += _recalled(table)
    return verdicts


def _verdict(
    runs: Sequence[LoggedRun], cases: pd.DataFrame, norm: str, where: str, note: str = ""
) -> Verdict:
    excess = cases[f"factor_{norm}"] / cases.bound
    worst = row_of_largest(cases, excess)
    broken = int((excess > SLACK).sum())
    legal = int(((excess > SLACK) & (cases.diagonal_ratio >= 0)).sum())
    factor = float(worst[f"factor_{norm}"])
    found = (
        f"{worst.kind} error, eps0 = {worst.eps0:g}, {worst.direction} start at M r = "
        f"{worst.share:.2g} l, condition of H {worst.condition:.2g}"
    )
    if broken:
        reason = (
            f"{broken} of {len(cases)} steps exceed the bound; the worst: {found}, "
            f"smallest D~/D {worst.diagonal_ratio:.2g}; {legal} of them have D~ >= 0. {note}"
        )
    else:
        reason = f"The sharpest case: {found}. {note}"
    file = f"{array_file(norm, str(worst.kind))}.npz"
    return Verdict(
        statement=f"r+ <= 2 (eps0 + rbar/(l - rbar)) r in {NORMS[norm]}: {where}",
        conclusion=Conclusion.VIOLATED if broken else Conclusion.HOLDS,
        measured=f"factor {factor:.3g}",
        bound=f"{worst.bound:.3g}",
        looseness=float(worst.bound) / factor,
        cases=len(cases),
        reason=reason.strip(),
        counterexample=counterexample(runs, str(worst.run), file) if broken else None,
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
            cases=len(known),
            reason=(
                f"With M recalled, not quoted, {int(met.sum())} of {len(known)} starts meet the "
                f"assumption; the nearest is {nearest.distance:.1e} from x*."
            ),
        )
    ]


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the factors against the condition of H, and against the bound."""
    table = joined(runs, "weights")
    figure, axes = new_figure(DOUBLE, columns=2)
    for axis, norm in zip(axes, NORMS, strict=True):
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
)
