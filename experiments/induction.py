"""Lemma A.11: along a whole run every step contracts by 0.4, and the run stays in its basin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from experiments._figures import legend_above
from experiments._verdicts import counterexample, joined, row_of_largest
from experiments.claim import Claim, Conclusion, Verdict
from experiments.induction_measure import BASIN, LARGEST_EPS0, NORMS, measure
from experiments.runs import LoggedRun
from experiments.style import DOUBLE, look, new_figure
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "LARGEST_EPS0", "draw", "judge", "measure"]

SLACK = 1 + 1e-6


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the factor and the basin in both norms, for made and for drawn Hessians."""
    table = joined(runs, "weights")
    table = table[table.eps0 <= LARGEST_EPS0]
    regimes = {"theorem": "the theorem's weights", "relative": "practical weights"}
    verdicts = []
    for regime, words in regimes.items():
        for norm in NORMS:
            part = table[(table.weights == regime) & (table.norm == norm)]
            made, drawn = part[part.kind != "sampled"], part[part.kind == "sampled"]
            for cases_, how in ((made, "the worst H~ within eps0 of H"), (drawn, "H~ as drawn")):
                if len(cases_):
                    verdicts.append(_verdict(runs, cases_, norm, f"{words}, {how}"))
    return verdicts


def _verdict(runs: Sequence[LoggedRun], cases: pd.DataFrame, norm: str, where: str) -> Verdict:
    factor, basin = cases[f"contraction_{norm}"], cases[f"basin_{norm}"]
    slow, left = factor > CONTRACTION * SLACK, basin > BASIN * SLACK
    worst = row_of_largest(cases, factor)
    broken = bool(slow.any() or left.any())
    drawn = worst.kind == "sampled"
    reason = (
        f"{int(slow.sum())} of {len(cases)} steps contract by less than {CONTRACTION}, "
        f"{int(left.sum())} end outside the basin (largest M r / l {float(basin.max()):.2g}). "
        f"The slowest: {worst.kind} error, eps0 = {worst.eps0:g}, {worst.direction} start, step "
        f"{int(worst.step)}, condition of H {worst.condition:.2g}."
    )
    if drawn:
        reason += f" H~ was up to {float((cases.error / cases.eps0).max()):.2g} eps0 off H."
    file = f"{'drawn' if drawn else 'worst'}_{norm}.npz"
    return Verdict(
        statement=f"r_t <= 0.4 r_(t-1) and M r_t <= 0.1 l in {NORMS[norm]}, eps0 <= 4/45: {where}",
        conclusion=Conclusion.VIOLATED if broken else Conclusion.HOLDS,
        measured=f"factor {float(factor.max()):.3g}, M r <= {float(basin.max()):.2g} l",
        bound=f"{CONTRACTION}, {BASIN} l",
        looseness=CONTRACTION / float(factor.max()),
        cases=len(cases),
        reason=reason,
        counterexample=counterexample(runs, str(worst.run), file) if broken else None,
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the worst factor of a step against eps0, in both norms."""
    table = joined(runs, "weights")
    figure, axes = new_figure(DOUBLE, columns=2)
    for axis, norm in zip(axes, NORMS, strict=True):
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
    for norm in NORMS:
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
)
