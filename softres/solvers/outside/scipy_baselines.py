"""SciPy's minimisers as solvers: the outside baselines a user would reach for first."""

from __future__ import annotations

import queue
import threading
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import optimize

from softres.common.arrays import relative_norm
from softres.matrices.backends import as_numpy
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Solver, State, Tools
from softres.solvers.result import Status

__all__ = ["ScipyLBFGS", "ScipyNewtonCG", "ScipyTrustNCG"]

Vector = npt.NDArray[np.float64]

#: A relative tolerance no method can meet: each runs until its own arithmetic stops it.
TIGHTEST = 1e-300


class _CancelledError(Exception):
    """Raised inside SciPy's thread to end it."""


class _StoppedError(Exception):
    """Raised inside SciPy's thread where SciPy cannot go on."""


class _Minimisation:
    """``scipy.optimize.minimize`` in a thread that waits after every iteration.

    SciPy owns its loop; ours owns counting, stopping and the clocks. Handing control back and
    forth at each of SciPy's callbacks makes an iteration of SciPy one step of ours. Only one of
    the two threads ever runs.
    """

    def __init__(self, solver: _ScipySolver, start: Evaluation, max_steps: int) -> None:
        self._problem = start.problem
        self._last = start
        self._evaluating = (
            False  # whether it is the problem's turn: its errors are no end of SciPy's
        )
        self._products = 0  # with the Hessian, since the last iterate
        # The loss is of order 1/n^2 and SciPy's tolerances are absolute: scaled to one at x0.
        self._scale = 1.0 / start.value if start.value > 0 else 1.0
        self._turn: queue.Queue[bool] = queue.Queue()
        self._iterates: queue.Queue[Evaluation | BaseException | None] = queue.Queue()
        x0 = as_numpy(start.x).astype(np.float64)
        arguments = solver.arguments(max_steps)
        if solver.second_order:
            arguments["hessp"] = self._hvp
        # In the solve's context: what SciPy's thread asks of A is counted for that solve.
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run, solver.method, x0, arguments), daemon=True
        )
        self._thread.start()

    def next(self) -> Evaluation | None:
        """Return the next iterate, or ``None`` once SciPy has stopped by itself."""
        self._turn.put(True)
        item = self._iterates.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def cancel(self) -> None:
        """End the thread."""
        self._turn.put(False)
        self._thread.join()

    def _run(self, method: str, x0: Vector, arguments: dict[str, Any]) -> None:
        try:
            self._wait()
            with np.errstate(all="ignore"):
                optimize.minimize(
                    self._value_and_gradient,
                    x0,
                    jac=True,
                    method=method,
                    callback=self._callback,
                    **arguments,
                )
            self._iterates.put(None)
        except _CancelledError:
            pass
        except _StoppedError:
            self._iterates.put(None)
        except (ValueError, ArithmeticError) as error:
            # SciPy's own arithmetic fails near the end of the range of doubles: it has stopped.
            self._iterates.put(error if self._evaluating else None)
        except BaseException as error:  # handed to the loop's thread, which raises it
            self._iterates.put(error)

    def _wait(self) -> None:
        if not self._turn.get():
            raise _CancelledError

    def _callback(self, x: Vector) -> None:
        self._products = 0
        self._iterates.put(self._at(x))
        self._wait()

    def _at(self, x: Vector) -> Evaluation:
        if not np.array_equal(as_numpy(self._last.x), x):
            self._last = self._problem.at(self._problem.matrix.asarray(x.copy()))
        return self._last

    def _value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        self._evaluating = True
        point = self._at(x)
        inside = point.inside
        # SciPy's line searches and trust regions step back from infinity.
        value = self._scale * point.value if inside else float("inf")
        gradient = self._finite_scaled(point.gradient) if inside else np.zeros_like(x)
        self._evaluating = False
        return value, gradient

    def _hvp(self, x: Vector, p: Vector) -> Vector:
        self._products += 1
        if self._products > 100 * len(x) + 1000:  # conjugate gradients that get nowhere
            raise _StoppedError
        self._evaluating = True
        product = self._finite_scaled(self._at(x).hvp(self._problem.matrix.asarray(p)))
        self._evaluating = False
        return product

    def _finite_scaled(self, values: Any) -> Vector:
        """Return what SciPy may be told: it fails on infinite values, or goes on for ever."""
        scaled: Vector = self._scale * as_numpy(values)
        if not np.isfinite(scaled).all():
            raise _StoppedError
        return scaled


@dataclass(frozen=True)
class _ScipySolver(Solver):
    """A method of ``scipy.optimize.minimize`` at its tightest tolerances."""

    method: ClassVar[str]
    second_order: ClassVar[bool] = True
    backends: ClassVar[tuple[str, ...]] = ("numpy",)

    def arguments(self, max_steps: int) -> dict[str, Any]:
        """Return the keyword arguments of ``minimize`` that belong to the method."""
        raise NotImplementedError

    def init(self, tools: Tools) -> State:
        """Start SciPy's thread; it waits for the first step."""
        return State(tools.start, memory=_Minimisation(self, tools.start, tools.max_steps))

    def step(self, state: State, tools: Tools) -> State:
        """Let SciPy do one iteration."""
        point = state.memory.next()
        if point is None:
            return State(state.point, state.estimate, {}, Status.STALLED, state.memory)
        relative = relative_norm(point.gradient_norm, tools.start.gradient_norm)
        return State(point, relative, {}, memory=state.memory)

    def close(self, state: State) -> None:
        """End SciPy's thread."""
        state.memory.cancel()


@dataclass(frozen=True)
class ScipyLBFGS(_ScipySolver):
    """SciPy's L-BFGS-B without bounds, with 20 pairs."""

    name: ClassVar[str] = "scipy_lbfgs"
    max_steps: ClassVar[int] = 5000
    method: ClassVar[str] = "L-BFGS-B"
    second_order: ClassVar[bool] = False

    def arguments(self, max_steps: int) -> dict[str, Any]:
        """No tolerance on the loss or the gradient; more pairs than the default of 10."""
        return {
            "options": {
                "maxcor": 20,
                "ftol": 0.0,
                "gtol": 0.0,
                "maxiter": max_steps + 1,
                "maxfun": 100 * (max_steps + 1),
            }
        }


@dataclass(frozen=True)
class ScipyTrustNCG(_ScipySolver):
    """SciPy's Newton conjugate-gradient trust-region method, with exact Hessian products."""

    name: ClassVar[str] = "scipy_trust_ncg"
    max_steps: ClassVar[int] = 1000
    method: ClassVar[str] = "trust-ncg"

    def arguments(self, max_steps: int) -> dict[str, Any]:
        """Allow a radius that does not bind: the default limit may be far below |x*|."""
        options = {
            "gtol": TIGHTEST,
            "maxiter": max_steps + 1,
            "initial_trust_radius": 1.0,
            "max_trust_radius": 1e6,
        }
        return {"options": options}


@dataclass(frozen=True)
class ScipyNewtonCG(_ScipySolver):
    """SciPy's line-search Newton conjugate-gradient method, with exact Hessian products."""

    name: ClassVar[str] = "scipy_newton_cg"
    max_steps: ClassVar[int] = 1000
    method: ClassVar[str] = "Newton-CG"

    def arguments(self, max_steps: int) -> dict[str, Any]:
        """Stop on neither a small step nor a small loss."""
        return {"options": {"xtol": TIGHTEST, "maxiter": max_steps + 1}}
