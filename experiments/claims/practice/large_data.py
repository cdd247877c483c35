"""The method on every real instance: solvers, conditioning, fit, and the theorem's rate on it."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import pandas as pd

from experiments.claims.practice.large_data_figures import CAPTIONS, against_others, draw, tables
from experiments.claims.practice.large_data_measure import DEFAULT, measure
from experiments.kit.claim import PROBLEM_OPTIONS, START_OPTIONS, Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import detectable_rate
from experiments.kit.verdicts import counterexample, joined, row_of_largest
from softres.theory.predictions import CONTRACTION

__all__ = ["CAPTIONS", "CLAIM", "DEFAULT", "headline"]

#: Relative error that the default solver has to reach.
GOAL = 1e-8
#: The paper's method, with a line search, a trust region and the exact rank-two part.
ALGORITHM_1 = "approx_newton"
#: Share of the rows up to which a sample leaves rows out; with all of them it is exact Newton.
SAMPLED = 0.9
#: Steps a nat of accuracy that the theorem grants.
PER_NAT = 1.0 / log(1.0 / CONTRACTION)
#: Data sets that a statement about every one needs at least: as many would have shown, almost
#: always, what goes wrong on half of them.
ENOUGH = 5


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the default solver, the minimisers, and the rate of Algorithm 1.

    All statements are ours: the theorem's assumptions hold on none of these instances, see the
    table of them, and nobody has said that one solver is faster than another.
    """
    table = joined(runs)
    own = table[table["solver"] == DEFAULT]
    # A slow or busy machine is no fault of the solver.
    late = own["status"].str.startswith("time limit") & (own["left"] > GOAL)
    once = table.drop_duplicates(["data", "problem"])
    near = table[table["left"] <= 1e-6]
    return [
        _all(
            "The default solver reaches a relative error of 1e-8 on every real instance",
            own.assign(good=own["left"] <= GOAL),
            runs,
            f"worst error {own[~late]['left'].max():.1e}",
            f"{GOAL:.0e}",
            "In the norm of the Hessian at x*; where a solve ended near another minimiser, by "
            "Newton's decrement there.",
            float(GOAL / own["left"].max()) if own["left"].max() > 0 else None,
            late=late,
        ),
        _all(
            "The Hessian is positive definite at x*, on the range of A^T",
            once.assign(good=once["definite"].astype(bool) & once["certified"].astype(bool)),
            runs,
            f"condition {once['condition'].min():.1e} to {once['condition'].max():.1e}",
            "> 0",
            "By a Cholesky factor or by all eigenvalues, with x* known to 1e-9.",
        ),
        _all(
            "Every solver that converges ends in the same minimiser",
            near.assign(good=near["same"].astype(bool)),
            runs,
            _elsewhere(table),
            "none elsewhere",
            "The loss is not convex: a solve may go right and still end elsewhere. Counted are "
            "solves that reach 1e-6 of the minimiser they are near.",
        ),
        _rate(table[table["solver"] == ALGORITHM_1], runs),
    ]


def _all(
    statement: str,
    table: pd.DataFrame,
    runs: Sequence[LoggedRun],
    measured: str,
    bound: str,
    reason: str,
    looseness: float | None = None,
    late: pd.Series[bool] | None = None,
) -> Verdict:
    """Judge a statement about every row by the column ``good``; data sets are what is counted.

    Rows that are ``late`` were cut short: they decide nothing, and neither do the others then
    unless one of them is bad.
    """
    cut = 0 if late is None else int(late.sum())
    rows = len(table)
    table = table if late is None else table[~late]
    bad = table[~table["good"].astype(bool)]
    cases = table["data"].nunique()
    conclusion = Conclusion.VIOLATED if len(bad) else Conclusion.HOLDS
    if not len(bad) and cases < ENOUGH:
        conclusion = Conclusion.UNDECIDED
        reason += (
            f" {cases} data sets are too few: they would have shown what goes wrong on a share of "
            f"{detectable_rate(cases):.2g} of such data."
        )
    if cut and not len(bad):
        conclusion = Conclusion.UNDECIDED
        reason += f" {cut} solves ended on their time limit."
    where = ", ".join(sorted({f"{r.data} ({r.problem})" for r in bad.itertuples()}))
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured=f"{len(table) - len(bad)} of {rows}; {measured}",
        bound=bound,
        cases=cases,
        reason=f"{reason} Not so on: {where}." if len(bad) else reason,
        looseness=looseness,
        counterexample=counterexample(runs, str(bad.iloc[0]["run"]), "rows.npz")
        if len(bad)
        else None,
        author=Author.OURS,
    )


def _elsewhere(table: pd.DataFrame) -> str:
    other = table[(table["left"] <= 1e-6) & ~table["same"].astype(bool)]
    if not len(other):
        return "one minimiser each"
    gap = (other["loss"] / other["best"] - 1.0).abs().max()
    return f"losses differ by up to {gap:.1e} of x*'s"


def _rate(own: pd.DataFrame, runs: Sequence[LoggedRun]) -> Verdict:
    """Judge the steps of Algorithm 1 from a relative error of 1e-2 on, where it samples."""
    sampled = own[own["rows_read"] < SAMPLED]
    found = sampled[sampled["steps_8"].notna()]
    rate = (found["steps_8"] - found["steps_2"]) / (6 * log(10.0))
    steepest = f"{float(rate.max()):.2g} steps a nat at most" if len(rate) else "no such solve"
    return _all(
        "Outside the theorem's assumptions too, steps of Algorithm 1 (safeguarded) grow at most "
        "like its 1 / ln(2.5) a nat from a relative error of 1e-2 on",
        found.assign(good=rate <= PER_NAT),
        runs,
        steepest,
        f"{PER_NAT:.3g} steps a nat",
        "The safeguarded variant, from x0 = 0: steps from a relative error of 1e-2 to one of 1e-8, "
        f"over 13.8 nats, in the norm of the Hessian at x*. {len(own) - len(sampled)} of "
        f"{len(own)} solves are left out, for their samples leave hardly any row out and are exact "
        f"Newton's; {len(sampled) - len(found)} more did not get to 1e-8 of x*.",
        float(PER_NAT / rate.max()) if len(rate) and rate.max() > 0 else None,
    )


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say in one sentence how the default solver does."""
    table = joined(runs)
    own = table[table["solver"] == DEFAULT]
    good = int((own["left"] <= GOAL).sum())
    slowest = row_of_largest(own, own["seconds"])
    return (
        f"On real data the default solver reaches a relative error of 1e-8 in {good} of "
        f"{len(own)} cases, the slowest ({slowest['data']}, {slowest['problem']}) in "
        f"{slowest['seconds']:.3g} s; the Hessian's condition at x* is up to "
        f"{own['condition'].max():.0e}. {_fastest(table, runs)}"
    )


def _fastest(table: pd.DataFrame, runs: Sequence[LoggedRun]) -> str:
    """Compare the times to 1e-8; runs that shared their cores say nothing."""
    timed = {run.run_id for run in runs if run.tags.get("timing_valid") == "true"}
    ratio = against_others(table[table["run"].isin(timed)])
    if not len(ratio):
        return "Its times were not compared."
    return (
        f"It is the fastest solver to 1e-8 on {int((ratio <= 1).sum())} of {len(ratio)}, and takes "
        f"at most {ratio.max():.2g} times as long as the best other one."
    )


CLAIM = Claim(
    "large_data",
    "ours",
    "The method works on real data: every instance is solved to 1e-8, to a minimiser with a "
    "positive definite Hessian, and the steps of Algorithm 1 (safeguarded) grow with the "
    "logarithm of the accuracy.",
    judge,
    draw,
    tables,
    measure,
    order=17,
    uses=(*PROBLEM_OPTIONS, *START_OPTIONS),  # eps and time_limit are options of the experiment
    any_data=True,
)
