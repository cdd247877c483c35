"""The method on every real instance: solvers, conditioning, fit, and the theorem's part in it."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
import pandas as pd

from experiments._large_data_figures import CAPTIONS, draw, tables
from experiments._verdicts import counterexample, joined, row_of_largest
from experiments.claim import Claim, Conclusion, Verdict
from experiments.large_data_measure import DEFAULT, measure
from experiments.runs import LoggedRun

__all__ = ["CAPTIONS", "CLAIM", "DEFAULT", "headline"]

#: Relative error that the default solver has to reach.
GOAL = 1e-8
#: Steps a nat of accuracy that the theorem grants.
PER_NAT = 1.0 / log(2.5)
#: Assumptions of the theorem in words.
ASSUMPTIONS = {
    "A_norm": "|A| <= R",
    "x_norm": "|x*| <= R",
    "weights": "min w^2 >= C + l / sigma_min^2",
    "target": "b >= 0, sum(b) <= 1",
    "alpha": "alpha >= beta on the way",
    "start": "M |x0 - x*| <= 0.1 l",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the default solver, the minimisers, the count of steps and the assumptions."""
    table = joined(runs)
    own = table[table["solver"] == DEFAULT]
    once = table.drop_duplicates(["data", "problem"])
    verdicts = [
        _all(
            "The default solver reaches a relative error of 1e-8 on every real instance",
            own.assign(good=own["left"] <= GOAL),
            runs,
            f"worst error {own['left'].max():.1e}",
            f"{GOAL:.0e}",
            "In the norm of the Hessian at x*; where a solve ended near another minimiser, by "
            "Newton's decrement there.",
            float(GOAL / own["left"].max()) if own["left"].max() > 0 else None,
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
            table[table["left"] <= 1e-6].assign(good=lambda t: t["same"].astype(bool)),
            runs,
            _elsewhere(table),
            "none elsewhere",
            "The loss is not convex: a solve may go right and still end elsewhere. Counted are "
            "solves that reach 1e-6 of the minimiser they are near.",
        ),
        *_steps(own, runs),
        _fastest(table, runs),
    ]
    return verdicts + [_assumption(once, runs, key) for key in ASSUMPTIONS]


def _all(
    statement: str,
    table: pd.DataFrame,
    runs: Sequence[LoggedRun],
    measured: str,
    bound: str,
    reason: str,
    looseness: float | None = None,
) -> Verdict:
    """Judge a statement about every row by the column ``good``."""
    bad = table[~table["good"].astype(bool)]
    conclusion = Conclusion.VIOLATED if len(bad) else Conclusion.HOLDS
    if not len(table):
        conclusion = Conclusion.UNDECIDED
    where = ", ".join(sorted({f"{r.data} ({r.problem})" for r in bad.itertuples()}))
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured=f"{len(table) - len(bad)} of {len(table)}; {measured}",
        bound=bound,
        cases=len(table),
        reason=f"{reason} Not so on: {where}." if len(bad) else reason,
        looseness=looseness,
        counterexample=counterexample(runs, str(bad.iloc[0]["run"]), "rows.npz")
        if len(bad)
        else None,
    )


def _elsewhere(table: pd.DataFrame) -> str:
    other = table[(table["left"] <= 1e-6) & ~table["same"].astype(bool)]
    if not len(other):
        return "one minimiser each"
    gap = (other["loss"] / other["best"] - 1.0).abs().max()
    return f"losses differ by up to {gap:.1e} of x*'s"


def _steps(own: pd.DataFrame, runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge steps from the start, and from a relative error of 1e-2 on."""
    table = own[own["steps_8"].notna()]
    allowed = int(np.ceil(8 * log(10.0) * PER_NAT))
    rate = (table["steps_8"] - table["steps_2"]) / (6 * log(10.0))
    steepest = float(rate.max()) if len(table) else float("nan")
    most = float(table["steps_8"].max()) if len(table) else float("nan")
    return [
        _all(
            "The default solver needs at most the theorem's ln(1/eps) / ln(2.5) steps to 1e-8",
            table.assign(good=table["steps_8"] <= allowed),
            runs,
            f"{most:.0f} steps",
            f"{allowed} steps",
            "From x0 = 0, where the theorem promises nothing: its start lies within its radius "
            "of x*. Solves that ended in x* only.",
            allowed / most if most > 0 else None,
        ),
        _all(
            "From 1e-2 on, steps grow at most like the theorem's 1 / ln(2.5) a nat",
            table.assign(good=rate <= PER_NAT),
            runs,
            f"{steepest:.2g} steps a nat",
            f"{PER_NAT:.3g} steps a nat",
            "Steps from a relative error of 1e-2 to one of 1e-8, over 13.8 nats.",
            PER_NAT / steepest if steepest > 0 else None,
        ),
    ]


def _fastest(table: pd.DataFrame, runs: Sequence[LoggedRun]) -> Verdict:
    """Judge the times to 1e-8; runs that shared their cores decide nothing."""
    timed = {run.run_id for run in runs if run.tags.get("timing_valid") == "true"}
    found = table[table["run"].isin(timed)]
    wide = found.pivot_table(index=["run", "data", "problem"], columns="solver", values="seconds_8")
    if DEFAULT not in wide or len(wide.columns) < 2:
        wide = wide.iloc[:0].assign(**{DEFAULT: np.nan})
    wide = wide[wide[DEFAULT].notna()]
    others = wide.drop(columns=DEFAULT).min(axis=1).fillna(np.inf)
    ratio = wide[DEFAULT] / others
    worst = f"{ratio.max():.2g} of the best other's time at most" if len(ratio) else "not timed"
    return _all(
        "The default solver is the fastest to 1e-8",
        ratio.rename("good").le(1.0).reset_index(),
        runs,
        worst,
        "1",
        "Solver seconds; a solver that does not reach 1e-8 within the time limit counts as slower.",
        float(1.0 / ratio.max()) if len(ratio) and ratio.max() > 0 else None,
    )


def _assumption(once: pd.DataFrame, runs: Sequence[LoggedRun], key: str) -> Verdict:
    column = f"holds_{key}"
    found = once[once[column].notna()] if column in once else once.iloc[:0].assign(**{column: True})
    return _all(
        f"Assumption of Theorem 9.1 on real data: {ASSUMPTIONS[key]}",
        found.assign(good=found[column].astype(bool)),
        runs,
        "instances and problems on which it holds",
        "all",
        "With the relative weights that leave something to fit, and A as it comes (R = |A|).",
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
        f"{own['condition'].max():.0e}."
    )


CLAIM = Claim(
    "large_data",
    "ours, Theorem 9.1",
    "The method works on real data: every instance is solved to 1e-8, in steps that grow with the "
    "logarithm of the accuracy, to a minimiser with a positive definite Hessian.",
    judge,
    draw,
    tables,
    measure,
)
