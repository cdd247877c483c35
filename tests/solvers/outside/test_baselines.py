"""The outside baselines: accuracy, how they end, and that they leave nothing behind."""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np
import pytest

from softres import InputError
from softres.problems import SoftResidualRegression
from softres.problems.evaluation import Evaluation
from softres.solvers import Status, solve

pytestmark = pytest.mark.usefixtures("one_thread")

SCIPY = ("scipy_lbfgs", "scipy_trust_ncg", "scipy_newton_cg")
TORCH = ("torch_lbfgs",)


NUMPY_KINDS = ("dense-numpy", "sparse-numpy")
TORCH_KINDS = ("dense-torch", "sparse-torch", "dense-cuda", "sparse-cuda")
#: Every baseline on every storage that it works on, and on those that it refuses.
AT_HOME = [(solver, kind) for solver in SCIPY for kind in NUMPY_KINDS]
AT_HOME += [(solver, kind) for solver in TORCH for kind in TORCH_KINDS]
ABROAD = [(solver, kind) for solver in SCIPY for kind in TORCH_KINDS]
ABROAD += [(solver, kind) for solver in TORCH for kind in NUMPY_KINDS]


@pytest.mark.parametrize(("baseline", "storage"), AT_HOME)
def test_baselines_reach_the_minimiser_and_stop_by_themselves(
    baseline,
    storage,
    kind_named,
    problem_name,
    plant,
    make_regularised,
    minimiser,
    relative_error,
    record_property,
):
    kind = kind_named(storage)
    instance = plant(3, density=0.6)
    expected = minimiser(make_regularised(problem_name, instance.A, instance.b, 0.1))
    problem = make_regularised(problem_name, kind(instance.A), instance.b, 0.1)
    result = solve(problem, baseline, eps=1e-12, max_steps=500)
    assert result.status in {Status.STALLED, Status.CONVERGED}
    assert result.steps == len(result.rows) - 1 > 2
    error = relative_error(result.x, expected)
    record_property(baseline, error)
    assert error <= 1e-6


@pytest.mark.parametrize(("baseline", "storage"), AT_HOME)
def test_a_baselines_step_is_one_iteration(baseline, storage, kind_named, plant, make_regularised):
    instance = plant(3)
    problem = make_regularised("softres", kind_named(storage)(instance.A), instance.b, 0.1)
    result = solve(problem, baseline, eps=1e-12, max_steps=3)
    assert result.status is Status.STEP_LIMIT
    assert result.steps == 3
    passes = result.trace["passes"].to_numpy()
    assert (np.diff(passes) >= 2).all()
    loss = result.trace["loss"].to_numpy()
    assert (np.diff(loss) < 0).all()


@pytest.mark.parametrize("solver", SCIPY)
@pytest.mark.parametrize("end", ["step limit", "time limit", "stalled"])
def test_no_thread_is_left_behind(solver, end, plant, make_regularised):
    instance = plant(3)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    before = set(threading.enumerate())
    limits = {"step limit": {"max_steps": 2}, "time limit": {"time_limit": 1e-9}, "stalled": {}}
    result = solve(problem, solver, eps=1e-15, **limits[end])
    assert result.status.name.lower().replace("_", " ") == end
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("at_step", [0, 1])
def test_no_thread_is_left_behind_by_a_callback_that_fails(at_step, plant, make_regularised):
    instance = plant(3)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    before = set(threading.enumerate())

    def fail(row, point):
        if row["step"] == at_step:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        solve(problem, "scipy_lbfgs", callback=fail)
    assert set(threading.enumerate()) == before


def test_an_error_inside_scipys_thread_reaches_the_caller(plant, make_regularised, monkeypatch):
    instance = plant(3)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    before = set(threading.enumerate())
    product = problem.matrix._rmatmul

    def fail_in_a_thread(y):
        if threading.current_thread() is threading.main_thread():
            return product(y)
        raise ZeroDivisionError

    monkeypatch.setattr(problem.matrix, "_rmatmul", fail_in_a_thread)
    with pytest.raises(ZeroDivisionError):
        solve(problem, "scipy_lbfgs")
    assert set(threading.enumerate()) == before


def test_baselines_survive_trials_outside_the_domain(plant):
    # Without weights and from afar, trial steps cross the pole at alpha = 0.
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((30, 3)), rng.random(30)
    A[:, 0] = 1.0
    problem = SoftResidualRegression(A, b / b.sum())
    start = np.array([-0.3, 0.2, -0.1])
    for solver in SCIPY:
        result = solve(problem, solver, x0=start, eps=1e-12, max_steps=100)
        assert result.status is not Status.DIVERGED
        assert problem.at(result.x).inside
        assert result.rows[-1]["loss"] < result.rows[0]["loss"]


@pytest.mark.parametrize(("baseline", "storage"), ABROAD)
def test_a_baseline_on_another_backend_is_an_error_of_one_line(
    baseline, storage, kind_named, plant
):
    instance = plant(3)
    problem = SoftResidualRegression(kind_named(storage)(instance.A), instance.b)
    with pytest.raises(InputError, match=f"solver={baseline}.*backend=") as caught:
        solve(problem, baseline)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("solver", ["scipy_lbfgs", "scipy_newton_cg", "scipy_trust_ncg"])
def test_an_error_of_the_problem_is_no_end_of_scipys(solver, plant, make, monkeypatch):
    instance = plant(0)
    problem = make("softmax", instance.A, instance.b)
    before = Evaluation.gradient.func
    asked = []

    def fail(point):
        asked.append(point)
        if len(asked) > 3:
            raise ValueError("a fault of the problem")
        return before(point)

    gradient = cached_property(fail)
    gradient.__set_name__(Evaluation, "gradient")
    monkeypatch.setattr(Evaluation, "gradient", gradient)
    with pytest.raises(ValueError, match="a fault of the problem"):
        solve(problem, solver)
