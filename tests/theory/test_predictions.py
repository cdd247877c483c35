"""The number of steps and the Lipschitz constant that the theorem's statement gives."""

from __future__ import annotations

from math import exp, log, log10

import pytest

from softres.theory.predictions import CONTRACTION, log10_lipschitz_recalled, predicted_steps


def test_steps_to_ten_digits():
    assert predicted_steps(1e-10) == 26  # ln(1e10) / ln(2.5) = 25.1


@pytest.mark.parametrize("eps", [0.999, 0.5, 0.4, 0.1, 1e-3, 1e-10, 1e-300])
def test_the_factor_reaches_the_goal_in_these_steps_and_not_in_one_less(eps):
    T = predicted_steps(eps)
    assert T * log(CONTRACTION) <= log(eps) * (1 - 1e-12)
    assert (T - 1) * log(CONTRACTION) > log(eps) * (1 + 1e-12)


def test_a_smaller_goal_never_takes_fewer_steps():
    steps = [predicted_steps(10.0 ** (-k / 7)) for k in range(1, 150)]
    assert steps == sorted(steps)
    assert steps[0] < steps[-1]


def test_the_constant_is_its_formula():
    n, R, beta = 50, 1.5, 0.3
    M = beta**-2 * n**1.5 * exp(20 * R**2)
    assert log10_lipschitz_recalled(n, R, log(beta)) == pytest.approx(log10(M), rel=1e-12)


def test_the_constant_may_exceed_the_range_of_doubles():
    assert log10_lipschitz_recalled(1000, 10.0, 0.0) == pytest.approx(4.5 + 2000 / log(10))
