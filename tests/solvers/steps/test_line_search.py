"""The line search: descent only, inside the domain only, not fooled by a flat loss, and cheap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softres.problems import HyperbolicRegression, SoftResidualRegression
from softres.solvers.steps.line_search import minimise_along, search


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
    # A minimum along the same ray is held to the same rule, even by its only trial.
    ray = point.along(10.0 * newton)
    for trials in (1, 10):
        found = minimise_along(ray, trials=trials)
        assert ray.slope(found.point) <= 0.8 * abs(ray.slope(point))


# --- A minimum along the ray ---------------------------------------------------------------------


@pytest.mark.parametrize("length", [1e-6, 1e-2, 1.0, 1e2])
def test_the_slope_falls_to_the_tolerance(point, length):
    for direction in (point.gradient, np.linalg.solve(point.hessian(), point.gradient)):
        ray = point.along(-length * direction)
        found = minimise_along(ray, trials=40)
        assert abs(ray.slope(found.point)) <= 0.1 * abs(ray.slope(point))
        tight = minimise_along(ray, tolerance=1e-6, trials=60)
        assert abs(ray.slope(tight.point)) <= 1e-6 * abs(ray.slope(point))
        assert tight.point.value <= found.point.value * (1 + 1e-12)


@given(
    seed=st.integers(0, 50),
    weight=st.sampled_from([0.0, 1e-4, 1.0]),
    away=st.floats(0.0, 1.0),
    length=st.floats(-9.0, 9.0),
    trials=st.integers(1, 12),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("name", ["softres", "softmax", "resnet-exp", "resnet-tanh", "sinh"])
def test_any_direction_of_descent_leads_to_a_sufficient_decrease_inside_the_domain(
    name, seed, weight, away, length, trials, plant, make_regularised
):
    instance = plant(seed, 60, 3)
    problem = make_regularised(name, instance.A, instance.b, weight)
    start = problem.at(away * instance.x)
    p = np.random.default_rng(seed).standard_normal(3)
    p *= -np.sign(p @ start.gradient) * 10.0**length / np.linalg.norm(p)
    ray = start.along(p)
    with np.errstate(all="ignore"):
        found = minimise_along(ray, trials=trials)
    assert found is not None
    assert found.point.inside
    assert found.step_length > 0
    np.testing.assert_allclose(found.point.x, start.x + found.step_length * p)
    fall = found.point.value - start.value
    flat = abs(fall) <= 1e-10 * start.value
    assert flat or fall <= 1e-4 * found.step_length * ray.slope(start)


def test_a_minimum_takes_no_pass_and_no_more_trials_than_allowed(point):
    counter = point.problem.matrix.counter
    for length in (1e-6, 1.0, 1e6):
        ray = point.along(-length * point.gradient)
        before = counter.passes
        found = minimise_along(ray)
        assert counter.passes == before
        assert 1 <= found.trials <= 60
    # A step to where the slope is small already is taken as it is.
    newton = -np.linalg.solve(point.hessian(), point.gradient)
    near = point.problem.at(minimise_along(point.along(newton), 1e-8, 60).point.x)
    newton = -np.linalg.solve(near.hessian(), near.gradient)
    found = minimise_along(near.along(newton))
    assert (found.step_length, found.trials) == (1.0, 1)


@pytest.mark.parametrize("scale", [0.0, 1.0, math.nan, math.inf])
def test_no_minimum_is_looked_for_along_what_is_no_direction_of_descent(point, scale):
    with np.errstate(invalid="ignore"):
        p = scale * point.gradient
        assert minimise_along(point.along(p)) is None


@pytest.mark.parametrize("length", [1.0, 2.0, 1e3, 1e9])
def test_a_minimum_is_found_where_the_first_trial_is_outside_the_domain(length):
    problem = SoftResidualRegression(np.ones((4, 1)), np.array([0.4, 0.3, 0.2, 0.1]), 1.0)
    origin = problem.at(np.array([0.5]))
    ray = origin.along(np.array([-2.0 * length]))
    assert not ray.at(1.0).inside
    found = minimise_along(ray, trials=60)
    assert found.point.inside
    assert abs(ray.slope(found.point)) <= 0.1 * abs(ray.slope(origin))


@pytest.mark.parametrize("find", [search, minimise_along])
def test_a_slope_beyond_the_range_of_doubles_is_no_matter(find):
    # At z = 352 the loss, its gradient in z and its curvature are finite; the slope is not.
    problem = HyperbolicRegression(np.ones((4, 1)), np.full(4, 0.25), function="exp")
    origin = problem.at(np.array([-1.0]))
    ray = origin.along(np.array([354.5]))
    found = find(ray)
    assert found.point.inside
    assert found.point.value < origin.value
