"""Exact Newton: quadratic, safe where the Hessian is indefinite, minimum-norm where it is singular.

The figures behind each claim are recorded as properties: ``pytest --junitxml=...`` keeps them.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from softres.data.sets import digits
from softres.linalg.factors import cholesky
from softres.problems import SoftmaxRegression
from softres.solvers import Status, solve

pytestmark = pytest.mark.usefixtures("one_thread")

#: Three regimes: weights relative to the curvature, radius, noise, and seeds of the instances.
EASY = [(1e-2, 4.0, 0.5, seed) for seed in range(6)] + [(1e-4, 4.0, 0.5, s) for s in range(6)]
HARD = [(1e-6, 10.0, 1.0, seed) for seed in range(8)]


@pytest.fixture(scope="module")
def runs(one_thread, plant, make_regularised):
    """Solve 20 instances; keep each relative error and whether Cholesky fails at each iterate."""
    outcome = []
    for factor, radius, noise, seed in EASY + HARD:
        instance = plant(seed, n=1000, d=20, radius=radius, noise=noise)
        problem = make_regularised("softres", instance.A, instance.b, factor)
        reference = solve(problem, "exact_newton", eps=1e-14, max_steps=100)
        errors, refused = [], []

        def keep(row, point, reference=reference, errors=errors, refused=refused):
            error = np.linalg.norm(point.x - reference.x) / np.linalg.norm(reference.x)
            errors.append(float(error))
            refused.append(cholesky(point.hessian()) is None)

        result = solve(problem, "exact_newton", eps=1e-13, max_steps=100, callback=keep)
        outcome.append((factor, problem, result, errors, refused))
    return outcome


def test_every_run_converges_to_a_minimiser(runs):
    for _, problem, result, errors, refused in runs:
        assert result.status is Status.CONVERGED
        assert result.status.success
        assert errors[-1] <= 1e-12
        assert not refused[-1]
        point = problem.at(result.x)
        size = np.abs(problem.matrix.array).T @ np.abs(point.gradient_z)
        # What an error of 1e-12 in x can make of it.
        assert np.abs(point.gradient).max() <= 1e-10 * size.max()


def test_errors_square_from_step_to_step(runs, record_property):
    last, constants = [], []
    for _, _, _, errors, _ in runs:
        pairs = list(pairwise(errors))
        # From where the quadratic regime is near, to above the floor of the arithmetic.
        ratios = [math.log(b) / math.log(a) for a, b in pairs if a < 0.05 and b > 1e-13]
        last.append(ratios[-1])
        constants += [b / a**2 for a, b in pairs if a < 1e-3 and b > 1e-13]
    record_property("smallest ratio", min(last))
    record_property("median ratio", np.median(last))
    record_property("largest ratio", max(last))
    record_property("largest constant", max(constants))
    assert len(last) == 20
    assert 1.5 < min(last) <= max(last) < 2.6
    assert 1.75 < np.median(last) < 2.25
    assert max(constants) < 300  # r_{t+1} <= C r_t^2


def test_hard_runs_meet_indefinite_hessians_that_cholesky_refuses(runs, record_property):
    hard = [run for run in runs if run[0] == 1e-6]
    assert len(hard) >= 8
    counts = []
    for _, _, result, _, refused in hard:
        negative = result.trace["negative_eigenvalues"].to_numpy()[1:]
        # Row t of the trace tells of the Hessian at iterate t - 1.
        np.testing.assert_array_equal(negative > 0, refused[:-1])
        counts.append(int(np.sum(negative > 0)))
    record_property("fewest indefinite steps", min(counts))
    record_property("most indefinite steps", max(counts))
    assert sum(count > 0 for count in counts) >= 4


def test_the_loss_never_rises(runs):
    for _, _, result, _, _ in runs:
        loss = result.trace["loss"].to_numpy()
        assert (np.diff(loss) <= 1e-10 * loss[:-1]).all()


def test_steps_near_the_minimiser_are_full_newton_steps(runs):
    for _, _, result, errors, _ in runs:
        trace = result.trace
        near = [t + 1 for t, error in enumerate(errors[:-1]) if error < 1e-3]
        assert (trace["step_length"].to_numpy()[near] == 1.0).all()


def test_every_problem_is_solved_in_every_storage(
    problem_name, kind, plant, make_regularised, minimiser, relative_error
):
    instance = plant(1, density=0.6)
    expected = minimiser(make_regularised(problem_name, instance.A, instance.b, 0.1))
    problem = make_regularised(problem_name, kind(instance.A), instance.b, 0.1)
    result = solve(problem, "exact_newton", eps=1e-12)
    assert result.status is Status.CONVERGED
    assert relative_error(result.x, expected) <= 1e-9


def test_a_step_costs_one_gram_and_four_passes(plant, make_regularised):
    instance = plant(0)
    # The start, x = 0: A^T [g v h]. A step: A p, and A^T [g v h] at the new point.
    result = solve(make_regularised("softres", instance.A, instance.b, 0.1), "exact_newton")
    np.testing.assert_array_equal(result.trace["grams"], np.arange(result.steps + 1))
    steps = np.arange(result.steps + 1)
    np.testing.assert_array_equal(result.trace["passes"], 3 + 4 * steps)
    # Plain problems have no rank-two part.
    result = solve(make_regularised("sinh", instance.A, instance.b, 0.1), "exact_newton")
    np.testing.assert_array_equal(result.trace["passes"], 1 + 2 * np.arange(result.steps + 1))


@pytest.mark.parametrize("solver", ["exact_newton", "approx_newton", "gradient_descent"])
@pytest.mark.parametrize("name", ["softres", "softmax", "resnet-exp"])
def test_a_rank_deficient_matrix_gives_the_minimum_norm_solution(
    solver, name, kind, plant, make_regularised, minimiser, relative_error
):
    # The weights act on A x: on the null space of A nothing holds x but the least norm.
    instance = plant(2, n=300, d=4)
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((7, 4)))[0]
    expected = basis @ minimiser(make_regularised(name, instance.A, instance.b, 0.1))
    problem = make_regularised(name, kind(instance.A @ basis.T), instance.b, 0.1)
    result = solve(problem, solver, eps=1e-11)
    assert result.status is Status.CONVERGED
    assert relative_error(result.x, expected) <= 1e-8


@pytest.mark.parametrize(("n", "d", "extra"), [(200, 3, 1), (300, 4, 3), (20_000, 20, 1)])
def test_no_step_of_any_run_has_a_part_in_the_null_space(
    n, d, extra, plant, make_regularised, record_property
):
    parts = []
    for seed in range(20 if n < 1000 else 5):
        instance = plant(seed, n=n, d=d)
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.standard_normal((d + extra, d)))[0]
        result = solve(
            make_regularised("softres", instance.A @ basis.T, instance.b, 0.1), eps=1e-11
        )
        null = result.x - basis @ (basis.T @ result.x)
        parts.append(np.linalg.norm(null) / np.linalg.norm(result.x))
    record_property("largest null part", max(parts))
    record_property("runs with one", float(np.mean(np.array(parts) > 1e-8)))
    assert max(parts) <= 1e-8


def test_without_weights_softmax_takes_the_least_norm_among_its_minimisers(relative_error):
    # A column of ones moves every z alike, which softmax does not see.
    rng = np.random.default_rng(0)
    A = np.column_stack([np.ones(200), rng.standard_normal((200, 3))])
    b = np.exp(A @ [0.0, 0.3, -0.2, 0.1])
    result = solve(SoftmaxRegression(A, b / b.sum()), "exact_newton", eps=1e-12)
    assert result.status is Status.CONVERGED
    assert relative_error(result.x, np.array([0.0, 0.3, -0.2, 0.1])) <= 1e-8


def test_the_scale_of_columns_does_not_matter_on_the_way_through_indefinite_hessians(
    plant, make_regularised
):
    # Newton's method sees A x only: columns in other units give the same fit.
    instance = plant(0, n=1000, d=20, radius=10.0, noise=1.0)
    plain = make_regularised("softres", instance.A, instance.b, 1e-6)
    x = solve(plain, "exact_newton", eps=1e-11).x
    scale = np.geomspace(1.0, 1e-9, 20)
    scaled = make_regularised("softres", instance.A * scale, instance.b, 1e-6)
    result = solve(scaled, "exact_newton", eps=1e-11)
    assert result.status is Status.CONVERGED
    assert (result.trace["negative_eigenvalues"] > 0).any()
    assert np.linalg.norm(scaled.gradient(result.x) / scale) <= 1e-9 * np.linalg.norm(
        plain.gradient(plain.zeros())
    )
    assert scaled.value(result.x) < 1.5 * plain.value(x)


def test_cosh_leaves_its_saddle_at_zero(plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("cosh", instance.A, instance.b, 1e-2)
    result = solve(problem, "exact_newton", eps=1e-12)
    assert result.status is Status.CONVERGED
    assert problem.value(result.x) < 0.99 * problem.value(problem.zeros())


@pytest.mark.parametrize("distance", [1.0, 1e-3, 1e-6, 1e-9])
def test_a_saddle_is_left_however_near_to_it_the_start_is(distance, plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("cosh", instance.A, instance.b, 1e-2)
    result = solve(problem, "exact_newton", distance * problem.start())
    assert result.status is Status.CONVERGED
    assert np.linalg.eigvalsh(problem.hessian(result.x))[0] > 0
    assert problem.value(result.x) < 0.99 * problem.value(problem.zeros())


@pytest.mark.parametrize(("name", "most"), [("softres", 16), ("softmax", 14), ("cosh", 14)])
@pytest.mark.parametrize("factor", [1e-2, 1e-4])
def test_real_data_with_indefinite_hessians_take_few_steps(name, most, factor, make_regularised):
    # A trust region alone, which starts small and doubles, took up to 48.
    instance = digits.load()
    result = solve(make_regularised(name, instance.A, instance.b, factor), "exact_newton")
    assert result.status is Status.CONVERGED
    assert (result.trace["negative_eigenvalues"] > 0).any()
    assert result.steps <= most
