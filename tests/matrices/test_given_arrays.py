"""Arrays of other libraries: what they hold is used as it is meant, or refused in a line."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from softres import InputError, ManyTargets, SoftmaxRegression, solve

RNG = np.random.default_rng(0)
A = RNG.standard_normal((20, 3)) / 3
B = RNG.dirichlet(np.ones(20))
X = np.array([0.3, -0.2, 0.5])
VALUE = SoftmaxRegression(A, B, 0.1).value(X)


def dask(values):
    da = pytest.importorskip("dask.array")
    return da.from_array(values, chunks=(5, *values.shape[1:]))


def masked(values):
    return np.ma.masked_less(values, 0.02)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: dask(A + 0j), "A has dtype complex128"),
        (lambda: dask(A.astype(object)), "A has dtype object"),
        (lambda: dask(A.astype(str)), "A has dtype <U"),
        (lambda: dask((1e9 * A).astype("datetime64[s]")), "A has dtype datetime64"),
        (lambda: dask(masked(A)), "A is a masked array"),
        (lambda: dask(A).map_blocks(sparse.csr_matrix), "A has blocks of csr_matrix"),
        (lambda: dask(B), r"A must be a matrix .* not of shape \(20,\)"),
        (lambda: dask(np.where(A > 0.3, np.nan, A)), "NaN"),
        (lambda: [masked(row) for row in A], "A has masked arrays in it"),
        (lambda: sparse.dok_array(A + 0j), "A has dtype complex128"),
    ],
)
def test_a_matrix_of_no_plain_numbers_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        SoftmaxRegression(given(), B, 0.1).value(X)


@pytest.mark.parametrize("part", ["b", "w", "B", "x"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: dask(x + 0j), "has dtype complex128"),
        (lambda x: dask(masked(x)), "is a masked array"),
        (lambda x: [*masked(x)[:-1], np.ma.masked], "has masked arrays in it"),
        (lambda x: sparse.dok_array(np.atleast_2d(x)), "is sparse"),
    ],
)
def test_so_is_a_vector(part, change, message):
    problem = SoftmaxRegression(A, B, 0.1)
    use = {
        "b": lambda b: SoftmaxRegression(A, b),
        "w": lambda w: SoftmaxRegression(A, B, w),
        "B": lambda b: ManyTargets(A, b, problem="softmax"),
        "x": problem.value,
    }[part]
    values = {"x": X, "B": np.stack([B, B], axis=1)}.get(part, B)
    with pytest.raises(InputError, match=rf"^{part} {message}"):
        use(change(values))


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("make", [sparse.coo_array, sparse.coo_matrix])
def test_every_sparse_format_is_taken(kind, make):
    problem = SoftmaxRegression(make(A).asformat(kind), B, 0.1)
    assert problem.value(X) == pytest.approx(VALUE, rel=1e-14)


def test_vectors_on_dask_are_taken():
    problem = SoftmaxRegression(dask(A), dask(B), dask(np.full(20, 0.1)))
    assert problem.value(dask(X)) == pytest.approx(VALUE, rel=1e-14)
    assert ManyTargets(A, dask(np.stack([B, B], axis=1)), problem="softmax").B.shape == (20, 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_of_any_precision_that_want_gradients_are_taken(dtype):
    given = [torch.tensor(values).to(dtype).requires_grad_() for values in (A, B, B, X)]
    exact = [values.detach().to(torch.float64).numpy() for values in given]
    problem = SoftmaxRegression(torch.tensor(A), given[1], given[2])
    expected = SoftmaxRegression(A, exact[1], exact[2])
    assert problem.value(given[3]) == pytest.approx(expected.value(exact[3]), rel=1e-12)
    result = solve(problem, x0=given[3])
    assert not result.x.requires_grad
    assert result.status.success
    single = SoftmaxRegression(given[0], given[1], given[2])
    assert single.value(given[3]) == pytest.approx(
        SoftmaxRegression(exact[0], exact[1], exact[2]).value(exact[3]), rel=1e-5
    )
