"""Theorem 9.1 and Lemma A.8: how often the random part fails, against delta."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from experiments.claims.sampling.failure_rates import FailureRates
from experiments.claims.sampling.success_figures import CAPTIONS, draw, joined_table, named, tables
from experiments.claims.sampling.success_probability_measure import (
    APPROXIMATE,
    OWN,
    PROVEN,
    THEOREM,
    measure,
)
from experiments.kit.claim import PROBLEM_OPTIONS, START_OPTIONS, Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.verdicts import counterexample, row_of_largest
from softres.theory.predictions import CONTRACTION

__all__ = ["CAPTIONS", "CLAIM", "draw", "judge"]

#: Where the data term falls by a smaller share than this, nothing was fitted.
FITTED = 1e-2


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge failures of the sparsifier and of whole runs against delta, instance by instance."""
    table = joined_table(runs)
    delta = float(table["experiment.delta"].iloc[0])
    draws = table[table.part == "sparsifier"]
    approximate = draws[draws.draw == APPROXIMATE]
    verdicts = [
        *_constants(runs, approximate, delta),
        *_proven(runs, draws[draws.draw == PROVEN], delta),
    ]
    whole = table[table.part == "run"]
    for regime in (THEOREM, OWN):
        part = whole[whole.regime == regime]
        # What exact Newton fails at from the same start is no matter of chance.
        fair = part[part.factor_exact <= CONTRACTION] if len(part) else part
        if len(fair):
            left_out = part.run.nunique() - fair.run.nunique()
            verdicts.append(_runs(runs, fair, regime, delta, left_out))
    return verdicts


def _constants(runs: Sequence[LoggedRun], draws: pd.DataFrame, delta: float) -> list[Verdict]:
    """Judge every C by itself, as ours, and the lemma, which leaves it open, by the largest."""
    verdicts = []
    for C, cell in draws.groupby("C"):
        rates = FailureRates.of(cell, "run", delta)
        verdicts.append(
            _sparsifier(
                runs,
                cell,
                rates,
                f"C = {C:g} is enough for Lemma A.8: s = C eps0^-2 d log(d/delta) rows drawn by "
                "approximate leverage scores are within eps0 with probability 1 - delta",
                "C is an option of the solver.",
                example=f"worst_{C:g}.npz",
            )
        )
    if len(draws):
        C = float(draws.C.max())
        cell = draws[draws.C == C]
        rates = FailureRates.of(cell, "run", delta)
        # A constant that is too small says nothing of a larger one.
        met = rates.conclusion is Conclusion.HOLDS
        verdicts.append(
            _sparsifier(
                runs,
                cell,
                rates,
                "Lemma A.8: for some constant C, s = C eps0^-2 d log(d/delta) rows drawn by "
                "approximate leverage scores are within eps0 with probability 1 - delta",
                f"Tried with C = {C:g}.",
                author=Author.PAPER,
                conclusion=Conclusion.HOLDS if met else Conclusion.UNDECIDED,
            )
        )
    return verdicts


def _proven(runs: Sequence[LoggedRun], draws: pd.DataFrame, delta: float) -> list[Verdict]:
    if not len(draws):
        return []
    named = draws.assign(cell=draws.run + " " + draws.sampling)
    rates = FailureRates.of(named, "cell", delta)
    return [
        _sparsifier(
            runs,
            draws,
            rates,
            "s = (2 + 2 eps0/3) eps0^-2 d log(2d/delta) rows drawn by exact leverage scores are "
            "within eps0 with probability 1 - delta",
            "Proven by a matrix Chernoff bound (softres.theory.sample_size), for rows drawn with "
            "replacement and for rows kept independently; both are counted as instances here.",
            example=f"worst_{row_of_largest(draws, draws.measured).sampling}.npz",
            derived=True,
        )
    ]


def _sparsifier(
    runs: Sequence[LoggedRun],
    cell: pd.DataFrame,
    rates: FailureRates,
    statement: str,
    note: str,
    *,
    author: Author = Author.OURS,
    derived: bool = False,
    conclusion: Conclusion | None = None,
    example: str = "",
) -> Verdict:
    conclusion = conclusion or rates.conclusion
    worst = row_of_largest(cell, cell.measured)
    failing = cell[cell.run == str(rates.worst["instance"]).split()[0]]
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured=f"share of failures {rates.largest:.2g} {_where(rates, failing)}",
        bound=f"delta = {rates.delta:g}",
        looseness=rates.delta / rates.largest.high,
        cases=cell.run.nunique(),
        reason=f"{note} {rates.told()} The largest spectral error is {worst.measured:.3g} eps0.",
        counterexample=counterexample(runs, str(failing.run.iloc[0]), example)
        if conclusion is Conclusion.VIOLATED
        else None,
        author=author,
        derived=derived,
    )


def _runs(
    runs: Sequence[LoggedRun], cell: pd.DataFrame, regime: str, delta: float, left_out: int
) -> Verdict:
    """Judge whole runs; the theorem's own weights leave nothing to fit."""
    rates = FailureRates.of(cell, "run", delta)
    conclusion = rates.conclusion
    fitted = float(cell.fitted.max())
    if conclusion is Conclusion.HOLDS and fitted < FITTED:
        conclusion = Conclusion.EMPTY
    failing = cell[cell.run == rates.worst["instance"]]
    late = int((cell.status != "converged").sum())
    steep = int((cell.factor_H > CONTRACTION).sum())
    words = {
        THEOREM: "Theorem 9.1, at its weights: a run of Algorithm 1 (safeguarded) contracts by "
        "0.4 at every step (H-norm) and meets eps within the steps that this predicts, with "
        "probability 1 - delta",
        OWN: "At practical weights too, a run of Algorithm 1 (safeguarded) contracts by "
        "0.4 at every step (H-norm) and meets eps within the steps that this predicts, with "
        "probability 1 - delta",
    }
    inside = (
        f"From x0 to x* the Hessian moves by at most {float(cell.moved.max()):.1g} l, as the "
        "theorem's start asks for with the least M; with M as recalled no start in double "
        "precision is near enough."
        if regime == THEOREM
        else "Outside the theorem's hypotheses. Where the rank-two part cancels most of A^T D A, "
        "as on rows along axes, an error of eps0 of A^T D A is a larger one of the Hessian: see "
        "the column left of the table."
    )
    return Verdict(
        statement=words[regime],
        conclusion=conclusion,
        measured=f"share of failures {rates.largest:.2g} {_where(rates, failing)}; "
        f"factor at most {float(cell.factor_H.max()):.2g}",
        bound=f"delta = {delta:g}",
        looseness=delta / rates.largest.high,
        cases=cell.run.nunique(),
        reason=(
            f"The safeguarded variant, with the exact rank-two part. {rates.told()} {late} runs "
            f"miss eps and {steep} have a step with a factor above 0.4; in l2 the largest factor "
            f"is {float(cell.factor_l2.max()):.2g}. The data term falls by at most {fitted:.2g} of "
            f"itself. {inside} {left_out} instances are "
            "left out, where exact Newton has such a step from the same start."
        ),
        counterexample=counterexample(runs, str(failing.run.iloc[0]), f"run_{regime}.npz")
        if conclusion is Conclusion.VIOLATED
        else None,
        author=Author.PAPER if regime == THEOREM else Author.OURS,
    )


def _where(rates: FailureRates, failing: pd.DataFrame) -> str:
    """Name the instance that fails most often, if one fails at all."""
    worst = f"on the worst instance, {named(failing.iloc[0])}"
    return worst if rates.worst.failures else "on every instance"


CLAIM = Claim(
    id="success_probability",
    place="Theorem 9.1, Lemma A.8",
    statement="the random part fails with probability at most delta",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=12,
    uses=(*PROBLEM_OPTIONS, *START_OPTIONS, "eps"),
    any_data=True,
)
