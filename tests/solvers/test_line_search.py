"""The line search: descent only, inside the domain only, not fooled by a flat loss, and cheap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from softres.problems import SoftResidualRegression
from softres.solvers.line_search import search


@pytest.fixture
def point(plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    return problem.at(0.5 * instance.x)


def test_a_direction_of_ascent_is_rejected(point):
    assert search(point.along(point.gradient)) is None
    assert search(point.along(np.zeros(point.problem.d))) is None
    assert search(point.along(-point.gradient)) is not None


def test_a_direction_that_is_not_finite_is_rejected(point):
    assert search(point.along(np.full(point.problem.d, math.nan))) is None


def test_trials_need_no_pass_over_A(point):
    ray = point.along(-point.gradient)
    counter = point.problem.matrix.counter
    before = counter.passes
    found = search(ray, first=1e9)  # far too long: many trials
    assert found.trials > 3
    assert counter.passes == before


@pytest.mark.parametrize("first", [1e-3, 1.0, 1e3, 1e9])
def test_an_accepted_step_lowers_the_loss_by_armijos_share(point, first):
    ray = point.along(-point.gradient)
    found = search(ray, first=first)
    assert 0 < found.step_length <= first
    decrease = 1e-4 * found.step_length * ray.slope(point)
    assert found.point.value <= point.value + decrease
    np.testing.assert_allclose(found.point.x, point.x - found.step_length * point.gradient)
    np.testing.assert_allclose(
        found.point.z, point.problem.matrix.array @ found.point.x, rtol=0, atol=1e-12
    )


def test_a_good_first_step_is_taken_as_it_is(point):
    p = -np.linalg.solve(point.hessian() + 1e-3 * np.eye(point.problem.d), point.gradient)
    found = search(point.along(p))
    assert (found.step_length, found.trials) == (1.0, 1)


def test_trials_outside_the_domain_are_stepped_back_from():
    # Along p every z falls: alpha vanishes on the way, and the loss has a pole there.
    problem = SoftResidualRegression(np.ones((4, 1)), np.array([0.4, 0.3, 0.2, 0.1]), 1.0)
    origin = problem.at(np.array([0.5]))
    ray = origin.along(np.array([-1.0]))
    assert not ray.at(2.0).inside
    found = search(ray, first=2.0)
    assert found.point.inside
    assert found.step_length < 2.0


def test_where_the_loss_is_flat_to_rounding_the_slope_decides(
    plant, make_regularised, minimiser, record_property
):
    instance = plant(0, n=1000, d=5)
    problem = make_regularised("softres", instance.A, instance.b, 1e-2)
    x = minimiser(problem)
    away = x + 1e-9 * np.linalg.norm(x) * np.array([1, -1, 1, -1, 1]) / math.sqrt(5)
    point = problem.at(away)
    record_property("loss change", abs(point.value - problem.value(x)) / point.value)
    assert abs(point.value - problem.value(x)) <= 1e-15 * point.value
    newton = -np.linalg.solve(point.hessian(), point.gradient)
    found = search(point.along(newton))
    assert found.step_length == 1.0
    assert np.linalg.norm(found.point.x - x) <= 1e-4 * np.linalg.norm(away - x)
    # Ten times too long is too long, though the loss cannot tell.
    far = search(point.along(10.0 * newton))
    assert far.trials > 1
    assert np.linalg.norm(far.point.x - x) < np.linalg.norm(away - x)
