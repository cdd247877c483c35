"""Which jobs of a claim's sweep have a finished run, and which runs are of no such job."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.kit.runs import LoggedRun
from experiments.report.runner import arguments, has_sweep

__all__ = ["gap"]

#: Jobs that are named; of more, only how many.
NAMED = 4


def gap(name: str, profile: str, runs: Sequence[LoggedRun], theorem: str = "") -> str:
    """Return a sentence on what a sweep and its runs do not have in common; empty if nothing.

    A job is told by its configuration: code and machine are not asked for.
    """
    if not has_sweep(name, profile):
        return ""
    from softres.common.presets import conf_folder
    from softres.config.settings import settings
    from softres.config.sweeps import jobs_of
    from softres.harness.keys.identity import config_hash

    jobs = {
        config_hash(settings(job.config)): " ".join(
            text for text in job.overrides if not text.startswith("experiment=")
        )
        for job in jobs_of(conf_folder(), *arguments(name, profile, theorem)[1:])
    }
    done = {run.tags.get("config_hash", "") for run in runs}
    missing = [text or "the only one" for key, text in jobs.items() if key not in done]
    others = sum(run.tags.get("config_hash") not in jobs for run in runs)
    parts = []
    if missing:
        parts.append(f"No finished run of {len(missing)} of its sweep's {len(jobs)} jobs")
        parts[-1] += f": {_listed(missing)}."
    if others:
        parts.append(f"{others} of its {len(runs)} runs have options that the sweep has not.")
    return " ".join(parts)


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - NAMED
    return "; ".join(texts[:NAMED]) + (f"; and {more} more" if more > 0 else "")
