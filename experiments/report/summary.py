"""The report in figures for programs: what was judged, from which runs, of which commit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.report.agreement import Agreement
from experiments.report.collect import JudgedClaim

__all__ = ["summary", "write"]

#: The tags of a run that say what it was made with.
MADE_WITH = ("python", "numpy", "scipy", "torch", "mlflow", "cpu", "cores", "blas", "blas_threads")


def summary(
    profile: str,
    judged_claims: Sequence[JudgedClaim],
    extra: Sequence[JudgedClaim],
    compared: Agreement,
) -> dict[str, Any]:
    """Return counts, commits, packages and machines of all runs, and each claim's own sentence.

    Parameters
    ----------
    judged_claims, extra
        The claims, and sweeps without a verdict: runs of both count.
    """
    runs = [run for judged in (*judged_claims, *extra) for run in judged.runs]
    made = {key: sorted({run.tags[key] for run in runs if key in run.tags}) for key in MADE_WITH}
    return {
        "profile": profile,
        "claims": sum(bool(judged.verdicts) for judged in judged_claims),
        "statements": sum(len(judged.verdicts) for judged in judged_claims),
        "cases": sum(verdict.cases for judged in judged_claims for verdict in judged.verdicts),
        "runs": len(runs),
        "commits": dict(Counter(run.tags.get("commit", "unknown") for run in runs)),
        "runs_with_local_changes": sum(run.tags.get("dirty") == "true" for run in runs),
        "made_with": {key: values for key, values in made.items() if values},
        "headlines": {judged.id: judged.headline for judged in judged_claims if judged.headline},
        "gaps": {judged.id: judged.gap for judged in (*judged_claims, *extra) if judged.gap},
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
