"""Leverage scores used for another diagonal: they bound the new ones, and sampling stays exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from softres.matrices import as_matrix
from softres.sketching import RowForms, exact_scores, sample_rows, sample_size
from softres.sketching.reuse import largest_change, least_ratio

pytestmark = pytest.mark.usefixtures("one_thread")


def exact_forms(A: np.ndarray, D: np.ndarray) -> RowForms:
    return RowForms(exact_scores(as_matrix(A), np.sqrt(D)) / D, D)


@st.composite
def moved(draw):
    """Draw a matrix, coherent or not, a diagonal, and one to which it has moved."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = draw(st.sampled_from([(60, 3), (900, 2), (1500, 5)]))
    A = rng.standard_normal((n, d)) * np.exp(rng.standard_normal((n, 1)))
    if draw(st.booleans()):
        A[0] = 0.0
        A[:, 0] *= 1e-3
        A[0, 0] = 10.0
    old = np.exp(rng.standard_normal(n))
    new = old * np.exp(draw(st.sampled_from([0.0, 0.1, 1.0])) * rng.standard_normal(n)) * 7.0
    if draw(st.booleans()):
        new[rng.integers(0, n, 3)] = 0.0
    return A, old, new


@given(drawn=moved())
@settings(max_examples=150, deadline=None)
def test_the_bound_is_above_every_leverage_score(drawn):
    A, old, new = drawn
    bounds, growth = exact_forms(A, old).bound(new, A.shape[1])
    if not math.isfinite(growth):
        return
    scores = exact_scores(as_matrix(A), np.sqrt(new))
    assert (bounds >= scores * (1.0 - 1e-9)).all()
    assert growth == pytest.approx(bounds.sum() / A.shape[1], rel=1e-6)


def test_a_common_factor_of_the_diagonal_costs_nothing():
    A = np.random.default_rng(0).standard_normal((400, 4))
    D = np.linspace(1.0, 2.0, 400)
    bounds, growth = exact_forms(A, D).bound(1e-6 * D, 4)
    assert growth == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(bounds, exact_scores(as_matrix(A), np.sqrt(D)), rtol=1e-10)


def test_a_few_rows_that_lost_their_weight_do_not_spoil_the_bound():
    A = np.random.default_rng(0).standard_normal((20_000, 4))
    D = np.ones(20_000)
    new = D.copy()
    new[:20] = 1e-9  # the least ratio would bound nothing
    growth = exact_forms(A, D).bound(new, 4)[1]
    assert 1.0 <= growth < 1.1


def test_a_heavy_row_that_lost_its_weight_is_not_left_out():
    # Row 0 alone carries the first column: without its weight its direction is lost.
    A = np.random.default_rng(0).standard_normal((20_000, 4))
    A[:, 0] = 0.0
    A[0] = [1.0, 0.0, 0.0, 0.0]
    new = np.ones(20_000)
    new[0] = 1e-6
    bounds, growth = exact_forms(A, np.ones(20_000)).bound(new, 4)
    assert bounds[0] >= 1.0 - 1e-9
    assert growth > 1e5


def test_a_diagonal_that_vanished_has_no_bound():
    A = np.random.default_rng(0).standard_normal((50, 4))
    bounds, growth = exact_forms(A, np.ones(50)).bound(np.zeros(50), 4)
    assert growth == math.inf
    assert bounds.shape == (50,)


def test_rows_that_had_no_weight_take_part_in_the_bound():
    A = np.random.default_rng(0).standard_normal((300, 3))
    old = np.ones(300)
    old[:10] = 0.0
    new = np.ones(300)
    gram = A.T @ (old[:, None] * A)
    forms = RowForms(np.einsum("ij,jk,ik->i", A, np.linalg.inv(gram), A), old)
    bounds, growth = forms.bound(new, 3)
    assert (bounds >= exact_scores(as_matrix(A), np.ones(300)) * (1 - 1e-9)).all()
    assert growth == pytest.approx(310 / 300, rel=0.05)


def test_the_bound_is_better_than_the_least_ratio(record_property):
    rng = np.random.default_rng(0)
    n, d = 40_000, 10
    A = rng.standard_normal((n, d))
    new = np.exp(0.1 * rng.standard_normal(n))
    growth = exact_forms(A, np.ones(n)).bound(new, d)[1]
    crude = new.mean() / new.min()
    record_property("growth", growth)
    record_property("by the least ratio", crude)
    assert growth < 1.0 + 0.85 * (crude - 1.0)


def test_the_least_ratio_is_the_least_where_nothing_can_be_left_out():
    ratio = np.array([0.5, 2.0, 3.0])
    assert least_ratio(ratio, np.ones(3), np.array([1.0, 1.0, 1.0]), 3) == 0.5


@pytest.mark.parametrize("design", ["gaussian", "axes", "heavy rows"])
def test_a_sample_by_bounds_is_as_accurate_as_the_lemma_promises(design, record_property):
    rng = np.random.default_rng(0)
    n, d, eps0, delta = 30_000, 6, 0.25, 0.01
    A = {
        "gaussian": lambda: rng.standard_normal((n, d)),
        "axes": lambda: np.eye(d)[np.arange(n) % d],
        "heavy rows": lambda: rng.standard_t(1.5, (n, 1)) * rng.standard_normal((n, d)),
    }[design]()
    old = np.ones(n)
    new = np.exp(0.5 * np.clip(rng.standard_normal(n), -1.0, 1.0)) * 1e-3
    bounds, growth = exact_forms(A, old).bound(new, d)
    assert 1.3 < growth < 3.0
    exact = A.T @ (new[:, None] * A)
    s = math.ceil(sample_size(d, eps0, delta, 2.25) * growth)
    matrix = as_matrix(A)
    errors = []
    for seed in range(150):
        sample = sample_rows(bounds, s, np.random.default_rng(seed))
        off = sample.gram(matrix, new) - exact
        errors.append(np.abs(linalg.eigh(off, exact, eigvals_only=True)).max())
    record_property("largest over eps0", max(errors) / eps0)
    assert np.mean(np.array(errors) > eps0) <= delta


@given(drawn=moved(), signs=st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_the_largest_change_bounds_the_change_of_the_gram_matrix(drawn, signs):
    A, old, new = drawn
    flip = np.random.default_rng(signs).random(len(old)) < 0.1
    new = np.where(flip, -new, new)
    scores = exact_scores(as_matrix(A), np.sqrt(old))
    eta = largest_change(new, old, scores, A.shape[1])
    gram = A.T @ (old[:, None] * A)
    values = linalg.eigvalsh(A.T @ ((new - old)[:, None] * A), gram)
    assert np.abs(values).max() <= eta * (1.0 + 1e-9)


def test_the_largest_change_is_not_the_largest_ratio_of_a_light_row():
    A = np.random.default_rng(0).standard_normal((20_000, 4))
    old = np.ones(20_000)
    new = old * 1.001
    new[:20] = -3.0
    scores = exact_scores(as_matrix(A), old)
    assert 0.001 < largest_change(new, old, scores, 4) < 0.1


def test_a_row_without_weight_is_not_divided_by():
    scores = np.full(100, 0.02)
    old = np.ones(100)
    old[:2] = 0.0
    new = old.copy()
    assert largest_change(new, old, scores, 2) == 0.0
    new[0] = 1e-9
    assert largest_change(new, old, scores, 2) == math.inf
