"""Each assumption of the theorem holds on one instance and fails on another."""

from __future__ import annotations

from dataclasses import replace
from math import inf, log, log10, sqrt

import numpy as np
import pytest

from softres.certification.minimiser import find_minimiser
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, weight
from softres.linalg.spectrum import Spectrum, spectrum
from softres.matrices import as_matrix
from softres.problems import make_problem
from softres.theory import check_assumptions
from softres.theory.assumptions import lowest_log_alpha

WEIGHTS = WeightOptions("theorem")


class Case:
    """An instance with all that the check wants to know of it; parts can be replaced."""

    def __init__(self, name="softres", *, R=4.0, rule=WEIGHTS, w=None, **options):
        instance = make_synthetic(100, 4, R, 0, Synthetic(noise=0.3))
        A = instance.A
        values = spectrum(as_matrix(A))
        bare = make_problem(name, A, instance.b)
        w = weight(rule, bare, values.sigma_min) if w is None else w
        self.problem = make_problem(name, A, instance.b, w, **options)
        x0 = self.problem.start()
        x, certificate = find_minimiser(self.problem, x0)
        self.arguments = {
            "start": self.problem.at(x0),
            "minimum": self.problem.at(x),
            "spectrum": values,
            "R": R,
            "weights": rule,
            "smallest_eigenvalue": certificate.smallest_eigenvalue,
        }

    def check(self, **changes):
        checks = check_assumptions(**self.arguments | changes)
        return {check.id: check for check in checks}


@pytest.fixture(scope="module")
def theorem():
    """An instance with the theorem's weights."""
    return Case()


@pytest.fixture(scope="module")
def light():
    """An instance with weights far below the theorem's, where the fit is real."""
    return Case(rule=replace(WEIGHTS, name="relative"))


def holds(checks):
    return {name: check.holds for name, check in checks.items()}


def test_the_theorems_weights_meet_every_assumption_but_that_on_the_start(theorem):
    assert holds(theorem.check()) == {
        "A_norm": True,
        "x_norm": True,
        "weights": True,
        "target": True,
        "alpha": True,
        "start": False,
    }


def test_the_norm_of_a_fails_with_a_smaller_radius_and_forgives_rounding(theorem):
    assert not theorem.check(R=3.9)["A_norm"].holds
    values = theorem.arguments["spectrum"]
    rounded = replace(values, sigma_max=4.0 * (1 + 1e-12))
    assert theorem.check(spectrum=rounded)["A_norm"].holds
    check = theorem.check(R=3.9)["A_norm"]
    assert (check.value, check.bound) == (values.sigma_max, 3.9)


def test_the_norm_of_the_minimiser_is_held_against_the_radius(light):
    norm = float(np.linalg.norm(light.arguments["minimum"].x))
    assert norm > 0.5
    assert light.check(R=1.01 * norm)["x_norm"].holds
    check = light.check(R=0.99 * norm)["x_norm"]
    assert not check.holds
    assert check.value == pytest.approx(norm)


def test_weights_below_the_theorems_fail_and_the_figure_says_what_is_needed(light):
    check = light.check()["weights"]
    assert not check.holds
    assert check.bound == pytest.approx(100 + 1 / 0.4**2)  # sigma_min = R / condition
    assert check.value == pytest.approx(1e-2 * 4 / 100**2)
    assert "needed 106.2 (C = 100)" in check.figure


@pytest.mark.parametrize("constant", [4.0, 200.0])
@pytest.mark.parametrize("l", [0.1, 10.0])
def test_the_theorems_rule_meets_its_own_bound_whatever_the_constants(constant, l):  # noqa: E741
    rule = WeightOptions("theorem", constant=constant, l=l)
    assert Case(rule=rule).check()["weights"].holds


def test_one_light_row_fails_the_weights(theorem):
    w = np.full(100, 11.0)
    assert Case(w=w).check()["weights"].holds
    w[7] = 10.0  # w^2 = 100 < 106.25
    assert not Case(w=w).check()["weights"].holds


def test_a_matrix_without_singular_values_needs_infinite_weights(theorem):
    check = theorem.check(spectrum=Spectrum(0.0, 0.0, 0))["weights"]
    assert not check.holds
    assert check.bound == inf


def test_targets_must_sum_to_one_at_most(theorem):
    A, b = np.eye(4, 2), np.full(4, 0.25)
    # More than one is refused but for the rounding of shares that were given in single precision.
    for scale, expected in ((1.0, True), (0.5, True), (1 + 1e-12, True), (1 + 5e-5, False)):
        problem = make_problem("softres", A, scale * b, 1.0)
        point = problem.at(np.zeros(2))
        check = theorem.check(start=point, minimum=point)["target"]
        assert check.holds is expected
        assert check.value == pytest.approx(scale)


def test_alpha_fails_where_it_drops_below_beta_on_the_way():
    # Over A = (1, ..., 1) alpha is n (exp(x) + x): it has a dip between 0 and -3, at x = -3 < 0.
    n = 10
    problem = make_problem("softres", np.ones((n, 1)), np.full(n, 1 / n), 1.0)
    start, near, far = (problem.at(np.array([x])) for x in (0.0, 1.0, -3.0))
    base = {"spectrum": Spectrum(sqrt(n), sqrt(n), 1), "R": 4.0, "weights": WEIGHTS}
    for end, expected in ((near, True), (far, False)):
        checks = check_assumptions(start=start, minimum=end, smallest_eigenvalue=1.0, **base)
        assert {check.id: check.holds for check in checks}["alpha"] is expected


def test_alpha_is_looked_at_between_the_ends_too():
    # Two rows +1 and -1: u sums to 2 cosh(x), least in the middle of the segment from -2 to 2.
    problem = make_problem("softres", np.array([[1.0], [-1.0]]), np.full(2, 0.5))
    start, end = (problem.at(np.array([x])) for x in (-2.0, 2.0))
    assert start.log_alpha == pytest.approx(log(2 * np.cosh(2.0)))
    assert lowest_log_alpha(start, end) == pytest.approx(log(2.0))
    passes = problem.matrix.counter.passes
    lowest_log_alpha(start, end)
    assert problem.matrix.counter.passes == passes


def test_the_start_holds_near_enough_to_the_minimiser():
    # A small radius: M = alpha^-2 n^1.5 exp(20 R^2) is about n^-0.5 here.
    case = Case(R=0.1, rule=replace(WEIGHTS, name="absolute", value=100.0))
    minimum, problem = case.arguments["minimum"], case.problem
    l_found = case.arguments["smallest_eigenvalue"]
    M = 10 ** (-2 * log10(lowest_alpha(case)) + 1.5 * log10(100) + 20 * 0.01 / log(10))
    radius = 0.1 * l_found / M
    for factor, expected in ((0.9, True), (1.1, False)):
        x0 = minimum.x + factor * radius * np.eye(4)[0]
        check = case.check(start=problem.at(x0))["start"]
        assert check.holds is expected
        assert 10 ** (check.value - check.bound) == pytest.approx(factor, rel=0.05)


def lowest_alpha(case):
    return np.exp(lowest_log_alpha(case.arguments["start"], case.arguments["minimum"]))


def test_the_minimiser_itself_is_always_a_start_and_no_start_will_do_at_a_saddle(light):
    minimum = light.arguments["minimum"]
    assert light.check(start=minimum)["start"].holds
    assert not light.check(smallest_eigenvalue=-1.0)["start"].holds


@pytest.mark.parametrize("name", ["exp", "cosh", "sinh", "resnet"])
def test_plain_problems_have_no_alpha(name):
    checks = Case(name).check()
    assert set(checks) == {"A_norm", "x_norm", "weights", "target"}


def test_softmax_has_no_floor_for_alpha():
    check = Case("softmax").check()["alpha"]
    assert check.holds
    assert check.bound == -inf


@pytest.mark.parametrize("x", [1e3, 1e4])
def test_alpha_beyond_the_range_of_doubles_is_reported_as_a_power_of_ten(x):
    problem = make_problem("softmax", np.ones((4, 1)), np.full(4, 0.25))
    point = problem.at(np.array([x]))
    checks = check_assumptions(
        start=point,
        minimum=point,
        spectrum=Spectrum(2.0, 2.0, 1),
        R=4.0,
        weights=WEIGHTS,
        smallest_eigenvalue=1.0,
    )
    (check,) = [check for check in checks if check.id == "alpha"]
    assert f"min alpha = 10^{(x + log(4)) / log(10):.1f}" in check.figure
