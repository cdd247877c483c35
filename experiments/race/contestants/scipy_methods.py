"""SciPy's minimisers on the plain NumPy loss, at tolerances that none can meet.

The loss is scaled to one at x0, for SciPy's tolerances and first trust radius are absolute.
"""

from __future__ import annotations

from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from scipy import optimize

from experiments.race.contestants.base import Contestant, Run
from experiments.race.contestants.loss import LossPoint, PlainLoss, Vector
from experiments.race.recorder import Recorder
from experiments.race.task import Task

__all__ = ["CONTESTANTS"]

#: A tolerance that is met by a gradient of zero only.
TIGHTEST = 1e-300
FOREVER = 10**7

#: The default largest radius may be far below |x*|; it must not bind.
_REGION = {"gtol": TIGHTEST, "maxiter": FOREVER, "max_trust_radius": 1e6}
_METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "scipy_lbfgs": (
        "L-BFGS-B",
        {"maxcor": 20, "ftol": 0.0, "gtol": 0.0, "maxiter": FOREVER, "maxfun": FOREVER},
    ),
    "scipy_newton_cg": ("Newton-CG", {"xtol": TIGHTEST, "maxiter": FOREVER}),
    "scipy_trust_ncg": ("trust-ncg", _REGION),
    "scipy_trust_krylov": ("trust-krylov", {"gtol": TIGHTEST, "maxiter": FOREVER}),
}


class _Objective:
    """What SciPy calls; keeps the last point and, from its first use, the curvature there."""

    def __init__(self, task: Task) -> None:
        self.loss = PlainLoss(task.A, task.b, task.w2, task.beta)
        self.scale = 1.0 / task.value0
        self.record: Recorder | None = None
        self._point: LossPoint | None = None
        self._curvature: tuple[Vector, Vector] | None = None

    def at(self, x: Vector) -> LossPoint:
        if self._point is None or not np.array_equal(self._point.x, x):
            self._point, self._curvature = self.loss.at(x.copy()), None
        return self._point

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        assert self.record is not None  # set before SciPy starts
        self.record.check()
        point = self.at(x)
        if not isfinite(point.value):  # searches and trust regions step back from infinity
            return float("inf"), np.zeros_like(x)
        return self.scale * point.value, self.scale * self.loss.gradient(point)

    def hvp(self, x: Vector, p: Vector) -> Vector:
        assert self.record is not None
        self.record.check()
        point = self.at(x)
        if self._curvature is None:
            self._curvature = point.curvature()
        D, h = self._curvature
        y = self.loss.A @ p
        By = D * y + point.v * (h @ y) + h * (point.v @ y)
        self.loss.passes += 2
        product: Vector = self.scale * (self.loss.AT @ By)
        return product


def _prepare(task: Task, method: str) -> Run:
    scipy_name, options = _METHODS[method]
    objective = _Objective(task)

    def run(record: Recorder) -> None:
        objective.record = record
        record.start()
        record(task.x0, 0)
        arguments: dict[str, Any] = {"options": options}
        if scipy_name != "L-BFGS-B":
            arguments["hessp"] = objective.hvp
        with np.errstate(all="ignore"):
            optimize.minimize(
                objective.value_and_gradient,
                task.x0.copy(),
                jac=True,
                method=scipy_name,
                callback=lambda x: record(x, objective.loss.passes),
                **arguments,
            )

    return run


CONTESTANTS = tuple(
    Contestant(name, "outside", partial(_prepare, method=name), needs=("scipy",))
    for name in _METHODS
)
