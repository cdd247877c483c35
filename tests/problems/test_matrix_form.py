"""One X for many targets: closed forms, the Kronecker product by its factors, and planted X."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch

from softres import InputError, ManyTargets, MatrixRegression, Status, certify, make_problem, solve
from softres.matrices.backends import as_numpy
from softres.matrices.kronecker import kronecker_matrix
from softres.problems.matrix_form import RowCurvature
from softres.solvers.optimality.comparison import exceeds

mp = mpmath.mp.clone()
mp.dps = 50
LINKS = ("softmax", "softres")
KINDS = ("numpy", "torch")
SHAPE = (7, 6, 2, 3)  # n1, n2, d1, d2


def convert(kind, array):
    return torch.from_numpy(array) if kind == "torch" else array


def factors(seed=0, shape=SHAPE):
    n1, n2, d1, d2 = shape
    rng = np.random.default_rng(seed)
    A1, A2 = rng.standard_normal((n1, d1)), rng.standard_normal((n2, d2))
    return A1, A2, rng.dirichlet(np.ones(n2), size=n1), 0.3 * rng.random((n1, n2))


def made(link, kind="numpy", seed=0):
    return MatrixRegression(*(convert(kind, part) for part in factors(seed)), link=link)


def torch_loss(link, seed=0):
    A1, A2, B, W = map(torch.from_numpy, factors(seed))

    def loss(x):
        Z = A1 @ x.reshape(A1.shape[1], -1) @ A2.T
        u = Z.exp() if link == "softmax" else Z.exp() + Z
        f = u / u.sum(1, keepdim=True)
        return 0.5 * ((f - B) ** 2).sum() + 0.5 * ((W * Z) ** 2).sum()

    return loss


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("link", LINKS)
def test_value_and_derivatives_agree_with_automatic_differentiation(link, kind, derivative_errors):
    rng = np.random.default_rng(1)
    x, p = 0.3 * rng.standard_normal((2, 6))
    errors = derivative_errors(made(link, kind), torch_loss(link), x, p)
    assert max(errors.values()) <= 1e-12, errors


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("link", LINKS)
def test_the_gradient_agrees_with_fifty_digits(link, seed):
    rng = np.random.default_rng([5, seed])
    problem, (A1, A2, B, W) = made(link, seed=seed), factors(seed)
    x = 0.3 * rng.standard_normal(6)

    def loss(*values):
        X = mp.matrix(2, 3)
        for k, value in enumerate(values):
            X[k // 3, k % 3] = value
        Z = mp.matrix(A1.tolist()) * X * mp.matrix(A2.T.tolist())
        total = mp.mpf(0)
        for j in range(7):
            u = [mp.exp(Z[j, k]) + (Z[j, k] if link == "softres" else 0) for k in range(6)]
            alpha = mp.fsum(u)
            total += mp.fsum((u[k] / alpha - mp.mpf(B[j, k])) ** 2 for k in range(6))
            total += mp.fsum((mp.mpf(W[j, k]) * Z[j, k]) ** 2 for k in range(6))
        return total / 2

    at = [mp.mpf(value) for value in x]
    gradient = [
        mp.diff(loss, tuple(at), tuple(int(i == k) for i in range(6)), h=mp.mpf("1e-20"))
        for k in range(6)
    ]
    exact = np.array([float(value) for value in gradient])
    assert np.abs(problem.gradient(x) - exact).max() <= 1e-11 * np.abs(exact).max()
    assert abs(problem.value(x) - loss(*at)) <= 1e-11 * loss(*at)


@pytest.mark.parametrize("kind", KINDS)
def test_the_product_of_the_factors_is_the_kronecker_product(kind):
    A1, A2, _, _ = factors()
    matrix = kronecker_matrix(convert(kind, A1), convert(kind, A2))
    dense, rng = np.kron(A1, A2), np.random.default_rng(2)
    x, y = rng.standard_normal((6, 2)), rng.standard_normal((42, 2))
    for found, expected in (
        (matrix.matmul(matrix.asarray(x)), dense @ x),
        (matrix.rmatmul(matrix.asarray(y)), dense.T @ y),
        (matrix.gram(matrix.asarray(y[:, 0])), dense.T @ (y[:, :1] * dense)),
        (matrix.column_norms, np.linalg.norm(dense, axis=0)),
        (matrix.rows(np.array([3, 40])).matmul(matrix.asarray(x)), dense[[3, 40]] @ x),
        (
            matrix.gram(matrix.asarray(y[:2, 0]), np.array([3, 40])),
            dense[[3, 40]].T @ (y[:2, :1] * dense[[3, 40]]),
        ),
    ):
        np.testing.assert_allclose(as_numpy(found), expected, atol=1e-12)
    assert matrix.shape == (42, 6)
    assert matrix.nnz == A1.size + A2.size


@pytest.mark.parametrize("part", ["curvature", "gauss_newton"])
@pytest.mark.parametrize("link", LINKS)
def test_the_blocks_are_those_of_each_row_alone(link, part):
    A1, A2, B, W = factors()
    X = 0.3 * np.random.default_rng(3).standard_normal((2, 3))
    block = getattr(made(link).at(X.ravel()), part)
    y = np.random.default_rng(4).standard_normal(42)
    product, size = block.apply(y), block.magnitude
    for j in range(7):
        alone = make_problem(link, A2, B[j], W[j]).at(A1[j] @ X)
        rows = slice(6 * j, 6 * j + 6)
        expected = getattr(alone, part).apply(y[rows])
        np.testing.assert_allclose(product[rows], expected, atol=1e-14)
        dense = np.stack([getattr(alone, part).apply(one) for one in np.eye(6)])
        assert (size[rows] >= np.abs(dense).sum(axis=1) - 1e-14).all()


def test_a_comparison_of_blocks_sees_what_their_eigenvalues_say():
    rng, seen = np.random.default_rng(0), 0
    for _ in range(200):
        D, v, h = 0.2 + rng.random((3, 4)), rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
        one = RowCurvature(D.ravel(), left=v, right=0.1 * h)
        other = RowCurvature(D.ravel(), left=0.9 * v, right=0.1 * h)
        for second, share in ((None, 0.0), (other, 0.5)):
            dense = np.stack([one.apply(e) - share * other.apply(e) for e in np.eye(12)])
            if second is None:
                dense = np.stack([one.apply(e) for e in np.eye(12)])
            least = float(np.linalg.eigvalsh(dense)[0])
            if exceeds(one, second, share):
                seen += 1
                assert least > 0
            else:
                assert least < 1e-9  # D is positive here, so that nothing is missed
    assert 20 < seen < 380


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["exact_newton", "preconditioned_newton"])
def test_attention_gives_back_its_bilinear_form(name, kind):
    rng = np.random.default_rng(0)
    Q, K = rng.standard_normal((40, 8)), rng.standard_normal((30, 8))
    E = np.exp(Q @ K.T / 8)
    parts = (Q, K, E / E.sum(axis=1, keepdims=True))
    problem = MatrixRegression(*(convert(kind, part) for part in parts))
    X = as_numpy(problem.unpacked(solve(problem, name, eps=1e-12).x))
    assert np.linalg.norm(X - np.eye(8) / 8) <= 1e-9 * np.linalg.norm(np.eye(8) / 8)


def test_solvers_agree_and_the_minimiser_is_certified():
    problem = made("softres")
    reference = certify(problem)
    assert reference.certificate.certified
    for name in ("exact_newton", "preconditioned_newton", "gradient_descent", "scipy_lbfgs"):
        result = solve(problem, name, eps=1e-6, max_steps=5000, reference=reference)
        assert result.status is Status.CONVERGED, name


def test_rows_far_apart_do_not_overflow_each_other():
    A1 = np.array([[0.0], [1.0], [1000.0]])
    problem = MatrixRegression(A1, np.array([[1.0], [-1.0]]), np.full((3, 2), 0.5))
    point = problem.at(np.array([1.0]))
    assert point.inside
    np.testing.assert_allclose(problem.by_rows(point.f)[0], [0.5, 0.5])
    assert np.isfinite(point.hessian()).all()


@pytest.mark.parametrize("what", ["variant", "solver", "softmax", "many"])
def test_what_needs_one_alpha_says_so_in_a_line(what):
    problem = made("softmax")
    calls = {
        "variant": lambda: solve(problem, "approx_newton", variant="paper"),
        "solver": lambda: solve(problem, "approx_newton"),
        "softmax": lambda: solve(problem, "softmax_regression"),
        "many": lambda: ManyTargets(
            problem.matrix, np.stack([problem.b, problem.b], axis=1) / 7, problem="matrix"
        ),
    }
    with pytest.raises(InputError, match="for one layer and one alpha; the problem has an alpha"):
        calls[what]()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"A1": np.ones(3)}, "^A1: A must be a matrix"),
        ({"A2": torch.ones(6, 3)}, "^A1 and A2 differ in kind"),
        ({"B": np.full((6, 7), 1 / 7)}, r"^B must have shape \(7, 6\)"),
        ({"B": np.full((7, 6), 1.0)}, "^b: shares sum to at most 1"),
        ({"w": np.ones(7)}, r"^w must have shape \(7, 6\)"),
        ({"normalise": "columns"}, "^normalise=columns: allowed are rows"),
        ({"link": "tanh"}, "^link=tanh: allowed are softmax, softres"),
    ],
)
def test_what_cannot_be_is_one_line(change, words):
    given = dict(zip(("A1", "A2", "B", "w"), factors(), strict=True)) | change
    with pytest.raises(InputError, match=words) as raised:
        MatrixRegression(**given)
    assert "\n" not in str(raised.value)


def test_a_matrix_without_factors_is_one_line():
    with pytest.raises(InputError, match=r"^problem=matrix: A must have two factors"):
        make_problem("matrix", np.eye(4, 2), np.full(4, 0.25))
