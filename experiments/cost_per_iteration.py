"""Theorem 9.1: what a step costs, and how that grows with n, d and nnz(A)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments._step_costs import (
    draw,
    exponent,
    families,
    part_of,
    sampled,
    speedups,
    tables,
)
from experiments._verdicts import command
from experiments.claim import Claim, Conclusion, Counterexample, Verdict
from experiments.cost_per_iteration_measure import SOLVERS, measure
from experiments.runs import LoggedRun
from experiments.stats import fit_line

__all__ = ["CLAIM", "LIMITS", "judge", "measure"]

#: What the exponent may be: O~(nnz(A) + d^omega) is linear in n and in nnz, and the practical
#: omega is 3. A fifth is tolerated for logarithms and for A outgrowing the caches.
LIMITS = {"n": (1.0, 0.2), "nnz": (1.0, 0.2), "d": (3.0, 0.2)}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the fitted exponents of approximate Newton, and say when it overtakes exact Newton."""
    valid = all(run.tags.get("timing_valid") == "true" for run in runs)
    verdicts = []
    for name, table in families(runs).items():
        if name in ("n", "d", "nnz"):
            run = next(run for run in runs if run.params["experiment.family"] == name)
            verdicts.append(_exponent(run, name, table, valid))
    return verdicts + _overtaking(runs)


def _exponent(run: LoggedRun, name: str, table: pd.DataFrame, valid: bool) -> Verdict:
    chosen, exact = (part_of(sampled(table), solver) for solver in reversed(SOLVERS))
    slope, other = exponent(chosen).slope, exponent(exact).slope
    # Fixed costs flatten the line at small sizes: the largest ones have to hold by themselves.
    tail = exponent(chosen, largest=3).slope
    expected, tolerance = LIMITS[name]
    limit = expected + tolerance
    conclusion = Conclusion.UNDECIDED
    if valid and max(slope.low, tail.low) > limit:
        conclusion = Conclusion.VIOLATED
    elif valid and slope.high <= limit and tail.value <= limit:
        conclusion = Conclusion.HOLDS
    sizes = sorted(chosen["size"].unique())
    note = " The paper's omega is below 2.38; the classical product's is 3." if name == "d" else ""
    return Verdict(
        statement=f"a step of Algorithm 1 costs nnz(A) + d^omega: growth in {name}",
        conclusion=conclusion,
        measured=f"exponent {slope}",
        bound=f"at most {expected:g} ({tolerance:g} tolerated)",
        looseness=None,
        cases=len(chosen),
        reason=(
            f"Medians of {len(sizes)} sizes from {sizes[0]:.3g} to {sizes[-1]:.3g}; the largest "
            f"three alone give {tail}. Exact Newton's exponent over the same is {other}.{note}"
        ),
        counterexample=Counterexample(run, command(run))
        if conclusion is Conclusion.VIOLATED
        else None,
    )


def _overtaking(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Report the n / d at which a step of approximate Newton becomes the cheaper one."""
    verdicts = []
    for table in families(runs).values():
        if table.vary.iloc[0] != "n":
            continue
        d, speedup = int(table.d.iloc[0]), speedups(table)
        met = speedup.index[speedup >= 1]
        if len(met):
            measured = f"n/d = {met[0] / d:.3g} (measured)"
            conclusion = Conclusion.HOLDS
            say = "It is overtaken within the sizes that were run."
        else:
            tail = speedup.iloc[-3:]
            line = fit_line(np.log(tail.index), np.log(tail))
            conclusion = Conclusion.UNDECIDED
            measured = f"not reached by n/d = {speedup.index[-1] / d:.3g}"
            say = "The ratio of the last three sizes grows too unsurely to extrapolate from."
            if line.slope.low > 0:
                reach = np.exp(-line.intercept.value / line.slope.value) / d
                say = f"Extrapolated, not measured, from the last three sizes: n/d = {reach:.2g}."
        verdicts.append(
            Verdict(
                statement=f"a step of Algorithm 1 is the cheaper one at d = {d} and large n",
                conclusion=conclusion,
                measured=measured,
                bound="the paper gives none",
                looseness=None,
                cases=len(table),
                reason=(
                    f"{say} Exact over approximate seconds: from "
                    f"{float(speedup.min()):.2g} to {float(speedup.max()):.2g}, "
                    f"{float(speedup.iloc[-1]):.2g} at the largest n."
                ),
            )
        )
    return verdicts


CLAIM = Claim(
    id="cost_per_iteration",
    place="Theorem 9.1",
    statement="a step costs O~(nnz(A) + d^omega)",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
)
