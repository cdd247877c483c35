"""A Hessian that follows the iterates: how close it stays, what that costs, when it is renewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import linalg

from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.problems import SoftmaxRegression
from softres.problems.curvature import Curvature
from softres.solvers.preconditioned.maintained import MaintainedHessian

pytestmark = pytest.mark.usefixtures("one_thread")

#: Relative change of an entry of D up to which its row is left as it is.
DRIFT = 0.1
NOISE = 1e-13
SEEDS = st.integers(0, 2**32 - 1)
fixture_is_stateless = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Case:
    """A matrix, on the host and as it is stored, and a curvature over it, on the host."""

    A: np.ndarray
    matrix: Any
    diagonal: np.ndarray
    v: np.ndarray
    h: np.ndarray

    @classmethod
    def draw(cls, rng, kind, n=80, d=4):
        A = rng.standard_normal((n, d))
        v, h = rng.standard_normal((2, n)) / n
        return cls(A, as_matrix(kind(A)), np.exp(rng.standard_normal(n)), v, h)

    def target(self, diagonal=None, v=None, h=None):
        """Return the curvature with some parts replaced, as A is stored."""
        parts = (
            self.diagonal if diagonal is None else diagonal,
            self.v if v is None else v,
            self.h if h is None else h,
        )
        return Curvature(*(self.matrix.asarray(part) for part in parts))

    def exact(self, target):
        """Return A^T (diag(D) + v h^T + h v^T) A from the host's A."""
        D, v, h = (as_numpy(part) for part in (target.diagonal, target.v, target.h))
        outer = np.outer(self.A.T @ v, self.A.T @ h)
        return self.A.T @ (D[:, None] * self.A) + outer + outer.T

    def maintained(self):
        """Return a Hessian that has been built and factored here."""
        hessian = MaintainedHessian(self.matrix)
        hessian.rebuild(self.target(), self.matrix.gram)
        assert hessian.refactor(NOISE)
        return hessian

    def spent(self):
        return self.matrix.counter.grams, self.matrix.counter.passes

    def clear(self):
        self.matrix.counter.grams = self.matrix.counter.passes = 0.0


def total(hessian):
    """Return the matrix that is factored now."""
    assert hessian.refactor(NOISE)
    return as_numpy(hessian.total)


def spectral_error(found, exact, D, A):
    """Return the largest |x^T (found - exact) x| over x^T A^T diag(D) A x."""
    gram = A.T @ (D[:, None] * A)
    return float(np.abs(linalg.eigh(found - exact, gram, eigvals_only=True)).max())


def close(found, exact):
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-11 * np.abs(exact).max())


# --- How close it stays ------------------------------------------------------------------------


@given(seed=SEEDS)
@fixture_is_stateless
def test_built_anew_it_is_the_hessian(kind, seed):
    case = Case.draw(np.random.default_rng(seed), kind)
    hessian = case.maintained()
    close(as_numpy(hessian.total), case.exact(case.target()))
    y = np.arange(1.0, 5.0)
    np.testing.assert_allclose(
        as_numpy(hessian.factor.solve(case.matrix.asarray(y))),
        np.linalg.solve(case.exact(case.target()), y),
    )
    # And so again after it has been elsewhere.
    elsewhere = case.target(3.0 * case.diagonal[::-1], case.h, case.v)
    hessian.follow(elsewhere, 10)
    hessian.rebuild(case.target(), case.matrix.gram)
    close(total(hessian), case.exact(case.target()))


@given(seed=SEEDS, spread=st.sampled_from([0.03, 0.3, 3.0]), scale=st.floats(1e-3, 1e3))
@fixture_is_stateless
def test_without_a_limit_only_the_drift_of_rows_left_alone_remains(kind, seed, spread, scale):
    rng = np.random.default_rng(seed)
    case = Case.draw(rng, kind)
    hessian = case.maintained()
    changes = np.exp(spread * rng.standard_normal(80))
    v, h = rng.standard_normal((2, 80)) / 80
    new = case.target(scale * changes * case.diagonal, scale * v, h)
    rows = hessian.follow(new, limit=80, exact=True)
    base = np.median(scale * changes) * case.diagonal
    D = as_numpy(new.diagonal)
    assert rows == int((np.abs(D - base) > DRIFT * base).sum())
    # Entries left alone are within a tenth of what they were: 0.1 / 0.9 of what they are.
    assert spectral_error(total(hessian), case.exact(new), D, case.A) <= DRIFT / (1 - DRIFT) + 1e-9
    if rows == 80:
        close(total(hessian), case.exact(new))


def test_the_drift_of_rows_left_alone_does_not_add_up(kind):
    rng = np.random.default_rng(0)
    case = Case.draw(rng, kind)
    hessian = case.maintained()
    for step in range(30):
        D = np.exp(0.05 * step * np.sin(np.arange(80.0))) * case.diagonal
        new = case.target(D)
        hessian.follow(new, limit=80, exact=True)
        assert spectral_error(total(hessian), case.exact(new), D, case.A) <= 0.12


@given(seed=SEEDS, scales=st.tuples(*[st.floats(1e-6, 1e6)] * 3))
@fixture_is_stateless
def test_a_common_change_of_scale_moves_no_row_and_costs_nothing(kind, seed, scales):
    case = Case.draw(np.random.default_rng(seed), kind)
    hessian = case.maintained()
    # The rank-two part shares the diagonal's scale, so that the matrix stays definite.
    scale, ratio, _ = scales
    new = case.target(scale * case.diagonal, scale * ratio * case.v, case.h / ratio)
    case.clear()
    assert hessian.follow(new, limit=80) == 0
    assert case.spent() == (0, 0)
    assert not hessian.diffuse
    close(total(hessian), case.exact(new))


def test_it_knows_whether_its_factor_is_that_of_the_present_matrix(kind):
    case = Case.draw(np.random.default_rng(0), kind)
    hessian = case.maintained()
    assert not hessian.changed
    hessian.follow(case.target(2.0 * case.diagonal, 2.0 * case.v), limit=80)
    assert not hessian.changed  # a common scale does not matter
    hessian.follow(case.target(case.diagonal * np.linspace(1.0, 2.0, 80)), limit=80)
    assert hessian.changed
    assert hessian.refactor(NOISE)
    assert not hessian.changed
    hessian.rebuild(case.target(-case.diagonal), case.matrix.gram)
    assert not hessian.refactor(NOISE)
    assert hessian.changed


# --- What it costs -----------------------------------------------------------------------------


@given(seed=SEEDS, limit=st.integers(1, 80), exact=st.booleans())
@fixture_is_stateless
def test_counters_grow_by_the_share_of_the_rows_moved(kind, seed, limit, exact):
    rng = np.random.default_rng(seed)
    case = Case.draw(rng, kind)
    hessian = case.maintained()
    new = case.target(np.exp(0.2 * rng.standard_normal(80)) * case.diagonal, case.v.copy())
    case.clear()
    rows = hessian.follow(new, limit, exact=exact)
    grams, passes = case.spent()
    assert 0 <= rows <= limit
    assert grams == pytest.approx(rows / 80)
    # Over all rows where it is asked for; for v and h that did not change, over those moved.
    assert passes == pytest.approx(2.0 if exact else 2 * rows / 80)


@given(seed=SEEDS, limit=st.integers(1, 79))
@fixture_is_stateless
def test_the_rows_that_are_furthest_off_are_moved(kind, seed, limit):
    rng = np.random.default_rng(seed)
    case = Case.draw(rng, kind)
    hessian = case.maintained()
    # More than half stay as they are, so that no common change of scale is seen.
    factor = np.ones(80)
    factor[:35] = 1.0 + rng.uniform(0.2, 5.0, 35)
    D = factor * case.diagonal
    rows = hessian.follow(case.target(D), limit)
    furthest = np.argsort(np.abs(D - case.diagonal))[::-1][: min(limit, 35)]
    expected = case.diagonal.copy()
    expected[furthest] = D[furthest]
    assert rows == len(furthest)
    close(total(hessian), case.exact(case.target(expected)))


@pytest.mark.parametrize(("rows_that_change", "diffuse"), [(5, False), (35, True)])
def test_thrift_leaves_change_alone_that_is_spread_over_many_rows(kind, rows_that_change, diffuse):
    case = Case.draw(np.random.default_rng(0), kind)
    case.diagonal[:] = 1.0
    D = np.ones(80)
    # All by nearly as much, beyond the limit of 4 rows.
    D[:rows_that_change] = 2.0 + 1e-3 * np.arange(rows_that_change)
    for skip_diffuse, rows in ((False, 4), (True, 0 if diffuse else 4)):
        hessian = case.maintained()
        assert hessian.follow(case.target(D), limit=4, skip_diffuse=skip_diffuse) == rows
        assert hessian.diffuse is diffuse


@given(seed=SEEDS)
@fixture_is_stateless
def test_a_target_that_differs_in_known_rows_takes_these_and_no_more(kind, seed):
    rng = np.random.default_rng(seed)
    case = Case.draw(rng, kind)
    here = case.target()
    hessian = MaintainedHessian(case.matrix)
    hessian.rebuild(here, case.matrix.gram)
    rows = rng.random(80) < 0.1
    D = np.where(rows, rng.uniform(2.0, 5.0, 80), case.diagonal)
    there = case.target(D, h=rng.standard_normal(80) / 80)
    case.clear()
    # The Gauss-Newton matrix of a point has the v of its Hessian.
    there = Curvature(there.diagonal, here.v, there.h)
    assert hessian.replace(there, case.matrix.asarray(rows) > 0) == rows.sum()
    assert case.spent() == (pytest.approx(rows.sum() / 80), 1.0)
    assert hessian.changed
    close(total(hessian), case.exact(there))


# --- The rank-two part -------------------------------------------------------------------------


def softmax_case(kind, spread):
    """Return softmax at logits of a spread: a large one makes f peaked at a single row."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((80, 4)) / 4
    problem = SoftmaxRegression(kind(A), np.full(80, 1 / 80))
    x = np.array([1.0, 0.3, -0.2, 0.5])
    x *= spread / np.ptp(A @ x)
    return A, problem, x


@pytest.mark.parametrize(("spread", "renewed"), [(0.5, False), (12.0, True)])
def test_a_stale_rank_two_part_is_renewed_where_f_is_peaked(kind, spread, renewed):
    A, problem, x = softmax_case(kind, spread)
    here = problem.at(problem.matrix.asarray(x)).gauss_newton
    hessian = MaintainedHessian(problem.matrix)
    hessian.rebuild(here, problem.matrix.gram)
    assert hessian.refactor(NOISE)
    there = problem.at(problem.matrix.asarray(x + 0.1 * np.array([1, -1, 1, 0.5]))).gauss_newton
    counter = problem.matrix.counter
    counter.passes = 0.0
    rows = hessian.follow(there, limit=80)
    assert counter.passes == pytest.approx(2.0 if renewed else 2 * rows / 80)
    # The diagonal is as it should be up to the drift; what else is wrong is the rank-two part.
    D, v, h = (as_numpy(part) for part in (there.diagonal, there.v, there.h))
    base = as_numpy(here.diagonal) * np.median(D / as_numpy(here.diagonal))
    D = np.where(np.abs(D - base) > DRIFT * base, D, base)
    outer = np.outer(A.T @ v, A.T @ h)
    expected = A.T @ (D[:, None] * A) + outer + outer.T
    error = np.abs(total(hessian) - expected).max() / np.abs(expected).max()
    assert error <= 1e-12 if renewed else 1e-4 < error < 0.1


def test_a_rank_two_part_that_is_not_stale_follows_the_rows_moved(kind):
    rng = np.random.default_rng(0)
    case = Case.draw(rng, kind)
    hessian = case.maintained()
    D, v, h = case.diagonal.copy(), case.v.copy(), case.h.copy()
    D[:9] *= 3.0
    v[:9] += rng.standard_normal(9) / 80
    h[:9] += rng.standard_normal(9) / 80
    case.clear()
    new = case.target(D, v, h)
    assert hessian.follow(new, limit=80) == 9
    assert case.spent() == pytest.approx((9 / 80, 2 * 9 / 80))
    close(total(hessian), case.exact(new))


def test_a_rank_two_part_without_a_factor_to_judge_it_by_is_renewed(kind):
    case = Case.draw(np.random.default_rng(0), kind)
    hessian = MaintainedHessian(case.matrix)
    hessian.rebuild(case.target(), case.matrix.gram)
    case.clear()
    hessian.follow(case.target(v=case.v.copy()), limit=80)
    assert case.spent() == (0, 2)


def test_a_problem_without_a_rank_two_part_takes_no_pass(kind):
    case = Case.draw(np.random.default_rng(0), kind)
    hessian = MaintainedHessian(case.matrix)
    hessian.rebuild(Curvature(case.matrix.asarray(case.diagonal)), case.matrix.gram)
    assert hessian.refactor(NOISE)
    D = case.diagonal * np.exp(np.sin(np.arange(80.0)))
    hessian.follow(Curvature(case.matrix.asarray(D)), limit=80, exact=True)
    assert case.matrix.counter.passes == 0
    exact = case.A.T @ (D[:, None] * case.A)
    assert spectral_error(total(hessian), exact, D, case.A) <= DRIFT / (1 - DRIFT)


# --- Definiteness and null spaces ---------------------------------------------------------------


def test_an_indefinite_hessian_is_refused_and_the_last_factor_kept(kind):
    case = Case.draw(np.random.default_rng(0), kind)
    hessian = case.maintained()
    kept, factor = hessian.total, hessian.factor
    hessian.rebuild(case.target(-case.diagonal), case.matrix.gram)
    assert not hessian.refactor(NOISE)
    assert hessian.total is kept
    assert hessian.factor is factor
    assert not hessian.regularise(NOISE)


@pytest.mark.parametrize("missing", [1, 3, 12])
def test_a_null_space_is_found_and_stayed_out_of(kind, missing):
    rng = np.random.default_rng(missing)
    case = Case.draw(rng, kind, d=5)
    A = np.hstack([case.A, case.A @ rng.standard_normal((5, missing))])
    case.A, case.matrix = A, as_matrix(kind(A))
    hessian = MaintainedHessian(case.matrix)
    hessian.rebuild(case.target(), case.matrix.gram)
    assert not hessian.refactor(NOISE)
    assert hessian.regularise(NOISE)
    assert hessian.refactor(NOISE)
    null = linalg.null_space(A)
    assert as_numpy(hessian.null).shape == (5 + missing, missing)
    assert linalg.subspace_angles(as_numpy(hessian.null), null).max() <= 1e-8
    g = A.T @ rng.standard_normal(80)
    p = as_numpy(hessian.project(hessian.factor.solve(case.matrix.asarray(g))))
    expected = np.linalg.lstsq(case.exact(case.target()), g, rcond=1e-10)[0]
    np.testing.assert_allclose(p, expected, rtol=0, atol=1e-7 * np.linalg.norm(expected))
    assert np.linalg.norm(null.T @ p) <= 1e-9 * np.linalg.norm(p)


def test_a_matrix_that_is_singular_at_one_point_only_leaves_no_null_space(kind):
    # A has full rank, but only two of its rows have any weight here.
    case = Case.draw(np.random.default_rng(0), kind)
    hessian = case.maintained()
    none = case.matrix.asarray(np.zeros(case.A.shape[0]))
    hessian.rebuild(
        Curvature(none + (case.matrix.asarray(np.arange(case.A.shape[0])) < 2)), case.matrix.gram
    )
    assert not hessian.refactor(NOISE)
    assert hessian.regularise(NOISE)
    assert hessian.null is None
    p = case.matrix.asarray(np.ones(4))
    assert hessian.project(p) is p


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_blend_is_the_gram_matrix_of_the_blended_diagonal(share):
    A = np.random.default_rng(0).standard_normal((80, 4))
    matrix = as_matrix(A)
    one, other = np.linspace(1.0, 2.0, 80), np.linspace(4.0, 0.0, 80)
    hessian = MaintainedHessian(matrix)
    parts = []
    for diagonal in (other, one):
        hessian.rebuild(Curvature(diagonal), matrix.gram)
        parts.append(hessian.parts())
    hessian.blend(parts[1], parts[0], share)
    assert hessian.changed
    assert hessian.refactor(NOISE)
    expected = A.T @ (((1 - share) * one + share * other)[:, None] * A)
    np.testing.assert_allclose(hessian.total, expected, rtol=1e-12, atol=1e-11)
