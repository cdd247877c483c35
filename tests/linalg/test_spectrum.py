"""The extreme singular values and the rank agree with a singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest

import softres.linalg.spectrum as module
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.linalg.spectrum import Spectrum, spectrum
from softres.matrices import as_matrix


@pytest.mark.parametrize("condition", [1.0, 10.0, 1e6])
def test_extremes_and_condition(kind, condition):
    A = make_synthetic(90, 6, 4.0, 0, Synthetic(condition=condition)).A
    found = spectrum(as_matrix(kind(A)))
    assert found.sigma_max == pytest.approx(4.0, rel=1e-12)
    # From A^T A: relative errors grow with the square of the condition.
    assert found.sigma_min == pytest.approx(4.0 / condition, rel=1e-12 + 1e-15 * condition**2)
    assert found.rank == 6
    assert found.condition == found.sigma_max / found.sigma_min


def test_directions_without_any_row_do_not_count(kind):
    A = make_synthetic(90, 6, 4.0, 0, Synthetic()).A
    deficient = np.hstack([A, A[:, :2] @ [[1.0], [2.0]], np.zeros((90, 1))])
    found = spectrum(as_matrix(kind(deficient)))
    values = np.linalg.svd(deficient, compute_uv=False)
    assert found.rank == 6
    assert found.sigma_max == pytest.approx(values[0], rel=1e-12)
    assert found.sigma_min == pytest.approx(values[5], rel=1e-10)


def test_a_matrix_of_zeros_has_rank_zero():
    assert spectrum(as_matrix(np.zeros((5, 3)))) == Spectrum(0.0, 0.0, 0)


@pytest.fixture
def without_eigenvalues(monkeypatch):
    """Take every A to have too many columns for all eigenvalues."""
    monkeypatch.setattr(module, "DENSE_COLUMNS", 0)
    monkeypatch.setattr(module, "spectrum_of_gram", None)  # it must not be needed


@pytest.mark.parametrize("condition", [1.0, 10.0, 1e5])
@pytest.mark.parametrize("dependent", [0, 1, 12])
def test_many_columns_give_the_same_figures(without_eigenvalues, condition, dependent):
    A = make_synthetic(200, 20, 4.0, 0, Synthetic(condition=condition)).A
    mixed = A @ np.random.default_rng(0).standard_normal((20, dependent))
    A = np.hstack([A, mixed, np.zeros((200, min(dependent, 2)))])
    A[:, 3] *= 1e-3  # a column on a small scale is not a null vector
    values = np.linalg.svd(A, compute_uv=False)
    found = spectrum(as_matrix(A))
    assert found.rank == 20
    assert found.sigma_max == pytest.approx(values[0], rel=1e-9)
    tolerance = 1e-9 + 1e-14 * (values[0] / values[19]) ** 2
    assert found.sigma_min == pytest.approx(values[19], rel=tolerance)


def test_zeros_with_many_columns_have_rank_zero(monkeypatch):
    monkeypatch.setattr(module, "DENSE_COLUMNS", 0)
    assert spectrum(as_matrix(np.zeros((5, 3)))) == Spectrum(0.0, 0.0, 0)
