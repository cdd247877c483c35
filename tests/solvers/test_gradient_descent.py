"""Gradient descent: its step, its convergence, and its options."""

from __future__ import annotations

import numpy as np
import pytest

from softres import InputError
from softres.matrices.backends import as_numpy
from softres.solvers import Status, make_solver, solve
from softres.solvers.gradient_descent import largest_eigenvalue

pytestmark = pytest.mark.usefixtures("one_thread")


def test_power_iteration_finds_the_largest_eigenvalue_in_magnitude(plant, make_regularised, kind):
    instance = plant(0, n=200, d=6, radius=6.0)
    problem = make_regularised("softres", kind(instance.A), instance.b, 1e-4)
    point = problem.at(problem.matrix.asarray(instance.x))
    values = np.linalg.eigvalsh(as_numpy(point.hessian()))
    estimate = largest_eigenvalue(point, 300, np.random.default_rng(0))
    assert estimate == pytest.approx(np.abs(values).max(), rel=1e-6)


def test_the_first_step_is_one_over_the_curvature_at_the_start(plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    result = solve(problem, "gradient_descent", max_steps=1, power_iterations=200)
    largest = np.linalg.eigvalsh(problem.hessian(problem.zeros()))[-1]
    assert result.rows[1]["step_length"] == pytest.approx(1 / largest, rel=1e-6)
    assert result.rows[1]["passes"] == 1 + 2 * 200 + 2


@pytest.mark.parametrize("growth", [1.0, 1.1])
def test_it_converges_linearly_and_downhill(growth, plant, make_regularised, minimiser):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    result = solve(problem, "gradient_descent", eps=1e-10, max_steps=2000, growth=growth)
    assert result.status is Status.CONVERGED
    expected = minimiser(problem)
    assert np.linalg.norm(result.x - expected) <= 1e-8 * np.linalg.norm(expected)
    loss = result.trace["loss"].to_numpy()
    assert (np.diff(loss) <= 1e-10 * loss[:-1]).all()


def test_steps_that_are_too_long_are_backtracked(plant, make_regularised):
    # The curvature of exp grows along the way: 1 / |H(x0)| is too long further on.
    instance = plant(1, radius=6.0)
    problem = make_regularised("exp", instance.A, instance.b, 1e-3)
    result = solve(problem, "gradient_descent", eps=1e-8, max_steps=100, growth=10.0)
    trials, lengths = result.trace["trials"].to_numpy(), result.trace["step_length"].to_numpy()
    cut = np.flatnonzero(trials[1:-1] > 1) + 1
    assert len(cut) > 0
    assert (lengths[cut + 1] <= lengths[cut]).all()  # the shortened step is remembered
    loss = result.trace["loss"].to_numpy()
    assert (np.diff(loss) <= 1e-10 * loss[:-1]).all()


@pytest.mark.parametrize(("option", "value"), [("power_iterations", 0), ("growth", 0.5)])
def test_options_out_of_range_are_input_errors_that_name_them(option, value):
    with pytest.raises(InputError, match=rf"solver\.{option}={value}.*gradient_descent allows"):
        make_solver("gradient_descent", **{option: value})
