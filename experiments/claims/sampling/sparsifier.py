"""Lemma A.8: a few reweighted rows stand for A^T D A, spectrally, and cheaply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.claims.sampling.failure_rates import FailureRates
from experiments.claims.sampling.growth import LIMIT, Growth
from experiments.claims.sampling.sparsifier_measure import EXACT, SKETCHES, measure
from experiments.kit.claim import (
    PROBLEM_OPTIONS,
    Author,
    Claim,
    Conclusion,
    Counterexample,
    Verdict,
)
from experiments.kit.legends import legend_above, ticks_at
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import clopper_pearson
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import command, counterexample, joined, row_of_largest
from softres.theory import proven_eps0

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "draw", "judge"]

#: The sketch of the lemma.
LEVERAGE = SKETCHES[0]

CAPTIONS = {
    "sparsifier": "Spectral error over rows drawn, by kind of A: median and the middle 60% of "
    "three sketches, and what the lemma promises for as many rows with the C of the sweep",
    "sparsifier_time": "Processor seconds of scores, sample and its Gram matrix, and of the Gram "
    "matrix of all rows, for each entry of A: level is nnz(A), rising with d is nnz(A) d",
    "rates": "Sketches that exceed what is promised, by kind of A, seed and rows",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the failure rate of leverage sampling, and how its time grows."""
    errors, times = _parts(runs)
    verdicts: list[Verdict] = []
    if len(errors):
        verdicts = _accuracy(runs, errors, float(runs[0].number("experiment.constant")))
    if len(times):
        run = next(run for run in runs if (run.table.part == "time").any())
        verdicts.append(_time(run, times))
    return verdicts


def _parts(runs: Sequence[LoggedRun]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return errors, with the eps0 promised by C and the proven one, and times."""
    table = joined(runs, "data.rows", "seed", "experiment.delta", "experiment.constant")
    errors = table[table.part == "error"]
    if len(errors):
        d = errors.rows / errors.rows_over_d
        delta = float(errors["experiment.delta"].iloc[0])
        C = float(errors["experiment.constant"].iloc[0])
        asked = [max(1.0, log(width / delta)) for width in d]
        pairs = zip(errors.rows, d, strict=True)
        errors = errors.assign(
            eps0=np.sqrt(C * d * asked / errors.rows),
            proven=[proven_eps0(rows, width, delta) for rows, width in pairs],
        )
    return errors, table[table.part == "time"]


def _accuracy(runs: Sequence[LoggedRun], errors: pd.DataFrame, C: float) -> list[Verdict]:
    """Judge the solver's C, which is ours, and by it the lemma, which leaves C open."""
    errors = errors[errors.eps0 < 1]  # the lemma speaks of no other; few rows promise nothing
    errors = errors.assign(failed=(errors.error > errors.eps0).astype(int))
    delta = float(errors["experiment.delta"].iloc[0])
    own = errors[errors.sketch == LEVERAGE]
    rates = FailureRates.of(own, "run", delta)
    violated = rates.conclusion is Conclusion.VIOLATED
    worst = row_of_largest(own, own.error / own.eps0)
    failing = own[own.run == rates.worst["instance"]].iloc[0]
    reason = (
        f"{rates.told()} Every instance with {own.rows.nunique()} numbers of rows; typically the "
        f"error is {float((own.eps0 / own.error).median()):.2g} times smaller than promised."
    )
    for name, part in errors[errors["data.rows"] == "coherent"].groupby("sketch"):
        reason += f" {name} on coherent A: {part.failed.mean():.0%} fail." * (name != LEVERAGE)
    statement = (
        "s = C eps0^-2 d log(d/delta) rows drawn by approximate leverage scores are within eps0 "
        "with probability 1 - delta, at every s"
    )
    ours = Verdict(
        statement=f"C = {C:g} is enough for Lemma A.8: {statement}",
        conclusion=rates.conclusion,
        measured=f"share of failures {rates.largest:.2g} at worst ({failing['data.rows']}, seed "
        f"{failing.seed})",
        bound=f"delta = {delta:g}",
        looseness=float(worst.eps0 / worst.error),
        cases=own.run.nunique(),
        reason=reason,
        counterexample=counterexample(runs, str(failing.run), "worst.npz") if violated else None,
        author=Author.OURS,
    )
    lemma = replace(
        ours,
        statement=f"Lemma A.8: for some constant C, {statement}",
        # A constant that is too small says nothing of a larger one.
        conclusion=Conclusion.UNDECIDED if violated else rates.conclusion,
        reason=f"Tried with C = {C:g}. {reason}",
        counterexample=None,
        author=Author.PAPER,
    )
    return [lemma, ours]


def _least(times: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the least seconds of a sketch, a row a size: other processes only add to them."""
    cells = times[times.sketch == name].groupby(["n", "d", "nnz"]).seconds
    return cells.min().reset_index()


def _time(run: LoggedRun, times: pd.DataFrame) -> Verdict:
    own, rival = (Growth(_least(times, name)) for name in (LEVERAGE, EXACT))
    conclusion = own.conclusion
    told = rival.conclusion is Conclusion.VIOLATED
    valid = run.tags.get("timing_valid") == "true"
    if not valid or (conclusion is Conclusion.HOLDS and not told):
        conclusion = Conclusion.UNDECIDED
    at = own.sizes.merge(rival.sizes, on=["n", "d", "nnz"]).iloc[-1]
    return Verdict(
        statement="Lemma A.8: scores and sample cost O~(nnz(A) + d^omega)",
        conclusion=conclusion,
        measured=f"a further entry's seconds grow like d^{own.exponent:.2f}",
        bound=f"d^0 ({LIMIT:g} tolerated)",
        looseness=None,
        cases=len(own.sizes),
        reason=(
            f"{own.told()}. The exact Gram matrix, which has to be refused by the same test: "
            f"{rival.told()}. At n = {at.n:,.0f} and d = {at.d:.0f} it takes "
            f"{at.seconds_y / at.seconds_x:.2g} times as long. Processor time."
        ),
        counterexample=Counterexample(run, command(run))
        if conclusion is Conclusion.VIOLATED
        else None,
        author=Author.PAPER,
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw errors against rows for each kind of A, and seconds against d."""
    errors, times = _parts(runs)
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
        axis.set(xscale="log", yscale="log", xlabel=f"rows drawn / d, {kind} A")
        axis.sharey(axes[0])
        ticks_at(axis, [float(over) for over in promised.index if over == int(over)])
    axes[0].set_ylabel("spectral error")
    axes[0].set_ylim(top=1.5)
    legend_above(figure, axes[0])
    figures = {"sparsifier": figure}
    if len(times):
        figure, (axis,) = new_figure()
        for name, words in ((EXACT, "exact Gram matrix"), (LEVERAGE, "scores and sample")):
            style = look("uniform" if name == EXACT else name)
            for index, (_, cell) in enumerate(_least(times, name).groupby("n")):
                shade = style | {"alpha": 1.0 - 0.25 * index}
                label = words if index == 0 else None
                axis.plot(cell.d, cell.seconds / cell.nnz, label=label, **shade)
        axis.set(xscale="log", yscale="log", xlabel="d", ylabel="seconds an entry of A")
        ticks_at(axis, sorted(times.d.unique()))
        legend_above(figure, axis)
        figures["sparsifier_time"] = figure
    return figures


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the failure rates of every sketch, on every instance and with every s."""
    errors, _ = _parts(runs)
    found = []
    for keys, cell in errors.groupby(["sketch", "data.rows", "seed", "rows_over_d"]):
        failures = int((cell.error > cell.eps0).sum())
        share = clopper_pearson(failures, len(cell))
        found.append(
            dict(zip(("sketch", "A", "seed", "rows / d"), keys, strict=True))
            | {"eps0 promised": cell.eps0.iloc[0], "proven": cell.proven.iloc[0]}
            | {"median error": cell.error.median(), "largest error": cell.error.max()}
            | {"failures": failures, "trials": len(cell)}
            | {"share, low": share.low, "share, high": share.high}
        )
    return {"rates": pd.DataFrame(found)}


CLAIM = Claim(
    id="sparsifier",
    place="Lemma A.8",
    statement="s = C eps0^-2 d log(d/delta) rows drawn by leverage scores keep A^T D A within eps0",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=8,
    uses=PROBLEM_OPTIONS,
)
