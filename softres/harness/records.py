"""What a run leaves in MLflow: tags, single figures, and the columns of its curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml

from softres.harness.prepare import Prepared
from softres.harness.settings import Settings
from softres.solvers import Result
from softres.theory import Assumption, predicted_steps
from softres.tracking import InputData, RunLog, requirements

__all__ = [
    "BY_TIME",
    "as_yaml",
    "curve_columns",
    "final_metrics",
    "flat",
    "input_data",
    "instance_tags",
    "keep_setting",
    "with_logarithms",
]

#: Columns drawn as curves by step.
CURVES = (
    "error_l2",
    "error_H",
    "relative_error_l2",
    "relative_error_H",
    "contraction_l2",
    "contraction_H",
    "loss",
    "relative_gradient",
    "solve_seconds",
    "passes",
    "log10_error_l2",
    "log10_error_H",
    "log10_relative_gradient",
)
#: Columns drawn over solver time as well.
BY_TIME = ("log10_error_H", "log10_relative_gradient")
#: Relative errors are drawn no lower than this: below it a double cannot tell x from x*.
FLOOR = 1e-17


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested configuration with dotted keys; a group's choice is the group's own key."""
    result: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            result |= flat(value, f"{name}.")
        else:
            result[name.removesuffix(".name")] = value
    return result


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes groups that jobs share in full."""

    def ignore_aliases(self, data: object) -> bool:
        """Refer to nothing."""
        return True


def as_yaml(settings: Settings) -> str:
    """Return the resolved configuration as YAML, keys in the order of ``conf/``."""
    return str(yaml.dump(dict(settings.tree), Dumper=_Dumper, sort_keys=False))


def keep_setting(run: RunLog, settings: Settings) -> None:
    """Keep what a run starts from: configuration, packages, and its numbers to filter by."""
    run.text("config.yaml", as_yaml(settings))
    run.text("requirements.txt", requirements())
    # Filters compare parameters as text.
    numbers = {"n": settings.n, "d": settings.d, "eps": settings.eps, "seed": settings.seed}
    run.metrics(numbers if settings.R is None else numbers | {"R": settings.R})


def input_data(settings: Settings, prepared: Prepared) -> InputData:
    """Return the instance as the data that a run works on."""
    instance = prepared.instance
    shape = {"n": settings.n, "d": settings.d, "nnz": int(instance.nnz)}
    source = json.dumps(settings.tree["data"], default=str)
    return InputData(instance.name, prepared.key, source, json.dumps(shape))


def with_logarithms(trace: pd.DataFrame) -> pd.DataFrame:
    """Return the trace with log10 of the figures people look at: MLflow's axis is linear."""
    logs = {}
    for source, name in (
        ("relative_error_l2", "log10_error_l2"),
        ("relative_error_H", "log10_error_H"),
        ("relative_gradient", "log10_relative_gradient"),
    ):
        if source in trace:
            logs[name] = np.log10(np.maximum(trace[source].to_numpy(dtype=float), FLOOR))
    return trace.assign(**logs)


def curve_columns(trace: pd.DataFrame) -> list[str]:
    """Return the columns of the trace that become curves."""
    return [name for name in CURVES if name in trace]


def instance_tags(prepared: Prepared, checks: Sequence[Assumption]) -> dict[str, str]:
    """Return tags for the instance and for each assumption."""
    certificate = prepared.certificate
    tags = {
        "instance": prepared.key,
        "reference": "certified" if certificate.certified else "not certified",
        "regime": "theorem" if all(check.holds for check in checks) else "beyond the theorem",
    }
    for check in checks:
        word = "holds" if check.holds else "fails"
        tags[f"assumption.{check.id}"] = f"{word}: {check.statement}: {check.figure}"
    return tags | {f"data.{key}": str(value) for key, value in prepared.instance.facts.items()}


def final_metrics(
    settings: Settings, prepared: Prepared, result: Result, checks: Sequence[Assumption]
) -> dict[str, float]:
    """Return the figures of the whole run."""
    last = result.rows[-1]
    metrics = {
        "converged": float(result.status.success),
        "steps": result.steps,
        "steps_predicted": predicted_steps(settings.eps),
        "seconds_per_step": result.seconds["solve"] / max(1, result.steps),
        "nnz": prepared.instance.nnz,
        "grams": last["grams"],
        "A_sigma_max": prepared.spectrum.sigma_max,
        "A_sigma_min": prepared.spectrum.sigma_min,
        "A_rank": prepared.spectrum.rank,
        "hessian_smallest_eigenvalue": prepared.certificate.smallest_eigenvalue,
        "hessian_largest_eigenvalue": prepared.certificate.largest_eigenvalue,
        "reference_estimated_error": prepared.certificate.estimated_error,
        "lowest_log_alpha": min(row["log_alpha"] for row in result.rows),
    }
    # The curve of the solver's clock ends with its time.
    clocks = {name: result.seconds[name] for name in ("evaluate", "log")}
    metrics |= {f"{name}_seconds": value for name, value in clocks.items()}
    metrics |= {name: value for name, value in last.items() if name.startswith("seconds_")}
    metrics |= {f"assumption_{check.id}": float(check.holds) for check in checks}
    if np.ndim(prepared.w) == 0:
        metrics["w_squared"] = float(prepared.w) ** 2
    return {name: float(value) for name, value in metrics.items()}
