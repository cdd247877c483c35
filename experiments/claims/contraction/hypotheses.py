"""Which steps a lemma speaks of, and which of several failures to show: for Lemmas A.10, A.11."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from experiments.kit.cells import count, sight
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import cluster_bootstrap
from experiments.kit.verdicts import joined

__all__ = ["INSTANCE", "Part", "case_of", "cleanest", "outside_band", "parts", "steps_of"]

#: What kinds of instances differ in: the problems over one A are not independent, nor are seeds.
CELL = ("weights", "n", "d", "data.condition")
#: What instances differ in.
INSTANCE = ("problem", *CELL, "seed")
WITHIN = "softres, the theorem's weights, eps0 <= 4/45, D~ >= 0"
BEYOND = "outside the hypotheses, in problem, weights, eps0 or sign of D~"


@dataclass(frozen=True)
class Part:
    """Steps that are judged together.

    Attributes
    ----------
    rows
        One a step.
    inside
        Whether the lemma speaks of them.
    drawn
        Whether their Hessians are drawn as Algorithm 1 draws them.
    """

    rows: pd.DataFrame
    inside: bool
    drawn: bool

    @property
    def words(self) -> str:
        """Which steps these are, for a statement."""
        how = "H~ as drawn" if self.drawn else "the worst H~ within eps0 of H"
        return f"{WITHIN if self.inside else BEYOND}; {how}"

    @property
    def instances(self) -> int:
        """How many instances the steps are of."""
        return count(self.rows, INSTANCE)

    @property
    def cells(self) -> int:
        """How many kinds of instances the steps are of."""
        return count(self.rows, CELL)


def steps_of(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    """Return the steps of all runs, with what tells instances apart."""
    return joined(runs, *INSTANCE)


def parts(steps: pd.DataFrame) -> Iterator[Part]:
    """Divide steps into those that the lemma speaks of and the others, made and drawn."""
    drawn = steps["kind"] == "sampled"
    inside = steps["inside"].astype(bool)
    for within in (True, False):
        for by_chance in (False, True):
            rows = steps[(inside == within) & (drawn == by_chance)]
            if len(rows):
                yield Part(rows, within, by_chance)


def outside_band(drawn: pd.DataFrame, within: pd.Series[bool]) -> str:
    """Say how often a drawn Hessian was further off than eps0: then no lemma speaks of the step.

    Parameters
    ----------
    drawn
        All steps with drawn Hessians.
    within
        Whether each was within eps0.
    """
    worst = float((drawn["error"] / drawn["eps0"]).max())
    if within.all():
        return (
            f"H~ was within eps0 in all {len(drawn)} draws, at most {worst:.2g} eps0 off. "
            f"{sight(count(drawn, CELL))}"
        )
    clusters = list(drawn[list(CELL)].itertuples(index=False, name=None))
    share = cluster_bootstrap(~within.to_numpy(dtype=bool), clusters, lambda x: float(x.mean()))
    return (
        f"H~ was off by more than eps0 in {share.value:.1%} [{share.low:.1%}, {share.high:.1%}] "
        f"of the draws, which are left out (largest error {worst:.2g} eps0)."
    )


def cleanest(bad: pd.DataFrame, excess: pd.Series[float]) -> Any:
    """Return the failing step to show: of the best conditioned instance, the clearest."""
    least = bad["data.condition"].astype(float)
    # What is kept of a run is its clearest failure, so one run has to be chosen first.
    runs = bad.loc[least == least.min()]
    return runs.iloc[int(excess[runs.index].to_numpy(dtype=float).argmax())]


def case_of(row: Any) -> str:
    """Say which step a row is."""
    return (
        f"{row.problem}, {row.weights} weights, n = {row.n}, d = {row.d}, condition of A "
        f"{row['data.condition']}, seed {row.seed}: {row.kind} error, eps0 = {row.eps0:g}, "
        f"{row.direction} start, condition of H {row.condition:.2g}, smallest D~/D "
        f"{row.diagonal_ratio:.2g}"
    )
