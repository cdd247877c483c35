"""Solvers start where they were told to, all at the same point."""

from __future__ import annotations

import numpy as np
import pytest

from softres.common.errors import InputError
from softres.data.start import StartOptions, starting_point

DEFAULT = np.array([0.5, 0.0, -0.5])
MINIMISER = np.array([1.0, 2.0, 3.0])


def test_the_default_is_the_problems_own_start():
    x0 = starting_point(StartOptions(), DEFAULT, MINIMISER, seed=0)
    np.testing.assert_array_equal(x0, DEFAULT)


@pytest.mark.parametrize("distance", [1e-8, 1.0, 30.0])
def test_a_random_start_and_one_near_the_minimiser_are_at_the_distance_asked_for(distance):
    # The problem's own start may lie off 0, and does for cosh.
    random = starting_point(StartOptions("random", distance), 0 * DEFAULT, MINIMISER, seed=0)
    assert np.linalg.norm(random) == pytest.approx(distance, rel=1e-12)
    near = starting_point(StartOptions("minimiser", distance), DEFAULT, MINIMISER, seed=0)
    assert np.linalg.norm(near - MINIMISER) == pytest.approx(distance, rel=1e-6)


def test_the_direction_depends_on_the_seed_only():
    options = StartOptions("random")
    first, again, other = (starting_point(options, DEFAULT, None, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.linalg.norm(first - other) > 0.1
    near = starting_point(StartOptions("minimiser"), DEFAULT, MINIMISER, 1)
    np.testing.assert_allclose(near - MINIMISER, first, rtol=1e-12)


def test_a_start_is_a_host_array_of_doubles():
    x0 = starting_point(StartOptions(), [0, 0], None, seed=0)
    assert isinstance(x0, np.ndarray)
    assert x0.dtype == np.float64


def test_a_start_near_the_minimiser_needs_the_minimiser():
    with pytest.raises(ValueError, match="needs the minimiser"):
        starting_point(StartOptions("minimiser"), DEFAULT, None, seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "typo"}, r"start\.kind=typo: allowed are default, random, minimiser"),
        ({"distance": 0.0}, r"start\.distance=0\.0: allowed is a positive number"),
        ({"distance": float("inf")}, r"start\.distance=inf: allowed"),
        ({"distance": float("nan")}, r"start\.distance=nan: allowed"),
    ],
)
def test_an_option_out_of_range_is_named_with_its_value(options, message):
    with pytest.raises(InputError, match=message):
        StartOptions(**options)


def test_a_random_start_is_counted_from_zero_for_every_problem():
    x0 = starting_point(StartOptions("random", 2.0), DEFAULT, None, seed=0)
    assert np.linalg.norm(x0) == pytest.approx(2.0, rel=1e-12)
