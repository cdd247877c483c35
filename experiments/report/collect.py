"""From finished runs to judged claims: one a claim, whatever is missing."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType

from experiments.kit.claim import Claim, Verdict
from experiments.kit.runs import LoggedRun, load_runs
from experiments.report.planned import gap
from softres.common.discovery import module_of
from softres.tracking import TrackingOptions

__all__ = ["NO_RUNS", "JudgedClaim", "judge_claim"]

#: What stands for a verdict where there are no runs.
NO_RUNS = "no runs yet"


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with what its runs say.

    Attributes
    ----------
    id
        The claim's id.
    claim
        ``None`` where its module is not written yet or cannot be loaded.
    runs
        Finished runs of the profile.
    verdicts
        From the runs; empty without runs.
    note
        Why there is no verdict, or what went wrong; empty where all is well.
    headline
        One or two sentences for the first page, where the module has a ``headline(runs)``.
    captions
        Words for figures and tables by name, the module's ``CAPTIONS``.
    gap
        Which jobs of the sweep have no finished run; empty where all have one.
    """

    id: str
    claim: Claim | None = None
    runs: Sequence[LoggedRun] = ()
    verdicts: Sequence[Verdict] = ()
    note: str = ""
    headline: str = ""
    captions: Mapping[str, str] = field(default_factory=dict)
    gap: str = ""

    @property
    def comparison(self) -> bool:
        """Whether the claim compares and asks for no verdict."""
        return self.claim is not None and self.claim.comparison

    @property
    def standing(self) -> str:
        """What stands in the place of verdicts where there are none."""
        return self.note or ("compared, not judged" if self.comparison else "no verdict")

    @property
    def broken(self) -> bool:
        """Whether an error, not a lack of runs, keeps the claim from its verdict."""
        return bool(self.note) and self.note != NO_RUNS


def judge_claim(
    name: str, options: TrackingOptions, profile: str, theorem: str = ""
) -> JudgedClaim:
    """Load and judge a claim's runs, those of one theorem where one is named.

    An error in its module is a note of its own: one claim must not take the report of the
    others with it.
    """
    try:
        module = module_of("claim", name)
        tested: Claim = module.CLAIM
    except Exception as error:
        return JudgedClaim(name, note=_told(error))
    bare = JudgedClaim(name, tested, captions=getattr(module, "CAPTIONS", {}))
    database = options.database
    if database is not None and not database.is_file():
        return replace(bare, note=NO_RUNS)  # looking for runs would make an empty store
    try:
        runs = load_runs(replace(options, experiment=name), profile)
        if theorem:
            runs = [run for run in runs if run.params.get("experiment.theorem") == theorem]
        if not runs:
            return replace(bare, note=NO_RUNS)
        bare = replace(bare, runs=runs, gap=gap(name, profile, runs, theorem))
        return replace(bare, verdicts=tested.judge(runs), headline=_headline(module, runs))
    except Exception as error:
        traceback.print_exc()
        return replace(bare, note=_told(error))


def _headline(module: ModuleType, runs: Sequence[LoggedRun]) -> str:
    tell: Callable[[Sequence[LoggedRun]], str] | None = getattr(module, "headline", None)
    return tell(runs) if tell is not None else ""


def _told(error: Exception) -> str:
    return f"not judged, {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
