"""How often something random fails, instance by instance, against the rate that is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from experiments.kit.claim import Conclusion
from experiments.kit.statistics import Interval, clopper_pearson, detectable_rate

__all__ = ["FailureRates"]

#: Of all intervals of one statement together.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class FailureRates:
    """Failures of repeated trials on several instances.

    A statement "fails with probability delta at most" is made of every instance, over the random
    numbers alone. So an instance on which failures are more frequent for certain refutes it, and
    it holds where they are less frequent on each. Trials of one instance are independent of each
    other; they say nothing of other instances.

    Attributes
    ----------
    by_instance
        ``instance``, ``failures``, ``trials``, ``share`` with ``low`` and ``high``: exact
        intervals that hold together, the largest share first.
    delta
        The rate that is allowed.
    """

    by_instance: pd.DataFrame
    delta: float

    @classmethod
    def of(cls, trials: pd.DataFrame, instance: str, delta: float) -> FailureRates:
        """Count trials, one a row with ``failed``, by the column that tells instances apart."""
        cells = trials.groupby(instance, sort=False).failed
        level = 1.0 - (1.0 - CONFIDENCE) / max(1, cells.ngroups)
        rows: list[dict[str, Any]] = []
        for name, failed in cells:
            share = clopper_pearson(int(failed.sum()), len(failed), level)
            rows.append(
                {"instance": name, "failures": int(failed.sum()), "trials": len(failed)}
                | {"share": share.value, "low": share.low, "high": share.high}
            )
        table = pd.DataFrame(rows).sort_values(["share", "high"], ascending=False, kind="stable")
        return cls(table.reset_index(drop=True), delta)

    @property
    def worst(self) -> Any:
        """The row of the instance that fails most often."""
        return self.by_instance.iloc[0]

    @property
    def conclusion(self) -> Conclusion:
        """Violated by one instance for certain; holds on each for certain; or not decided."""
        if (self.by_instance.low > self.delta).any():
            return Conclusion.VIOLATED
        if (self.by_instance.high <= self.delta).all():
            return Conclusion.HOLDS
        return Conclusion.UNDECIDED

    @property
    def largest(self) -> Interval:
        """The largest share with its interval."""
        return Interval(float(self.worst.share), float(self.worst.low), float(self.worst.high))

    def told(self) -> str:
        """Say how many failed, and what the trials could have seen."""
        table = self.by_instance
        trials = int(table.trials.min())
        return (
            f"{int(table.failures.sum())} failures in {int(table.trials.sum()):,} trials on "
            f"{len(table)} instances; exact binomial intervals by instance, "
            f"{CONFIDENCE:.0%} for all of them together. {trials} trials on an instance would show "
            f"failures from a rate of {detectable_rate(trials):.2g} on."
        )
