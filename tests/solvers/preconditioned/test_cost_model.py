"""Predicted times: operation counts over rates, and the factor with the least predicted time."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from softres.matrices import DenseNumpy, as_matrix
from softres.solvers.preconditioned.cost_model import CostModel
from softres.solvers.preconditioned.machine import NOMINAL, Machine

MACHINE = Machine(
    bytes_per_second=1.5e10,
    near_bytes_per_second=6e10,
    double_flops=4e10,
    single_flops=7e10,
    factor_flops=2e10,
    sparse_entries=1e9,
    overhead=1e-5,
)


def dense(n, d):
    """Return a dense matrix of any size that takes no memory."""
    return DenseNumpy(np.broadcast_to(np.float64(0.0), (n, d)))


def with_entries(n, d, in_row):
    """Return a matrix with as many entries in each row."""
    A = np.zeros((n, d))
    A[np.arange(n)[:, None], (np.arange(n)[:, None] + np.arange(in_row)) % d] = 1.0
    return A


def test_times_of_a_dense_matrix_are_operations_over_rates():
    costs = CostModel.of(dense(1000, 10), MACHINE)
    product = 8e4 / 6e10  # 80 kB stay in the cache
    assert (costs.n, costs.d, costs.overhead) == (1000, 10, 1e-5)
    assert costs.product == pytest.approx(product)
    assert costs.gram == pytest.approx(1e5 / 4e10)
    assert costs.single == pytest.approx(1e5 / 7e10)
    assert costs.embedding == pytest.approx(2 * product + 16e4 / 4e10)
    assert costs.factor == pytest.approx(1e3 / 3 / 2e10)
    solve = 4 * 4 * 1e2 / 6e10  # two systems, a triangle of 10 x 10 read twice for each
    assert costs.solve == pytest.approx(solve)
    assert costs.step == pytest.approx(2 * product + solve + 1e-5)


def test_a_matrix_beyond_the_cache_is_read_from_memory():
    # 8 MB and a little more.
    near, far = (CostModel.of(dense(n, 512), MACHINE) for n in (2048, 2049))
    assert near.product == pytest.approx(8 * 2048 * 512 / 6e10)
    assert far.product == pytest.approx(8 * 2049 * 512 / 1.5e10)
    # A factor of 2 MB stays in the cache beside either.
    assert near.solve == far.solve == pytest.approx(4 * 4 * 512**2 / 6e10)


# 5 entries in each of 1000 rows: 25,000 products of pairs, at a fifth of 1e9 a second. 100
# entries: 1e7 of them are dearer than 1e7 dense products at 4e10 a second and making 1e5 entries
# dense.
@pytest.mark.parametrize(("in_row", "gram"), [(5, 1.25e-4), (100, 2.5e-4 + 1e-4)])
def test_a_sparse_gram_matrix_costs_its_pairs_or_that_of_dense_rows(kind, in_row, gram):
    if not kind.is_sparse:
        pytest.skip("a dense storage")
    costs = CostModel.of(as_matrix(kind(with_entries(1000, 100, in_row))), MACHINE)
    assert costs.product == pytest.approx(1000 * in_row / 1e9)
    assert costs.gram == pytest.approx(gram)
    assert costs.single == costs.gram


def test_a_gram_matrix_of_few_entries_is_cheaper_than_that_of_a_dense_matrix():
    A = with_entries(1000, 100, 1)
    few, all_stored = (CostModel.of(as_matrix(B), MACHINE) for B in (sparse.csr_array(A), A))
    assert few.gram <= few.step < all_stored.step < all_stored.gram


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_the_model_is_the_same_for_both_backends(kind_named, name):
    A = with_entries(60, 10, 3) * np.arange(1, 61)[:, None]
    for storage in ("dense", "sparse"):
        here = CostModel.of(as_matrix(kind_named(f"{storage}-{name}")(A)), MACHINE)
        host = CostModel.of(as_matrix(kind_named(f"{storage}-numpy")(A)), MACHINE)
        assert astuple(here) == pytest.approx(astuple(host))


def test_nominal_rates_do_not_know_how_fast_a_matrix_was_read():
    matrix = dense(100, 5)
    matrix.bytes_per_second = 1.0
    assert CostModel.of(matrix, MACHINE).product == 8 * 500
    assert CostModel.of(matrix, NOMINAL) == CostModel.of(dense(100, 5), NOMINAL)


# --- Rows that may be brought up to date in a step ----------------------------------------------


@pytest.mark.parametrize(
    ("product", "rows"),
    [
        (1.0, 20),  # a pass would pay for 20 rows' share of the Gram matrix, 2 d for as many
        (3.0, 60),  # a pass pays for more
        (0.1, 20),  # and for fewer
        (10.0, 125),  # at most an eighth
    ],
)
def test_rows_cost_a_pass_are_at_least_two_d_and_at_most_an_eighth(product, rows):
    costs = CostModel(1000, 10, product, 50.0, 25.0, 3.0, 2.0, 0.0)
    assert costs.row_limit() == rows


@given(n=st.integers(1, 10**7), d=st.integers(1, 3000))
def test_one_row_is_always_within_the_limit(n, d):
    limit = CostModel.of(dense(n, d), MACHINE).row_limit()
    assert 1 <= limit <= max(1, n // 8)


# --- The plan -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_over_d", [2, 20])
@pytest.mark.parametrize("d", [2, 20, 200, 500])
def test_a_gram_matrix_is_planned_for_moderate_sizes(n_over_d, d):
    plan = CostModel.of(dense(n_over_d * d, d), MACHINE).plan(1e-10)
    assert (plan.source, plan.oversampling) == ("gram", 0)


def test_a_sketch_is_planned_for_many_rows_of_many_columns():
    costs = CostModel.of(dense(4_000_000, 2000), MACHINE)
    plan = costs.plan(1e-10)
    assert (plan.source, plan.oversampling) == ("sketch", 32)
    # The sketch, a Cholesky factor, and the Gram matrix of the sketch's 64,000 rows.
    seconds = costs.embedding + costs.factor + 64_000 * 4e6 / 4e10
    assert plan.seconds == pytest.approx(seconds)
    # log(1e10) / log(sqrt(32)) = 13.3 steps of conjugate gradients after 3.5 of Newton's method.
    assert plan.total == pytest.approx(seconds + 17.5 * costs.step)
    # A sparse matrix with few entries has no use for it: its Gram matrix costs less than a step.
    few = replace(costs, gram=costs.product, single=costs.product)
    assert few.plan(1e-10).source == "gram"


def test_a_looser_goal_speaks_for_a_sketch():
    costs = CostModel.of(dense(1_000_000, 500), MACHINE)
    assert costs.plan(1e-10).source == "gram"
    assert costs.plan(1e-1).source == "sketch"


@given(
    n=st.integers(1, 10**7),
    d=st.integers(1, 5000),
    eps=st.floats(1e-15, 0.1),
    single=st.floats(1e9, 1e12),
)
def test_the_plan_is_never_dearer_than_a_gram_matrix_and_halves_the_rows_at_least(
    n, d, eps, single
):
    costs = CostModel.of(dense(n, d), replace(MACHINE, single_flops=single))
    plan = costs.plan(eps)
    gram = costs.single + costs.factor + 7 * (costs.step + costs.factor)
    assert plan.seconds < plan.total <= gram * (1 + 1e-12)
    if plan.source == "sketch":
        assert 2 * plan.oversampling * d <= n
    else:
        assert plan.total == pytest.approx(gram)
