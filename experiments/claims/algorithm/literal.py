"""Algorithm 1 to the letter, ``variant=paper``: 0.4 a step, 1 - delta, T, and where it stops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.claims.algorithm.literal_figures import draw, tables
from experiments.claims.algorithm.literal_map import CELL, INSTANCE, largest_failing, outside
from experiments.claims.algorithm.literal_measure import SANDWICH, STATED, measure
from experiments.claims.sampling.failure_rates import FailureRates
from experiments.kit.cells import count, sight
from experiments.kit.claim import Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import clopper_pearson
from experiments.kit.verdicts import counterexample, joined, row_of_largest, undecided
from softres.theory.predictions import CONTRACTION

__all__ = ["CAPTIONS", "CLAIM", "judge"]

#: Share of the steps that may leave the factor.
ALLOWED = 0.01
UNCERTIFIED = "No certified case was measured."
#: Below this share of the loss, nothing was left to solve.
FITTED = 1e-3
NORMS = {"l2": "the Euclidean norm", "H": "the H-norm"}
WEIGHTS = {
    STATED: "w^2 = 200 exp(R^2) + l / sigma_min^2",
    SANDWICH: "the smallest w^2 with the sandwich at x0 and x*",
}

CAPTIONS = {
    "literal": "Algorithm 1 to the letter (variant=paper) against w^2 over the largest "
    "v^2/alpha^2 at x0, by R: the factor of a step near x* in the worst direction, H-norm, the "
    "worst of the draws. Crosses at the top: D = B_diag + W^2 has negative entries and the method "
    "has no step. Few rows: n = 60, where every row is kept and only the dropped rank-two part "
    "is lost",
    "literal_map": "The largest w^2 over max v^2/alpha^2 at x0, of the levels tried, from which "
    "down variant=paper leaves the factor 0.4, diverges (factor above 1), or has a negative entry "
    "in D; and what the sandwich needs. Empty: not at any level",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the factor in both norms inside the sandwich, whole runs, and the weights below."""
    table = joined(runs, "seed", "d", "experiment.delta")
    table = table[table["certified"].astype(bool)]
    # Where every row is kept nothing is drawn: those are on the map, and no part of a share.
    drawn = table[table["kept"] < 1.0]
    verdicts = [
        _factor(runs, drawn[drawn["level"] == level], level, norm)
        for level in (STATED, SANDWICH)
        for norm in NORMS
    ]
    return [*verdicts, _runs(runs, drawn[drawn["level"] == STATED]), _below(runs, table)]


def _factor(runs: Sequence[LoggedRun], table: pd.DataFrame, level: str, norm: str) -> Verdict:
    """Judge that 99% of the steps contract by 0.4, whatever direction they start in."""
    draws = table[table["part"] == "draw"]
    column = f"factor_{norm}"
    author = Author.PAPER if (level, norm) == (STATED, "l2") else Author.OURS
    statement = (
        f"Algorithm 1 to the letter (variant=paper), {WEIGHTS[level]}: a step near x* contracts by "
        f"{CONTRACTION} in {NORMS[norm]}, in 99% of steps"
    )
    if draws.empty:
        return undecided(statement, UNCERTIFIED, author=author)
    bad = draws[~(draws[column] <= CONTRACTION)]
    share = clopper_pearson(len(bad), len(draws))
    worst = row_of_largest(draws, draws[column].clip(upper=1e300))
    conclusion = Conclusion.UNDECIDED
    if share.low > ALLOWED:
        conclusion = Conclusion.VIOLATED
    elif share.high <= ALLOWED:
        conclusion = _unless_empty(table)
    reason = (
        f"{len(bad)} of {len(draws):,} draws leave it, a share of {share:.2g}, in "
        f"{count(bad, INSTANCE)} of {count(draws, INSTANCE)} instances; {draws['kept'].mean():.0%} "
        f"of the rows are kept. The worst direction counts. The worst: {_named(worst)}, condition "
        f"of H {worst['condition_H']:.2g}, where dropping the rank-two part alone costs "
        f"{worst[f'dropped_{norm}']:.2g}. {_fall(table)} {sight(count(draws, CELL))}"
    )
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured=f"factor {worst[column]:.3g}; {share.value:.2%} of steps leave {CONTRACTION}",
        bound=f"{CONTRACTION} in {1 - ALLOWED:.0%}",
        looseness=CONTRACTION / float(worst[column]),
        cases=count(draws, INSTANCE),
        reason=reason,
        counterexample=counterexample(runs, str(worst["run"]), f"{level}_{norm}.npz")
        if conclusion is Conclusion.VIOLATED
        else None,
        author=author,
    )


def _runs(runs: Sequence[LoggedRun], table: pd.DataFrame) -> Verdict:
    """Judge that a run meets eps within T steps with probability 1 - delta."""
    solved = table[table["part"] == "run"]
    statement = (
        f"Algorithm 1 to the letter (variant=paper), {WEIGHTS[STATED]}: from x0 = 0 it reaches eps "
        "in T = log(|x0 - x*| / eps) steps with probability 1 - delta"
    )
    if solved.empty:
        return undecided(statement, UNCERTIFIED, author=Author.PAPER)
    delta = float(solved["experiment.delta"].iloc[0])
    named = solved.assign(instance=[_named(row) for _, row in solved.iterrows()])
    rates = FailureRates.of(named, "instance", delta)
    conclusion = rates.conclusion
    if conclusion is Conclusion.HOLDS:
        conclusion = _unless_empty(table)
    failing = named[named["instance"] == rates.worst["instance"]].iloc[0]
    violated = conclusion is Conclusion.VIOLATED
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured=f"share of failures {rates.largest:.2g}; at most {int(solved['steps'].max())} "
        f"steps of T = {int(solved['T'].max())}",
        bound=f"delta = {delta:g}",
        looseness=delta / rates.largest.high,
        cases=count(solved, INSTANCE),
        reason=f"{rates.told()} The largest factor of a step is {solved['factor_H'].max():.2g} in "
        f"the H-norm and {solved['factor_l2'].max():.2g} in l2. By the factor alone T = log is too "
        f"few, {CONTRACTION}^T = eps^{np.log(1 / CONTRACTION):.2f} with the natural logarithm; "
        f"the steps are better than that. {_fall(table)}",
        counterexample=counterexample(runs, str(failing["run"])) if violated else None,
        author=Author.PAPER,
    )


def _below(runs: Sequence[LoggedRun], table: pd.DataFrame) -> Verdict:
    """Judge the weights below the sandwich's: where the factor is left, and how."""
    below = outside(table)
    statement = (
        "Below the sandwich's weights too, every step of Algorithm 1 to the letter (variant=paper) "
        f"contracts by {CONTRACTION} in the H-norm"
    )
    if below.empty:
        return undecided(statement)
    failing = below[~(below["factor_H"] <= CONTRACTION)]
    kinds = {
        f"leaves {CONTRACTION}": "left",
        "diverges": "diverges",
        "has a negative entry in D and no step": "negative",
    }
    told, first = [], None
    for words, kind in kinds.items():
        found = largest_failing(below, kind)
        if found is None:
            told.append(f"nowhere {words}")
            continue
        told.append(f"{words} at w^2 = {found['relative']:.2g} of max v^2/alpha^2 at most")
        if first is None or found["relative"] > first["relative"]:
            first = found
    conclusion = Conclusion.HOLDS if first is None else Conclusion.VIOLATED
    examples = f" First: {_named(first)}." if first is not None else ""
    worst = below["factor_H"].replace(np.inf, np.nan).max()
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured="; ".join(told),
        bound=f"factor {CONTRACTION}",
        cases=count(below, INSTANCE),
        reason=f"{count(failing, INSTANCE)} of {count(below, INSTANCE)} instances fail at some "
        f"weight; the largest factor of a step that there is, is {worst:.2g}.{examples} The map is "
        "the table of this claim. The safeguarded variant goes on in all of these.",
        counterexample=None if first is None else counterexample(runs, str(first["run"])),
    )


def _unless_empty(table: pd.DataFrame) -> Conclusion:
    return Conclusion.EMPTY if float(table["loss_fall"].max()) < FITTED else Conclusion.HOLDS


def _fall(table: pd.DataFrame) -> str:
    return f"From x0 = 0 to x* the loss falls by at most {table['loss_fall'].max():.1g} of itself."


def _named(row: pd.Series) -> str:
    return (
        f"{row['rows']} rows, n = {row['n']}, R = {row['R']:g}, condition of A "
        f"{row['condition']:g}, seed {row['seed']}"
    )


CLAIM = Claim(
    id="literal",
    place="Algorithm 1, Lemma A.11, Theorem 9.1",
    statement="Algorithm 1 to the letter (variant=paper) contracts by 0.4 a step and reaches eps "
    "in T = log(|x0 - x*| / eps) steps with probability 1 - delta.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=11,
    uses=("eps",),
)
