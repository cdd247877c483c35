"""The order in which the paper's conclusions fail as the weights shrink."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from experiments.claims.practice.frontier import EPS
from experiments.kit.verdicts import row_of_largest
from softres.theory.predictions import CONTRACTION, predicted_steps

__all__ = ["CONCLUSIONS", "Break", "breaks", "sentence"]

#: What Theorem 9.1 and its lemmas conclude, as a test of one case.
CONCLUSIONS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "H >= l I on the path": lambda t: t["strongly_convex"].astype(bool),
    "H positive definite on the path": lambda t: t["negative_eigenvalues"] == 0,
    f"factor {CONTRACTION} at every step (H-norm)": lambda t: t["contraction_H"] <= CONTRACTION,
    f"factor {CONTRACTION} at every step (l2)": lambda t: t["contraction_l2"] <= CONTRACTION,
    f"factor {CONTRACTION} near x* (H-norm)": lambda t: ~(t["local_contraction_H"] > CONTRACTION),
    f"T <= {predicted_steps(EPS)} steps to {EPS:.0e}": lambda t: (
        t["approx_converged"].astype(bool) & (t["approx_steps"] <= predicted_steps(EPS))
    ),
}


@dataclass(frozen=True)
class Break:
    """Where a conclusion first fails as w^2 falls.

    Attributes
    ----------
    conclusion
        Which.
    share
        The largest w^2 at which it fails, over the theorem's; ``None`` if it never fails.
    relative
        That w^2 over the largest v^2 / alpha^2 at the start.
    failed, cases
        Cases that fail at that level of the weights, and all cases at it.
    total, everywhere
        Cases that fail at any level, and all cases.
    """

    conclusion: str
    share: float | None
    relative: float
    failed: int
    cases: int
    total: int
    everywhere: int


def breaks(table: pd.DataFrame) -> list[Break]:
    """Return every conclusion with where it first fails, the first to fail first."""
    found = [_break(table, name, test(table)) for name, test in CONCLUSIONS.items()]
    return sorted(found, key=lambda b: -1.0 if b.share is None else b.share, reverse=True)


def _break(table: pd.DataFrame, name: str, holds: pd.Series) -> Break:
    total, everywhere = int((~holds).sum()), len(table)
    if total == 0:
        return Break(name, None, 0.0, 0, 0, 0, everywhere)
    # A level is another share of the theorem's weights in every instance: the case itself counts.
    first = row_of_largest(table[~holds], table.loc[~holds, "w2_over_theorem"])
    at = table["level"] == first["level"]
    return Break(
        conclusion=name,
        share=float(first["w2_over_theorem"]),
        relative=float(first["relative"]),
        failed=int((~holds & at).sum()),
        cases=int(at.sum()),
        total=total,
        everywhere=everywhere,
    )


def sentence(found: Sequence[Break]) -> str:
    """Say what breaks first, what next, and what never does."""
    failing = [b for b in found if b.share is not None]
    if not failing:
        return "Nothing breaks as w² falls from the theorem's value to 0."
    first, *rest = [f"“{b.conclusion}” {_where(b)}" for b in failing]
    text = f"As w² falls from the theorem's value, the first to break is {first}"
    if rest:
        text += f"; next {'; '.join(rest)}"
    never = [f"“{b.conclusion}”" for b in found if b.share is None]
    return text + "." + (f" Down to w² = 0 {' and '.join(never)} never broke." if never else "")


def _where(found: Break) -> str:
    share = found.share or 0.0
    if share >= 1:
        at = "at the theorem's own w²"
    else:
        at = "at w² = 0" if share == 0 else f"at {share:.0e} of it"
    return f"{at} ({found.failed} of {found.cases} cases)"
