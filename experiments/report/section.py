"""A judged claim with its files: what the page and the text are both written from."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.kit.claim import Verdict
from experiments.report.collect import JudgedClaim
from experiments.report.figures import (
    Drawn,
    Kept,
    Tabled,
    draw,
    keep_counterexamples,
    tabulate,
)
from experiments.report.runner import has_sweep, reproduce

__all__ = ["Section", "section"]


@dataclass(frozen=True)
class Section:
    """A claim's part of the report.

    Attributes
    ----------
    judged
        What the runs say.
    figures, tables, kept
        The files made from them.
    command
        What runs the claim's sweep; empty where there is none.
    """

    judged: JudgedClaim
    figures: Sequence[Drawn] = ()
    tables: Sequence[Tabled] = ()
    kept: Sequence[Kept] = ()
    command: str = ""

    def kept_for(self, verdict: Verdict) -> Kept | None:
        """Return the counterexample to a verdict's statement."""
        return next((kept for kept in self.kept if kept.statement == verdict.statement), None)


def section(judged: JudgedClaim, profile: str, out: Path, theorem: str = "") -> Section:
    """Write a judged claim's files below ``out``.

    A figure that cannot be drawn is a note: the verdicts of the claim stand without it.
    """
    command = reproduce(judged.id, profile, theorem) if has_sweep(judged.id, profile) else ""
    bare = Section(judged, command=command)
    try:
        return replace(
            bare,
            kept=keep_counterexamples(judged, out / "counterexamples"),
            figures=draw(judged, out / "figures"),
            tables=tabulate(judged, out / "tables"),
        )
    except Exception as error:
        traceback.print_exc()
        return replace(bare, judged=replace(judged, note=f"not drawn, {type(error).__name__}"))
