"""Many targets over one A: what is accepted, and that each is the problem it stands for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

import softres
from softres.common.errors import InputError
from softres.problems.many_targets import ManyTargets


@pytest.fixture
def instance():
    rng = np.random.default_rng(0)
    return rng.standard_normal((40, 3)) / 5, rng.dirichlet(np.ones(40), size=5).T


def test_each_target_is_the_problem_of_its_column(instance):
    A, B = instance
    many = ManyTargets(A, B, 0.3, problem="resnet", branch="tanh")
    assert (many.n, many.d, many.m) == (40, 3, 5)
    x = np.array([0.3, -0.2, 0.5])
    for t in range(5):
        alone = softres.ResNetRegression(A, B[:, t], 0.3, branch="tanh")
        assert many.one(t).value(x) == alone.value(x)
        assert many.one(t).matrix is many.shared.matrix


def test_targets_are_rows_and_scaled_where_f_is_not_normalised(instance):
    A, B = instance
    rows = ManyTargets(A, B, problem="softmax").targets(slice(1, 4))
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, B.T[1:4])
    np.testing.assert_array_equal(
        ManyTargets(A, B, problem="sinh").targets(slice(1, 4)), 40 * B.T[1:4]
    )


def test_targets_are_referred_to_and_blocks_are_copies(instance):
    A, B = instance
    many = ManyTargets(A, B)
    assert many.B is B
    many.targets(slice(0, 2))[:] = 0.0
    assert B.min() > 0


def test_starts_are_those_of_the_single_problems(instance):
    A, B = instance
    for name in ("softmax", "cosh"):
        many = ManyTargets(A, B, problem=name)
        assert many.same_start is (name == "softmax")
        for t in range(5):
            np.testing.assert_array_equal(many.start()[:, t], many.one(t).start())


def changed(B, value):
    B = B.copy()
    B[7, 3] = value
    return B


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda B: B[:, 0], r"B must have shape \(n, m\), a target in each column, not \(40,\)"),
        (lambda B: B[:, :0], r"B must have shape \(n, m\)"),
        (lambda B: B[:-1], r"B must have shape \(40, 5\)"),
        (lambda B: 3 * B, "B: shares sum to at most 1, but these sum to 3; divide by that"),
        (pd.DataFrame, r"B is a DataFrame.*B\.to_numpy\(\)"),
        (sparse.csr_array, "B is sparse: hand in a dense array"),
        (lambda B: np.ma.masked_less(B, 0.01), "B is a masked array"),
        (lambda B: B + 0j, "B has dtype complex128"),
        (torch.tensor, "B is a torch tensor and A is on NumPy"),
        (lambda B: B > 0.01, "B has dtype bool"),
        (lambda B: "targets", "B=targets: allowed is an array of real numbers"),
        (lambda B: None, "B=None: allowed is an array of real numbers"),
        (lambda B: changed(B, -1e-9), "B must be non-negative"),
        (lambda B: changed(B, np.nan), "B holds NaN or infinite values"),
        (lambda B: changed(B, np.inf), "B holds NaN or infinite values"),
    ],
)
def test_targets_that_cannot_be_are_one_line(instance, change, message):
    A, B = instance
    with pytest.raises(InputError, match=message) as raised:
        ManyTargets(A, change(B))
    assert "\n" not in str(raised.value)


def test_targets_of_plain_problems_may_be_of_any_sign(instance):
    A, B = instance
    assert ManyTargets(A, -B, problem="sinh").targets(slice(0, 1)).max() <= 0


def test_an_unknown_problem_or_option_is_named(instance):
    with pytest.raises(InputError, match="problem=hardmax: allowed are"):
        ManyTargets(*instance, problem="hardmax")
    with pytest.raises(InputError, match="branch: softmax has no such option"):
        ManyTargets(*instance, problem="softmax", branch="exp")
