"""Theorem 9.1: what a step costs, and how that grows with n, d and nnz(A)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from experiments.claims.sampling.cost_per_iteration_measure import COMPARED_SOLVERS, measure
from experiments.claims.sampling.growth import LIMIT
from experiments.claims.sampling.step_costs import CAPTIONS, draw, families, growths, tables
from experiments.kit.claim import Author, Claim, Conclusion, Counterexample, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.verdicts import command, row_of_largest

__all__ = ["CAPTIONS", "CLAIM", "headline", "judge"]

EXACT, APPROXIMATE = COMPARED_SOLVERS


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the law of a step of Algorithm 1; exact Newton's has to be refused by the same test."""
    return [_law(run, name, families([run])[name]) for run in runs for name in families([run])]


def _law(run: LoggedRun, name: str, table: pd.DataFrame) -> Verdict:
    found = growths(table)
    own, rival = found[APPROXIMATE], found[EXACT]
    conclusion = own.conclusion
    valid = run.tags.get("timing_valid") == "true"
    told = rival.conclusion is Conclusion.VIOLATED
    # A test that lets a Gram matrix of all rows pass says nothing of the method.
    if not valid or (conclusion is Conclusion.HOLDS and not told):
        conclusion = Conclusion.UNDECIDED
    note = "" if told else " The test does not tell it apart here, so nothing is decided."
    note += "" if valid else " The runs shared their cores: their times decide nothing."
    return Verdict(
        statement=f"a step of Algorithm 1 (safeguarded) costs O~(nnz(A) + d^omega), {name} A",
        conclusion=conclusion,
        measured=f"a further entry's seconds grow like d^{own.exponent:.2f}",
        bound=f"d^0 ({LIMIT:g} tolerated)",
        looseness=None,
        cases=len(own.sizes),
        reason=(
            f"Algorithm 1, the safeguarded variant, scores and samples anew at every step: "
            f"{own.told()}. Exact Newton by the same test: {rival.told()}.{note} Processor time; "
            "the paper's omega is below 2.38, the classical product's is 3."
        ),
        counterexample=Counterexample(run, command(run))
        if conclusion is Conclusion.VIOLATED
        else None,
        author=Author.PAPER,
    )


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say where a step of Algorithm 1 is the cheaper one; the paper gives no such size."""
    sizes = tables(runs)["cost_sizes"]
    best = row_of_largest(sizes, sizes.ratio)
    return (
        f"With scores and a sample of its own for every step, a step of Algorithm 1 (safeguarded) "
        f"is the cheaper one at {int((sizes.ratio > 1).sum())} of {len(sizes)} sizes; exact "
        f"Newton's takes {sizes.ratio.min():.2g} to {best.ratio:.2g} times as long, most at "
        f"n = {best.n:,.0f}, d = {best.d:.0f} ({best.A})."
    )


CLAIM = Claim(
    id="cost_per_iteration",
    place="Theorem 9.1",
    statement="a step costs O~(nnz(A) + d^omega)",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=13,
    uses=("problem",),  # with the options that it has by itself
)
