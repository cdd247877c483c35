"""Whether the quick and the full profile come to the same conclusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from experiments.kit.claim import Conclusion, Verdict
from experiments.report.collect import JudgedClaim

__all__ = ["OTHER", "Agreement", "agreement"]

#: The profile that each one is held against.
OTHER = {"quick": "full", "full": "quick"}


@dataclass(frozen=True)
class Agreement:
    """What two profiles say of the statements that both judge.

    Attributes
    ----------
    compared
        Statements that both judge.
    conflicts
        In words, those that they decide differently, with the reasons of both.
    opened
        In words, those that only one of them decides.
    """

    compared: int = 0
    conflicts: Sequence[str] = field(default_factory=tuple)
    opened: Sequence[str] = field(default_factory=tuple)

    @property
    def told(self) -> list[tuple[str, list[str]]]:
        """What the first page says of it: nothing where nothing could be compared."""
        if not self.compared:
            return []
        same = self.compared - len(self.conflicts) - len(self.opened)
        first = f"Quick and full agree on {same} of the {self.compared} statements that both judge."
        return [("Profiles", [first, *self.conflicts, *self.opened])]


def agreement(
    profile: str, judged_claims: Sequence[JudgedClaim], others: Mapping[str, JudgedClaim]
) -> Agreement:
    """Compare the verdicts of a profile with those of the other, by claim and statement.

    Parameters
    ----------
    profile
        Whose ``judged_claims`` are.
    others
        The other profile's, by the claim's id.
    """
    compared = 0
    conflicts: list[str] = []
    opened: list[str] = []
    for judged in judged_claims:
        other = others.get(judged.id)
        known = {v.statement: v for v in other.verdicts} if other is not None else {}
        for verdict in judged.verdicts:
            against = known.get(verdict.statement)
            if against is None:
                continue
            compared += 1
            if verdict.conclusion is against.conclusion:
                continue
            text = (
                f"{judged.id}: {verdict.statement}: {_said(profile, verdict)} "
                f"{_said(OTHER[profile], against)}"
            )
            undecided = Conclusion.UNDECIDED in (verdict.conclusion, against.conclusion)
            (opened if undecided else conflicts).append(text)
    return Agreement(compared, conflicts, opened)


def _said(profile: str, verdict: Verdict) -> str:
    return (
        f"{profile} says {verdict.conclusion.value}, measured {verdict.measured} in "
        f"{verdict.cases:,} cases. {verdict.reason}"
    )
