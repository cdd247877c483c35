"""Several residual layers: closed forms against autodiff and 50 digits, depth one, and limits."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import torch

from softres import (
    InputError,
    ManyTargets,
    MultiLayerRegression,
    SoftmaxRegression,
    SoftResidualRegression,
    make_problem,
    solve,
)
from softres.matrices.backends import as_numpy
from softres.problems.links import BRANCHES

mp = mpmath.mp.clone()
mp.dps = 50

#: The branches, written from their definition.
TORCH = {
    "tanh": torch.tanh,
    "exp": torch.exp,
    "softplus": torch.nn.functional.softplus,
    "gelu": torch.nn.functional.gelu,
}
EXACT = {
    "tanh": mp.tanh,
    "exp": mp.exp,
    "softplus": lambda y: mp.log1p(mp.exp(y)),
    "gelu": lambda y: y * mp.ncdf(y),
}
N, D = 30, 3


def instance(seed: int, layers: int, own: bool) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Return A_1 to A_L, each of its own or all the same, b and w."""
    rng = np.random.default_rng([seed, layers])
    one = [0.3 * rng.standard_normal((N, D)) for _ in range(layers)]
    b = rng.random(N)
    return one if own else [one[0]] * layers, b / b.sum(), 0.1 * rng.random(N)


def defined_loss(matrices: list[Any], b: Any, w: Any, skip: bool, branch: str) -> Any:
    """Return the loss as a torch function of x, from its definition."""

    def loss(x: Any) -> Any:
        passed, penalty = torch.zeros(N, dtype=torch.float64), torch.zeros(())
        for A, part in zip(matrices, x.reshape(len(matrices), -1), strict=True):
            z = torch.from_numpy(A) @ part
            penalty = penalty + ((torch.from_numpy(w) * z) ** 2).sum()
            y = passed + z
            passed = skip * y + TORCH[branch](y)
        u = skip * y + torch.exp(y)
        return 0.5 * ((u / u.sum() - torch.from_numpy(b)) ** 2).sum() + 0.5 * penalty

    return loss


@pytest.mark.parametrize("own", [False, True], ids=["one A", "an A each"])
@pytest.mark.parametrize("skip", [True, False], ids=["skip", "no skip"])
@pytest.mark.parametrize(
    ("layers", "branch"), [(2, "tanh"), (2, "exp"), (3, "softplus"), (5, "gelu")]
)
def test_value_and_derivatives_agree_with_automatic_differentiation(
    kind, layers, branch, skip, own, derivative_errors, record_property
):
    matrices, b, w = instance(0, layers, own)
    kinds = [kind(A) for A in matrices] if own else kind(matrices[0])
    problem = MultiLayerRegression(kinds, b, w, layers=layers, skip=skip, branch=branch)
    rng = np.random.default_rng(1)
    x, p = 0.3 * rng.standard_normal((2, layers * D))
    loss = defined_loss(matrices, b, w, skip, branch)
    errors = derivative_errors(problem, loss, x, p)
    record_property("worst", max(errors.values()))
    assert max(errors.values()) <= 1e-12, errors


def drawn(layers: int, skip: bool, branch: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a z, shape (L, n), a b and a weight."""
    rng = np.random.default_rng([layers, skip, len(branch)])
    z, b = rng.uniform(-1.5, 1.5, (layers, 5)), rng.random(5)
    return z, b / b.sum(), 0.3


@cache
def exact_parts(layers: int, skip: bool, branch: str) -> dict[str, list[Any]]:
    """Return value, derivatives and curvature at 50 digits, from differences of the model."""
    z, b, w = drawn(layers, skip, branch)
    k, g = int(skip), EXACT[branch]

    def u(*row: Any) -> Any:
        passed = mp.mpf(0)
        for entry in row:
            y = passed + entry
            passed = k * y + g(y)
        return k * y + mp.exp(y)

    rows = [[mp.mpf(float(entry)) for entry in row] for row in z.T]
    values = [u(*row) for row in rows]
    alpha = mp.fsum(values)
    f = [value / alpha for value in values]
    c = [fi - mp.mpf(float(bi)) for fi, bi in zip(f, b, strict=True)]
    fc, w2 = mp.fdot(f, c), mp.mpf(w) ** 2
    half_s = mp.fdot(f, f) / 2 + fc

    def derivative(i: int, *layer: int) -> Any:
        orders = tuple(layer.count(m) for m in range(layers))
        return mp.diff(u, tuple(rows[i]), orders) / alpha

    places = list(product(range(layers), range(len(rows))))
    v = {(m, i): derivative(i, m) for m, i in places}
    penalty = w2 * mp.fsum(entry**2 for row in rows for entry in row)
    return {
        "value": [(mp.fdot(c, c) + penalty) / 2],
        "v": [v[at] for at in places],
        "gradient_z": [v[m, i] * (c[i] - fc) + w2 * rows[i][m] for m, i in places],
        "h": [v[m, i] * (mp.mpf(float(b[i])) - 2 * f[i] + half_s) for m, i in places],
        "blocks": [
            v[m, i] * v[m2, i] + (c[i] - fc) * derivative(i, m, m2) + (w2 if m == m2 else 0)
            for m in range(layers)
            for m2, i in places
        ],
    }


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("skip", [True, False], ids=["skip", "no skip"])
@pytest.mark.parametrize("layers", [2, 3])
def test_value_and_curvature_agree_with_fifty_digits(kind, layers, skip, branch, record_property):
    z, b, w = drawn(layers, skip, branch)
    A = kind(np.ones((len(b), 2)))
    problem = MultiLayerRegression(A, b, w, layers=layers, skip=skip, branch=branch)
    point = problem.at(problem.zeros(), z=problem.matrix.asarray(z.ravel()))
    curvature = point.curvature
    computed = {
        "value": [point.value],
        "v": curvature.v,
        "gradient_z": point.gradient_z,
        "h": curvature.h,
        "blocks": curvature.blocks.ravel(),
    }
    # Sums of terms of both signs are held against a hundredth of the weight.
    errors = {
        name: max(
            float(abs(float(value) - exact) / max(abs(exact), mp.mpf(w * w / 100)))
            for exact, value in zip(wanted, computed[name], strict=True)
        )
        for name, wanted in exact_parts(layers, skip, branch).items()
    }
    record_property("worst", max(errors.values()))
    assert max(errors.values()) <= 1e-11, errors


@pytest.mark.parametrize("solver", ["exact_newton", "preconditioned_newton", "approx_newton"])
@pytest.mark.parametrize(
    ("skip", "kind_of_problem"), [(True, SoftResidualRegression), (False, SoftmaxRegression)]
)
def test_one_layer_is_the_papers_problem_to_the_last_bit(kind, skip, kind_of_problem, solver):
    (A,), b, w = instance(2, 1, False)
    layered = MultiLayerRegression(kind(A), b, w, layers=1, skip=skip)
    plain = kind_of_problem(kind(A), b, w)
    x = plain.matrix.asarray([0.3, -0.2, 0.5])
    assert layered.value(x) == plain.value(x)
    for name in ("gradient", "hessian"):
        same = as_numpy(getattr(layered, name)(x)) == as_numpy(getattr(plain, name)(x))
        assert same.all()
    ours, theirs = solve(layered, solver), solve(plain, solver)
    assert (as_numpy(ours.x) == as_numpy(theirs.x)).all()
    assert ours.status is theirs.status
    assert ours.steps == theirs.steps


@pytest.mark.parametrize("skip", [True, False], ids=["skip", "no skip"])
@pytest.mark.parametrize("top", [710.0, 1e4])
def test_it_stays_finite_past_the_range_of_exp(skip, top):
    z = np.array([top, -top / 2, 1.0, -1.0, 0.0])
    problem = MultiLayerRegression(z[:, None], np.full(5, 0.2), 1e-3, layers=3, skip=skip)
    point = problem.at(np.array([0.5, -0.5, 1.0]))
    assert point.inside
    assert math.isfinite(point.value)
    for part in (point.f, point.gradient, point.hessian(), point.curvature.blocks):
        assert np.isfinite(part).all()


def test_a_loss_that_leaves_the_range_of_doubles_is_undefined():
    z = np.array([800.0, 1.0, -1.0])
    problem = MultiLayerRegression(z[:, None], np.full(3, 1 / 3), layers=3, branch="exp")
    assert not problem.at(np.ones(3)).inside


def test_the_curvature_is_blocks_plus_rank_two():
    matrices, b, w = instance(3, 3, True)
    problem = MultiLayerRegression(matrices, b, w, layers=3)
    curvature = problem.at(problem.matrix.asarray(0.3 * np.ones(3 * D))).curvature
    whole = np.array([curvature.apply(unit) for unit in np.eye(3 * N)])
    np.testing.assert_allclose(whole, whole.T, atol=1e-16)
    blocks = np.array([curvature.apply_rows(unit) for unit in np.eye(3 * N)])
    where = np.kron(np.ones((3, 3)), np.eye(N)) == 0
    assert (blocks[where] == 0).all()
    values = np.sort(np.abs(np.linalg.eigvalsh(whole - blocks)))[::-1]
    assert values[1] > 1e3 * values[2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layers": 0}, ("layers=0", ">= 1")),
        ({"layers": 2.0}, ("layers=2.0", "whole")),
        ({"skip": "yes"}, ("skip=yes", "true and false")),
        ({"branch": "relu"}, ("branch=relu", "gelu")),
        ({"beta": 0.0}, ("beta=0", "positive")),
    ],
)
def test_unusable_options_are_errors_of_one_line(options, words):
    with pytest.raises(InputError) as caught:
        MultiLayerRegression(np.eye(3, 2), np.full(3, 1 / 3), **options)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words)


def test_matrices_that_do_not_fit_together_are_errors_of_one_line():
    b = np.full(3, 1 / 3)
    for matrices, word in (
        ([np.eye(3, 2)], "2"),
        ([np.eye(3, 2), np.eye(3)], "shape"),
        ([np.eye(3, 2), torch.eye(3, 2)], "kind"),
    ):
        with pytest.raises(InputError, match=word):
            MultiLayerRegression(matrices, b, layers=2)


def test_what_has_one_A_alone_refuses_several_layers():
    A, b = np.eye(4, 2), np.full(4, 0.25)
    with pytest.raises(InputError, match="the problem has 2 layers"):
        ManyTargets(A, b[:, None], problem="multilayer", layers=2)
    problem = make_problem("multilayer", A, b, layers=2)
    for solver in ("softmax_regression", "resnet_regression"):
        with pytest.raises(InputError, match=solver):
            solve(problem, solver)


def test_layers_at_zero_pass_nothing_on():
    (A,), b, w = instance(4, 1, False)
    x = np.array([0.3, -0.2, 0.5])
    deep = MultiLayerRegression(A, b, w, layers=3).value(np.concatenate([np.zeros(2 * D), x]))
    assert deep == pytest.approx(SoftResidualRegression(A, b, w).value(x), rel=1e-15)


def test_one_matrix_is_the_same_as_its_copies():
    matrices, b, w = instance(6, 3, False)
    shared = MultiLayerRegression(matrices[0], b, w, layers=3)
    copies = MultiLayerRegression([A.copy() for A in matrices], b, w, layers=3)
    x = np.random.default_rng(0).standard_normal(3 * D)
    for name in ("value", "gradient", "hessian"):
        np.testing.assert_allclose(getattr(shared, name)(x), getattr(copies, name)(x), rtol=1e-12)
