"""The worst Euclidean factor of an inexact step: searched for from below, and attained."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from softres.theory.euclidean_factor import (
    euclidean_factor,
    h_norm_factor,
    largest_condition,
    repaired_steps,
)

CASES = [(0.08, 1.0), (0.08, 4.0), (0.08, 1e4), (0.3, 1.0), (0.3, 30.0), (0.7, 2.0), (0.9, 1e6)]


def factors(H, E):
    """|I - H~^-1 H| in l2 and in the H-norm for a diagonal H and H~ = H^1/2 (I + E) H^1/2."""
    root = np.sqrt(H)
    K = E @ np.linalg.inv(np.eye(len(H)) + E)
    return np.linalg.norm(K * root / root[:, None], 2), np.linalg.norm(K, 2)


def symmetric(entries, d, eps):
    """A symmetric matrix of spectral norm eps, from d (d + 1) / 2 numbers."""
    E = np.zeros((d, d))
    E[np.triu_indices(d)] = entries
    E = E + E.T
    return eps * E / np.linalg.norm(E, 2)


@pytest.mark.parametrize(("eps", "condition"), CASES)
def test_the_swap_of_the_two_axes_attains_it(eps, condition):
    # K = -(c I + r swap) is E (I + E)^-1 for an E of norm eps.
    r, c = eps / (1 - eps**2), eps**2 / (1 - eps**2)
    K = -(c * np.eye(2) + r * np.eye(2)[::-1])
    E = K @ np.linalg.inv(np.eye(2) - K)
    assert np.linalg.norm(E, 2) == pytest.approx(eps, rel=1e-12)
    found, _ = factors(np.array([1.0, condition]), E)
    assert found == pytest.approx(euclidean_factor(eps, condition), rel=1e-10)


@pytest.mark.parametrize(("eps", "condition"), CASES)
@pytest.mark.parametrize("d", [2, 3])
def test_a_search_comes_near_to_it_from_below_and_never_exceeds_it(eps, condition, d):
    rng = np.random.default_rng(0)
    bound = euclidean_factor(eps, condition)
    H = np.geomspace(1.0, condition, d)
    best = 0.0
    for _ in range(4):
        start = rng.standard_normal(d * (d + 1) // 2)
        found = minimize(
            lambda entries: -factors(H, symmetric(entries, d, eps))[0], start, method="Nelder-Mead"
        )
        best = max(best, -found.fun)
    assert best <= bound * (1 + 1e-9)
    assert best >= 0.9 * bound


def test_no_error_within_eps_exceeds_it_in_more_dimensions():
    rng = np.random.default_rng(1)
    for _ in range(500):
        d = int(rng.integers(2, 7))
        eps, condition = rng.uniform(0.01, 0.95), 10.0 ** rng.uniform(0, 5)
        H = np.concatenate([[1.0, condition], condition ** rng.random(d - 2)])
        E = symmetric(rng.standard_normal(d * (d + 1) // 2), d, eps * rng.random() ** 0.1)
        if rng.random() < 0.5:  # an extreme one: all of its eigenvalues at the ends
            values, vectors = np.linalg.eigh(E)
            E = (vectors * (eps * np.sign(values))) @ vectors.T
        l2, in_H = factors(H, E)
        assert l2 <= euclidean_factor(eps, condition) * (1 + 1e-9)
        assert in_H <= h_norm_factor(eps) * (1 + 1e-9)


def test_at_condition_one_both_norms_agree_and_later_it_grows_with_the_root():
    assert euclidean_factor(0.08, 1.0) == pytest.approx(h_norm_factor(0.08))
    assert euclidean_factor(0.08, 1e8) == pytest.approx(0.08 / (1 - 0.08**2) * 1e4, rel=1e-3)


@pytest.mark.parametrize("eps", [0.01, 0.05, 4 / 45, 0.2])
def test_the_largest_condition_is_where_the_factor_is_reached(eps):
    condition = largest_condition(eps)
    assert euclidean_factor(eps, condition) == pytest.approx(0.4)
    assert euclidean_factor(eps, 1.01 * condition) > 0.4
    # 2 eps, the lemma's factor at x*, is right up to sqrt(kappa) of about 2.
    assert largest_condition(1e-4, 2e-4) == pytest.approx(4.0, rel=1e-3)


def test_an_accuracy_that_contracts_in_no_norm_allows_no_condition():
    assert largest_condition(0.3) == 0.0


def test_the_repaired_number_of_steps_adds_half_a_logarithm_of_the_condition():
    assert repaired_steps(0.4**7 * (1 + 1e-12), 1.0) == 7
    assert repaired_steps(1e-4, 2.5**6) - repaired_steps(1e-4, 1.0) == 3
    with pytest.raises(ValueError, match="condition=inf"):
        repaired_steps(1e-4, np.inf)
