"""Lemma A.10: one approximate Newton step shrinks the error by a known factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments._contraction import (
    DIRECTIONS,
    Inexact,
    Neighbourhood,
    cases,
    inexact_hessian,
)
from experiments._figures import legend_above
from experiments._verdicts import counterexample, joined, row_of_largest
from experiments.claim import Claim, Conclusion, Verdict
from experiments.runs import LoggedRun
from experiments.style import DOUBLE, look, new_figure
from softres.harness.probe import ProbeContext
from softres.theory.assumptions import lowest_log_alpha
from softres.theory.predictions import log10_lipschitz_recalled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "draw", "judge", "measure"]

NORMS = {"l2": "the Euclidean norm", "H": "the H-norm"}
REGIMES = {"theorem": "the theorem's weights", "relative": "practical weights"}
#: Rounding that a factor may exceed its bound by.
SLACK = 1 + 1e-6


def bound(eps0: Any, share: Any) -> Any:
    """Return the lemma's factor 2 (eps0 + rbar / (l - rbar)) for share = rbar / l < 1."""
    return 2.0 * (eps0 + share / (1.0 - share))


def measure(context: ProbeContext) -> pd.DataFrame:
    """Take one step from starts in several directions and distances, with each kind of H~.

    Returns
    -------
    One row a step: ``share`` (M r / l with the measured M), ``error`` (the spectral error of H~),
    ``factor_l2``, ``factor_H``, ``bound``, and what the start was.
    """
    options = context.settings.experiment
    near = Neighbourhood.of(context)
    rng = context.rng("steps")
    recalled = _log10_recalled(context)
    rows: list[dict[str, Any]] = []
    worst: dict[str, float] = {}
    for name in DIRECTIONS:
        direction = near.direction(name, rng)
        for target in options["shares"]:
            radius, M = near.distance_for(float(target), direction, rng)
            point = near.problem.at(near.x + radius * direction)
            away = point.x - near.x
            share = M * radius / near.smallest
            if not (near.resolved(radius) and share < 1 and point.inside):
                continue
            if float(np.linalg.eigvalsh(point.hessian())[0]) <= 0:
                continue
            for eps0, kind in cases(options["eps0"]):
                inexact = inexact_hessian(kind, point, away, eps0, rng, dict(options["sampler"]))
                after = away - np.linalg.solve(inexact.matrix, point.gradient)
                row = {
                    "direction": name,
                    "kind": kind,
                    "eps0": eps0,
                    "distance": radius,
                    "share": share,
                    "log10_share_recalled": recalled + np.log10(radius / near.smallest),
                    "condition": near.condition,
                    "error": inexact.error,
                    "diagonal_ratio": inexact.ratio,
                    "bound": bound(eps0, share),
                    "factor_l2": float(np.linalg.norm(after) / np.linalg.norm(away)),
                    "factor_H": near.norm_H(after) / near.norm_H(away),
                }
                rows.append(row)
                for norm in NORMS:
                    file = _file(norm, kind)
                    excess = row[f"factor_{norm}"] / row["bound"]
                    if excess > worst.get(file, 0.0):
                        worst[file] = excess
                        _keep(context, file, near, point.x, near.x + after, inexact)
    return pd.DataFrame(rows)


def _in_band(error: Any, eps0: Any) -> Any:
    return error <= eps0 * (1 + 1e-9)


def _log10_recalled(context: ProbeContext) -> float:
    """Return log10 of the recalled M; it is known for normalised problems only."""
    problem, prepared = context.prepared.problem, context.prepared
    if not problem.normalised:
        return float("nan")
    start, minimum = problem.at(prepared.x0), problem.at(prepared.minimiser)
    return log10_lipschitz_recalled(
        problem.n, context.settings.R or 1.0, lowest_log_alpha(start, minimum)
    )


def _file(norm: str, kind: str) -> str:
    """Return the name of the arrays kept of a run's worst step, made or drawn."""
    return f"{'drawn' if kind == 'sampled' else 'worst'}_{norm}"


def _keep(
    context: ProbeContext, file: str, near: Neighbourhood, x: Any, after: Any, found: Inexact
) -> None:
    context.keep(
        file,
        minimiser=near.x,
        x=x,
        x_next=after,
        hessian=near.hessian,
        hessian_used=found.matrix,
        diagonal_used=found.diagonal,
    )


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the bound in both norms, in both regimes, and for Algorithm 1's own draws."""
    table = joined(runs, "weights")
    verdicts = []
    for regime, words in REGIMES.items():
        part = table[table.weights == regime]
        for norm in NORMS:
            inside = part[_in_band(part.error, part.eps0)]
            if len(inside):
                verdicts.append(_verdict(runs, inside, norm, f"{words}, H~ within eps0 of H"))
    drawn = table[table.kind == "sampled"]
    for norm in NORMS:
        if len(drawn):
            share = float(_in_band(drawn.error, drawn.eps0).mean())
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
    return Verdict(
        statement=f"r+ <= 2 (eps0 + rbar/(l - rbar)) r in {NORMS[norm]}: {where}",
        conclusion=Conclusion.VIOLATED if broken else Conclusion.HOLDS,
        measured=f"factor {factor:.3g}",
        bound=f"{worst.bound:.3g}",
        looseness=float(worst.bound) / factor,
        cases=len(cases),
        reason=reason.strip(),
        counterexample=counterexample(runs, str(worst.run), f"{_file(norm, str(worst.kind))}.npz")
        if broken
        else None,
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
