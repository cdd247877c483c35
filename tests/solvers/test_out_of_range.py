"""Numbers beyond the range of doubles, or of their squares, end a solve; they never raise or warn.

The suite makes every warning an error.
"""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
import torch

import softres.linalg.free_memory
from softres import InputError, ManyTargets, SoftmaxRegression, make_problem, solve
from softres.common.arrays import norm, relative_norm
from softres.linalg.lanczos import largest_eigenvalue
from softres.matrices import as_matrix
from softres.sketching.leverage import whitening
from softres.sketching.sampling import sample_rows
from softres.solvers import SOLVERS, Status

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((20, 3)), RNG.dirichlet(np.ones(20))


def ends(problem, solver, **options):
    """Solve, and check that the end is finite, or is said not to be."""
    result = solve(problem, solver, max_steps=30, **options)
    finite = bool(np.isfinite(np.asarray(result.x)).all())
    assert finite or result.status is Status.DIVERGED
    return result


def on(solver, values):
    return torch.tensor(values) if SOLVERS[solver].backends == ("torch",) else values


# --- Norms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-95, 1e-20, 1.0, 1e170, 1e307])
@pytest.mark.parametrize("make", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_a_norm_neither_vanishes_nor_overflows(scale, make):
    vector = make(scale * np.array([3.0, 0.0, -4.0]))
    assert norm(vector) == pytest.approx(5 * scale, rel=1e-15)
    assert relative_norm(
        norm(vector), norm(make(np.array([3.0, 0.0, 4.0]) * scale))
    ) == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1e-20, 1.0, 1e20, 1e37])
def test_a_norm_in_single_precision(scale):
    vector = (scale * np.array([3.0, 0.0, -4.0])).astype(np.float32)
    expected = float(np.linalg.norm(vector.astype(np.float64)))
    assert norm(vector) == pytest.approx(expected, rel=1e-6)
    assert norm(torch.tensor(vector)) == pytest.approx(expected, rel=1e-6)


def test_norms_of_what_has_none():
    assert norm(np.zeros(3)) == 0.0
    assert norm(np.array([1.0, math.inf])) == math.inf
    assert math.isnan(norm(np.array([1.0, math.nan])))
    assert relative_norm(0.0, 0.0) == 0.0
    assert relative_norm(1.0, 0.0) == math.inf


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-95, 1.0, 1e170, 1e300])
def test_column_norms_of_any_scale(kind, scale):
    scales = np.array([1.0, scale, 0.0])
    found = np.asarray(as_matrix(kind(A * scales)).column_norms.tolist())
    expected = np.linalg.norm(A, axis=0) * scales
    np.testing.assert_allclose(found, expected, rtol=1e-14)


# --- Scales of A --------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-98, 1e-40, 1e40, 1e98])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solver_ends_at_every_scale_of_a(solver, scale):
    for name in ("softmax", "softres", "cosh", "sinh"):
        ends(make_problem(name, on(solver, A * scale), B), solver)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "approx_newton"])
def test_a_wide_matrix_whose_gram_matrix_vanishes(solver, seed):
    rng = np.random.default_rng(seed)
    wide, b = rng.standard_normal((3, 5)), rng.dirichlet(np.ones(3))
    ends(SoftmaxRegression(1e-90 * wide, b), solver)


@pytest.mark.parametrize("scale", [1e-13, 1e-9, 1.0, 1e10])
@pytest.mark.parametrize("sampling", ["independent", "replacement"])
def test_algorithm_1_in_single_precision_without_targets(scale, sampling):
    for name in ("softmax", "softres", "exp", "resnet"):
        for w in (None, 0.1):
            single = (scale * A).astype(np.float32)
            ends(make_problem(name, single, np.zeros(20), w), "approx_newton", sampling=sampling)


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "approx_newton"])
def test_equal_columns_and_columns_of_zeros(problem_name, solver, make):
    for last in (A[:, 0], 0 * B):
        for w in (0.0, 0.1):
            ends(make(problem_name, np.column_stack([A, last]), B, w), solver)


@pytest.mark.parametrize("scale", [1e-95, 1.0, 1e95])
@pytest.mark.parametrize("name", ["softmax", "softres", "exp", "cosh", "sinh", "resnet"])
def test_many_targets_end_with_equal_columns_at_every_scale(name, scale):
    equal = np.column_stack([A, A[:, 0]]) * scale
    for solver in ("preconditioned_newton", "exact_newton"):
        many = ManyTargets(equal, np.stack([B, B[::-1]], axis=1), problem=name)
        result = solve(many, solver, max_steps=30)
        assert len(result.statuses) == 2


@pytest.mark.parametrize("scale", [1e-13, 1e9, 1e13])
def test_many_targets_in_single_precision_end_where_the_gram_matrix_leaves_its_range(scale):
    equal = (np.column_stack([A, A[:, 0]]) * scale).astype(np.float32)
    for name in ("softmax", "sinh", "cosh"):
        many = ManyTargets(equal, np.stack([B, B[::-1]], axis=1), problem=name)
        assert len(solve(many, max_steps=30).statuses) == 2


def test_scipy_does_not_go_on_for_ever_with_numbers_out_of_range():
    # Conjugate gradients with an infinite product never meet their own condition to stop.
    rng = np.random.default_rng(574)
    for scale in (1e95, 1e98):
        for name in ("sinh", "softmax", "cosh"):
            problem = make_problem(name, scale * rng.standard_normal((13, 4)), np.eye(13)[0])
            ends(problem, "scipy_trust_ncg")


def test_the_start_of_cosh_moves_z_at_every_scale():
    for scale in (1e-95, 1e-8, 1.0, 1e97):
        problem = make_problem("cosh", A * scale, B)
        assert np.abs(problem.at(problem.start()).z).max() == pytest.approx(0.1)


def test_what_a_problem_is_asked_far_out_is_not_finite_and_does_not_warn():
    problem = make_problem("sinh", A, B)
    x = np.full(3, 1e4)
    assert not math.isfinite(problem.value(x))
    assert not np.isfinite(problem.gradient(x)).all()
    assert not np.isfinite(problem.hessian(x)).all()
    assert not np.isfinite(problem.hvp(x, np.ones(3))).all()


# --- Factorisations -----------------------------------------------------------------------------


def test_a_factorisation_that_fails_ends_the_solve(monkeypatch):
    def fail(*_, **__):
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    monkeypatch.setattr("softres.solvers.exact_newton.newton_step", fail)
    result = solve(SoftmaxRegression(A, B), "exact_newton")
    assert (result.status, result.steps) == (Status.LINEAR_SOLVE_FAILED, 0)


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_scores_and_sketches_that_say_nothing_are_failed_factorisations(value):
    with pytest.raises(np.linalg.LinAlgError):
        whitening(np.full((8, 3), value))
    for scheme in ("independent", "replacement"):
        with pytest.raises(np.linalg.LinAlgError):
            sample_rows(np.full(8, value), 4, np.random.default_rng(0), scheme)


def test_the_largest_eigenvalue_of_nothing():
    assert largest_eigenvalue(lambda q: 0.0 * q, 6) == 0.0
    with pytest.raises(np.linalg.LinAlgError):
        largest_eigenvalue(lambda q: np.nan * q, 6)


# --- Memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["exact_newton", "approx_newton", "preconditioned_newton"])
def test_matrices_that_cannot_be_held_are_refused_before_any_work(solver, monkeypatch):
    monkeypatch.setattr(softres.linalg.free_memory, "NEGLIGIBLE_BYTES", 0)
    monkeypatch.setattr(softres.linalg.free_memory, "free_bytes", lambda array: 143.0)
    problem = SoftmaxRegression(A, B)
    options = {"factor": "gram"} if solver == "preconditioned_newton" else {}
    with pytest.raises(InputError, match=f"solver={solver}: holds . matrices of d x d") as caught:
        solve(problem, solver, **options)
    assert "\n" not in str(caught.value)
    assert problem.matrix.counter.grams == 0
    with pytest.raises(InputError, match="d=3"):
        solve(ManyTargets(A, np.stack([B, B], axis=1)), "exact_newton")
    monkeypatch.setattr(softres.linalg.free_memory, "free_bytes", lambda array: 3 * 8 * 9.0)
    assert solve(problem, solver, **options).steps > 0


def test_solvers_without_such_matrices_are_not_refused(monkeypatch):
    monkeypatch.setattr(softres.linalg.free_memory, "NEGLIGIBLE_BYTES", 0)
    monkeypatch.setattr(softres.linalg.free_memory, "free_bytes", lambda array: 0.0)
    problem = SoftmaxRegression(A, B)
    assert solve(problem, "scipy_lbfgs").steps > 0
    assert solve(problem, factor="columns").steps > 0


def test_free_memory_is_what_the_tightest_limit_leaves(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    5000 kB\n")
    monkeypatch.setattr(softres.linalg.free_memory, "_PROC", tmp_path)
    monkeypatch.setattr(softres.linalg.free_memory, "_CGROUP", tmp_path)
    assert softres.linalg.free_memory.free_bytes(np.zeros(1)) == 5000 * 1024
    (tmp_path / "memory.max").write_text("4000000\n")
    (tmp_path / "memory.current").write_text("3500000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    assert softres.linalg.free_memory.free_bytes(np.zeros(1)) == 600000
    (tmp_path / "memory.max").write_text("max\n")
    assert softres.linalg.free_memory.free_bytes(np.zeros(1)) == 5000 * 1024
    monkeypatch.setattr(softres.linalg.free_memory, "_PROC", tmp_path / "none")
    assert softres.linalg.free_memory.free_bytes(np.zeros(1)) == math.inf


# --- Threads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["exact_newton", "preconditioned_newton", "scipy_lbfgs"])
def test_solves_of_one_problem_at_once_count_their_own_passes(solver):
    problem = SoftmaxRegression(np.repeat(A, 20, axis=0), np.repeat(B, 20) / 20, 0.1)
    alone = [(row["passes"], row["grams"]) for row in solve(problem, solver).rows]
    counted = problem.matrix.counter.passes
    found: list[list[tuple[float, float]]] = []
    barrier = threading.Barrier(4)

    def look(row, point):
        problem.value(point.x + 1.0)

    def work():
        barrier.wait()
        result = solve(problem, solver, callback=look)
        found.append([(row["passes"], row["grams"]) for row in result.rows])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 4
    assert problem.matrix.counter.passes > 5 * counted - 1  # evaluations are counted there too
