"""Algorithm 1 to the letter, ``variant=paper``: its formula, its T steps, and how it ends."""

from __future__ import annotations

from math import ceil, log

import numpy as np
import pytest

from softres import HyperbolicRegression, InputError, ResNetRegression
from softres.matrices.backends import as_numpy
from softres.sketching import approximate_scores, sample_rows, sample_size
from softres.solvers import Status, make_solver, solve
from softres.solvers.approximate.literal_step import planned_steps

pytestmark = pytest.mark.usefixtures("one_thread")


def paper(problem, **options):
    return solve(problem, "approx_newton", variant="paper", **options)


@pytest.fixture(scope="module")
def heavy(plant, make_regularised):
    """An instance whose weights are most of its curvature."""
    instance = plant(4, n=20_000, d=5)
    return make_regularised("softres", instance.A, instance.b, 100.0)


def one_step(problem, D):
    """The paper's formula by dense arithmetic on the host, from x0 = 0."""
    A = as_numpy(problem.matrix.matmul(problem.matrix.asarray(np.eye(problem.d))))
    gradient = as_numpy(problem.gradient(problem.start()))
    return -np.linalg.solve(A.T @ (D[:, None] * A), gradient)


def test_with_every_row_kept_a_step_is_that_of_the_diagonal_part_alone(
    kind, plant, make_regularised, relative_error
):
    instance = plant(0, density=0.7)
    problem = make_regularised("softres", kind(instance.A), instance.b, 1.0)
    point = problem.at(problem.start())
    D = as_numpy(point.curvature.diagonal)
    x = paper(problem, rows=10**9, max_steps=1, eps=1e-12).x
    assert relative_error(x, one_step(problem, D)) <= 1e-12
    # The rank-two part is no rounding: with it the step is another one.
    newton = -np.linalg.solve(as_numpy(point.hessian()), as_numpy(point.gradient))
    assert relative_error(x, newton) > 1e-3


def test_the_sampled_matrix_is_the_gram_matrix_of_the_rows_drawn(heavy, relative_error):
    D = heavy.at(heavy.start()).curvature.diagonal
    eps, eps1, delta, seed = 1e-6, 0.3, 0.05, 7
    rng = np.random.default_rng(seed)
    scores = approximate_scores(heavy.matrix, np.sqrt(D), rng)
    s = sample_size(heavy.d, eps1, delta / ceil(log(1 / eps)), 2.25)
    sample = sample_rows(scores, s, rng)
    kept = np.zeros_like(D)
    kept[sample.index] = D[sample.index] * sample.weight
    assert 0 < np.count_nonzero(kept) < heavy.n / 5
    x = paper(heavy, eps=eps, eps0=eps1, delta=delta, seed=seed, max_steps=1).x
    assert relative_error(x, one_step(heavy, kept)) <= 1e-12


def test_every_step_is_full_with_scores_and_rows_of_its_own(heavy):
    result = paper(heavy, eps0=0.3, sampling="replacement")
    steps = result.trace.iloc[1:]
    assert result.status is Status.CONVERGED
    assert (steps[["step_length", "trials", "fresh_scores", "fresh_hessian"]] == 1).all(axis=None)
    assert (steps["seconds_sketch"].diff().dropna() > 0).all()
    assert steps["rows_distinct"].nunique() > 1
    # delta is shared among the T steps: each asks for more rows than one alone.
    s = sample_size(heavy.d, 0.3, 0.01 / planned_steps(1e-10), 2.25)
    assert (steps["rows_drawn"] == s).all()
    assert s > sample_size(heavy.d, 0.3, 0.01, 2.25)
    assert s == make_solver("approx_newton", variant="paper", eps0=0.3).sample_size(heavy.d)


@pytest.mark.parametrize("name", ["softres", "softmax", "resnet-exp"])
def test_it_converges_where_the_weights_are_large(
    name, kind_named, plant, make_regularised, minimiser, relative_error
):
    instance = plant(4, n=4000)
    for storage in ("dense-numpy", "sparse-torch"):
        problem = make_regularised(name, kind_named(storage)(instance.A), instance.b, 100.0)
        result = paper(problem, eps=1e-9, eps0=0.25)
        assert result.status is Status.CONVERGED
        assert result.steps <= planned_steps(1e-9)
        assert relative_error(result.x, minimiser(problem)) <= 1e-8


def test_T_is_the_logarithm_of_the_accuracy():
    assert [planned_steps(eps) for eps in (0.5, 1e-4, 1e-10)] == [1, 10, 24]


def test_after_its_T_steps_it_ends_and_says_so(heavy):
    result = paper(heavy, eps=1e-10, rows=30)
    assert result.status is Status.STEP_LIMIT
    assert result.steps == planned_steps(1e-10)
    assert any("24 steps" in line for line in result.warnings)


def test_a_negative_diagonal_ends_it_with_a_line_and_moves_nothing(plant, make_regularised):
    instance = plant(0, n=2000, d=10, radius=10.0, noise=1.0)
    problem = make_regularised("softres", instance.A, instance.b, 1e-6)
    result = paper(problem, rows=1000)
    negative = int((problem.at(problem.start()).curvature.diagonal < 0).sum())
    assert (result.status, result.steps) == (Status.LINEAR_SOLVE_FAILED, 0)
    assert any(f"{negative} of 2000 are, at step 1" in line for line in result.warnings)
    np.testing.assert_array_equal(result.x, problem.start())
    assert solve(problem, "approx_newton", rows=1000).status is Status.CONVERGED


def test_a_sample_that_is_not_definite_ends_it_with_a_line(plant, make_regularised):
    instance = plant(0, n=2000)
    A = instance.A.copy()
    A[:, 1] = A[:, 0]  # no A^T D A has an inverse
    problem = make_regularised("softres", A, instance.b, 100.0)
    result = paper(problem, rows=500)
    assert (result.status, result.steps) == (Status.LINEAR_SOLVE_FAILED, 0)
    assert any("not positive definite, at step 1" in line for line in result.warnings)


def test_a_full_step_out_of_the_domain_ends_it_at_the_point_before():
    # The slope is 1 at z = -30 and the target 2000: a full step has exp(2000) in it.
    A, b = np.zeros((2000, 1)), np.zeros(2000)
    A[0] = b[0] = 1.0
    result = paper(ResNetRegression(A, b), x0=np.array([-30.0]))
    assert (result.status, result.steps) == (Status.DIVERGED, 0)
    assert any("full step 1 leaves" in line for line in result.warnings)
    np.testing.assert_array_equal(result.x, [-30.0])


def test_a_saddle_is_neither_left_nor_called_a_minimiser():
    # cosh is even, so that its gradient vanishes at 0; two targets are above its least value.
    A, b = [[2.0, -2], [3, 0], [2, 2], [3, 0]], [0.5, 0, 0.5, 0]
    problem = HyperbolicRegression(A, b, function="cosh")
    result = paper(problem, x0=np.zeros(2))
    assert result.status is Status.STALLED
    np.testing.assert_array_equal(result.x, np.zeros(2))
    assert solve(problem, "approx_newton", x0=np.zeros(2)).status is Status.CONVERGED


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [("reuse", 4.0, "only 1"), ("hold", 0.2, "only 0"), ("scores", "uniform", "only leverage")],
)
def test_options_of_the_safeguarded_variant_are_refused(option, value, allowed):
    make_solver("approx_newton", **{option: value})
    with pytest.raises(InputError, match=rf"solver\.{option}={value}.*{allowed}.*variant=paper"):
        make_solver("approx_newton", variant="paper", **{option: value})


def test_what_the_paper_does_anyway_may_be_asked_for(heavy):
    plain = paper(heavy, eps0=0.3, max_steps=2)
    said = paper(heavy, eps0=0.3, max_steps=2, reuse=1.0, hold=0.0, scores="leverage")
    np.testing.assert_array_equal(plain.x, said.x)


def test_another_variant_is_an_input_error():
    with pytest.raises(InputError, match=r"solver\.variant=literal.*safeguarded or paper"):
        make_solver("approx_newton", variant="literal")
