"""The report in figures for programs: what was judged, from which runs, of which commit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.report.agreement import Agreement
from experiments.report.collect import Chapter

__all__ = ["summary", "write"]

#: The tags of a run that say what it was made with.
MADE_WITH = ("python", "numpy", "scipy", "torch", "mlflow", "cpu", "cores", "blas", "blas_threads")


def summary(
    profile: str, chapters: Sequence[Chapter], extra: Sequence[Chapter], compared: Agreement
) -> dict[str, Any]:
    """Return counts, commits, packages and machines of all runs, and each claim's own sentence.

    Parameters
    ----------
    chapters, extra
        The claims, and sweeps without a verdict: runs of both count.
    """
    runs = [run for chapter in (*chapters, *extra) for run in chapter.runs]
    made = {key: sorted({run.tags[key] for run in runs if key in run.tags}) for key in MADE_WITH}
    return {
        "profile": profile,
        "claims": sum(bool(chapter.verdicts) for chapter in chapters),
        "statements": sum(len(chapter.verdicts) for chapter in chapters),
        "cases": sum(verdict.cases for chapter in chapters for verdict in chapter.verdicts),
        "runs": len(runs),
        "commits": dict(Counter(run.tags.get("commit", "unknown") for run in runs)),
        "runs_with_local_changes": sum(run.tags.get("dirty") == "true" for run in runs),
        "made_with": {key: values for key, values in made.items() if values},
        "headlines": {chapter.id: chapter.headline for chapter in chapters if chapter.headline},
        "gaps": {chapter.id: chapter.gap for chapter in (*chapters, *extra) if chapter.gap},
        "profiles": {
            "compared": compared.compared,
            "conflicts": list(compared.conflicts),
            "decided_by_one_only": list(compared.opened),
        },
    }


def write(figures: dict[str, Any], folder: Path) -> Path:
    """Write the figures as ``report.json``."""
    path = folder / "report.json"
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
