"""Jobs of a claim's sweep that no finished run stands for: a gap is said, not passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.claim import Verdict
from experiments.runs import LoggedRun

__all__ = ["missing", "with_gaps"]

CONF = Path(__file__).parents[1] / "conf" / "experiment"
#: Missing jobs that are named; of more, the rest is counted.
NAMED = 4


def missing(runs: Sequence[LoggedRun]) -> tuple[list[str], int]:
    """Return the jobs of the runs' sweep that are not among them, and how many it has.

    The sweep is that of ``conf/experiment``, for the profile of the runs.
    """
    first = runs[0].params if runs else {}
    name, profile = first.get("experiment.id"), first.get("experiment.profile", "full")
    if not name:
        return [], 0
    sweep = _sweep(name, profile)
    jobs = [dict(zip(sweep, values, strict=True)) for values in product(*sweep.values())]
    left = [
        job
        for job in jobs
        if not any(all(_same(run.params.get(k), v) for k, v in job.items()) for run in runs)
    ]
    return [" ".join(f"{k}={v}" for k, v in job.items()) for job in left], len(jobs)


def with_gaps(verdicts: Sequence[Verdict], runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Return verdicts that say which jobs of the sweep they are made without."""
    left, total = missing(runs)
    if not left:
        return list(verdicts)
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    note = (
        f" Of the sweep's {total} jobs {len(left)} have no finished run: "
        f"{'; '.join(left[:NAMED])}{more}."
    )
    return [replace(verdict, reason=verdict.reason + note) for verdict in verdicts]


def _sweep(name: str, profile: str) -> dict[str, list[str]]:
    """Return the values of every option that a claim's sweep goes through."""
    options: dict[str, object] = {}
    for file in [f"{name}.yaml", *([f"quick/{name}.yaml"] if profile == "quick" else [])]:
        path = CONF / file
        tree = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
        options |= _params(tree)
    parser = OverridesParser.create()
    found = {}
    for key, value in options.items():
        override = parser.parse_override(f"{key}={value}")
        swept = override.is_sweep_override()
        found[key] = list(override.sweep_string_iterator()) if swept else [str(value)]
    return found


def _params(tree: Mapping[str, object]) -> dict[str, object]:
    at: object = tree
    for key in ("hydra", "sweeper", "params"):
        at = at.get(key, {}) if isinstance(at, Mapping) else {}
    return dict(at) if isinstance(at, Mapping) else {}


def _same(logged: str | None, asked: str) -> bool:
    if logged is None:
        return False
    try:
        return float(logged) == float(asked)
    except ValueError:
        return logged == asked
