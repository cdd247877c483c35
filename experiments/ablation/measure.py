"""Paired solves with a constant at its value and at others, and what the pairs say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.ablation.constants import Ablated, replaced
from experiments.ablation.instances import AblationInstance
from softres.problems import Problem
from softres.solvers import Status, make_solver, solve

__all__ = ["measure", "summary"]

#: Relative change of steps or passes up to which a solve counts as the same.
SAME = 0.01
#: Seconds after which a solve is given up.
LIMIT = 10.0


@dataclass(frozen=True)
class _Solve:
    status: str
    steps: int
    passes: float
    grams: float
    x: bytes
    seconds: float


def measure(
    instance: AblationInstance, constants: Sequence[Ablated], repeats: int
) -> Iterator[dict[str, Any]]:
    """Yield one row a constant and setting on an instance.

    Parameters
    ----------
    instance
        What is solved, to the default accuracy, with nominal rates: the way depends on no timing.
    constants
        Each is set by itself.
    repeats
        Rounds; in each the default and all settings of a constant are timed once, one after the
        other. ``time`` is the median over rounds of a setting's processor time over the default's.
    """
    make = instance.make()
    _solve(make, instance, {})  # a warm-up
    for constant in constants:
        settings = {"default": constant.value} | constant.settings
        rounds = [
            {name: _solved(make, instance, constant, value) for name, value in settings.items()}
            for _ in range(repeats)
        ]
        base = rounds[0]["default"]
        for name, value in constant.settings.items():
            found = rounds[0][name]
            ratios = [each[name].seconds / each["default"].seconds for each in rounds]
            yield {
                "constant": constant.name,
                "setting": name,
                "value": value,
                "instance": instance.name,
                "status": found.status,
                "steps": found.steps,
                "default_steps": base.steps,
                "passes": found.passes,
                "default_passes": base.passes,
                "grams": found.grams,
                "default_grams": base.grams,
                "default_status": base.status,
                "touched": found.x != base.x,
                "time": float(np.median(ratios)),
            }


def _solved(
    make: Callable[[], Problem], instance: AblationInstance, constant: Ablated, value: Any
) -> _Solve:
    with replaced(constant.name, value) as options:
        return _solve(make, instance, options)


def _solve(
    make: Callable[[], Problem], instance: AblationInstance, options: dict[str, Any]
) -> _Solve:
    problem = make()
    solver = make_solver(
        "preconditioned_newton", rates="nominal", factor=instance.factor, **options
    )
    start = time.process_time()
    with np.errstate(all="ignore"):  # switched off, a safeguard lets through what it guards from
        result = solve(problem, solver, time_limit=LIMIT)
    seconds = time.process_time() - start
    last = result.rows[-1]
    status = result.status.name.lower().replace("_", " ")
    return _Solve(
        status, result.steps, last["passes"], last["grams"], np.asarray(result.x).tobytes(), seconds
    )


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a constant and setting, over all instances.

    ``touched`` counts instances on which the result differs from the default's, by a last bit or
    more, or the work does; ``changed`` those on which steps, passes or Gram matrices do by more
    than a hundredth, or the status does. ``time`` and ``passes`` are geometric means, over the
    default's, on the instances that are touched, 1 where there are none. ``time_all`` is that over
    all instances, the clock's noise included, and ``worst_passes`` the largest ratio. Ratios are
    of instances that both solve; ``solved`` and ``default_solved`` say how many each does, and
    ``others`` how the others ended.
    """
    converged = Status.CONVERGED.name.lower()
    lines = []
    for (constant, setting), part in rows.groupby(["constant", "setting"], sort=False):
        changed = (part["status"] != part["default_status"]) | np.logical_or.reduce(
            [
                (part[name] - part[f"default_{name}"]).abs() > SAME * part[f"default_{name}"]
                for name in ("steps", "passes", "grams")
            ]
        )
        both = (part["status"] == converged) & (part["default_status"] == converged)
        touched = part["touched"] | changed  # another way may lead to the very same result
        moved = part[touched & both]
        ended = part["status"][part["status"] != converged].value_counts()
        ratio = part["passes"] / part["default_passes"]
        lines.append(
            {
                "constant": constant,
                "setting": setting,
                "value": part["value"].iloc[0],
                "touched": int(touched.sum()),
                "changed": int(changed.sum()),
                "instances": len(part),
                "time": _mean(moved["time"]),
                "passes": _mean(moved["passes"] / moved["default_passes"]),
                "worst_passes": float(ratio[both].max()),
                "time_all": _mean(part["time"][both]),
                "solved": int((part["status"] == converged).sum()),
                "default_solved": int((part["default_status"] == converged).sum()),
                "others": "; ".join(f"{count} {status}" for status, count in ended.items()),
            }
        )
    return pd.DataFrame(lines)


def _mean(ratios: pd.Series) -> float:
    """Return the geometric mean, 1 of none."""
    return float(np.exp(np.log(ratios.to_numpy(dtype=float)).mean())) if len(ratios) else 1.0
