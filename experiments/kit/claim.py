"""What a claim is, and what can be said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import pandas as pd

from experiments.kit.runs import LoggedRun
from softres.harness.probe import ProbeContext

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "PROBLEM_OPTIONS",
    "START_OPTIONS",
    "Author",
    "Claim",
    "Conclusion",
    "Counterexample",
    "Verdict",
]

#: Options of a solve that a measurement may depend on, for ``Claim.uses``.
PROBLEM_OPTIONS = ("problem", "problem.beta", "problem.branch")
START_OPTIONS = ("start.kind", "start.distance")


class Author(Enum):
    """Who makes a statement: a verdict on one's own statement is none on the paper.

    The family is the paper's own sources, where what they state could be confirmed; ``RECALLED``
    is what is remembered of them and could not.
    """

    PAPER = "paper"
    FAMILY = "family"
    RECALLED = "recalled"
    OURS = "ours"


class Conclusion(Enum):
    """What the runs say of a claim."""

    HOLDS = "holds"
    EMPTY = "holds, but empty"
    VIOLATED = "violated"
    UNDECIDED = "not decided"


@dataclass(frozen=True)
class Counterexample:
    """The smallest case found in which a claim fails.

    Attributes
    ----------
    run
        The run that found it.
    command
        What reproduces it, ready to paste.
    artifact
        Name of the run's ``.npz`` file with the arrays; empty where the command says all.
    """

    run: LoggedRun
    command: str
    artifact: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judgement of one statement from logged runs.

    Attributes
    ----------
    statement
        What was judged, in one line; a claim may be judged in several parts.
    conclusion
        What the runs say.
    measured
        The figure, with its confidence interval where it has one.
    bound
        What the claim says it is at most or at least.
    looseness
        Bound over measured (or its inverse): how far the claim is from sharp; ``None`` where
        there is no such figure.
    cases
        Independent cases behind the verdict: repetitions within one instance count once.
    reason
        One or two sentences: why this conclusion, and what it does not say.
    counterexample
        For ``VIOLATED``.
    author
        Who makes the statement: the paper, the family of papers that it cites, or this project.
    derived
        Whether the statement is proven here: only a mistake of ours can break it, so that it is a
        check of our derivation and not of the paper.
    """

    statement: str
    conclusion: Conclusion
    measured: str
    bound: str
    cases: int
    reason: str
    looseness: float | None = None
    counterexample: Counterexample | None = None
    author: Author = Author.OURS
    derived: bool = False


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, or one of ours, and how it is tested.

    A module of a folder, a plug-in or an entry point with a ``CLAIM = Claim(...)`` is one of the
    report's. Its sweep is ``full`` and, for the quick profile, ``quick``; or where there are more
    options to it ``conf/experiment/<id>.yaml`` and ``conf/experiment/quick/<id>.yaml``.

    Attributes
    ----------
    id
        The name used everywhere.
    place
        Where the paper states it.
    statement
        In one sentence.
    judge
        Verdicts from finished runs alone, one for each part of the claim; never from anything
        that the runs do not hold.
    draw
        Figures by name, from the same runs.
    tables
        Tables by name, from the same runs.
    measure
        What one job measures; ``None`` where a job is a solve. It stands in a module of its own,
        ``<id>_measure``: finished runs count for as long as nothing that it imports changes.
    comparison
        Whether it compares what nobody has made a statement about: its figures and tables are the
        answer, and no verdict is to be expected.
    uses
        Which options of a solve the measurement depends on, such as ``"problem"``. Another value
        of the rest would make runs that differ in nothing, which a report counts as further cases,
        and is refused. What is prepared for a run has its problem, and its x* was looked for from
        its start; the start counts where more is made of it than that.
    any_data
        Whether it measures whatever data it is given. Others draw their instances themselves, or
        vary and compare what only made-up data have: their size, condition, rows and density.
    order
        Where it stands in the report.
    theorem
        Whether each of its runs is of one theorem, ``experiment.theorem``.
    full, quick
        The values that its sweeps go through, by key, as on the command line: literals, which are
        read without importing the module.
    """

    id: str
    place: str
    statement: str
    judge: Callable[[Sequence[LoggedRun]], list[Verdict]]
    draw: Callable[[Sequence[LoggedRun]], Mapping[str, Figure]]
    tables: Callable[[Sequence[LoggedRun]], Mapping[str, pd.DataFrame]] = lambda runs: {}
    measure: Callable[[ProbeContext], pd.DataFrame] | None = None
    comparison: bool = False
    uses: tuple[str, ...] = ()
    any_data: bool = False
    order: int = 100
    theorem: bool = False
    full: Mapping[str, str] = field(default_factory=dict)
    quick: Mapping[str, str] = field(default_factory=dict)
