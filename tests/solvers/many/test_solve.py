"""Many targets at once: the answers of separate solves, whatever the blocks and the order."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import softres
from softres.common.errors import InputError
from softres.matrices.backends import as_numpy
from softres.problems.many_targets import ManyTargets
from softres.solvers import Status
from softres.solvers.many import ManyOptions
from softres.solvers.many import solve as module

pytestmark = pytest.mark.usefixtures("one_thread")


def instance(seed=0, n=300, d=6, m=9):
    rng = np.random.default_rng([seed, n, d, m])
    A = rng.standard_normal((n, d))
    A *= 3 / np.linalg.norm(A, 2)
    X = rng.standard_normal((d, m))
    X *= 3 / np.linalg.norm(X, axis=0)
    z = A @ X
    B = np.maximum(np.exp(z) + z, 0.0) * np.exp(0.2 * rng.standard_normal((n, m)))
    return A, B / B.sum(axis=0)


def targets(name, A, B, w=None):
    """Return the problem by its name in the tests, such as ``resnet-tanh``."""
    problem, *branch = name.split("-")
    return ManyTargets(A, B, w, problem=problem, **({"branch": branch[0]} if branch else {}))


def apart(X, Y):
    """Return the largest relative distance of two columns."""
    X, Y = as_numpy(X), as_numpy(Y)
    return float(np.max(np.linalg.norm(X - Y, axis=0) / np.linalg.norm(Y, axis=0)))


def separately(many, **options):
    results = [softres.solve(many.one(t), "exact_newton", **options) for t in range(many.m)]
    assert all(result.status.success for result in results)
    return np.stack([as_numpy(result.x) for result in results], axis=1)


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton"])
@pytest.mark.parametrize("w", [None, 0.01])
def test_every_problem_has_the_answers_of_separate_solves(problem_name, w, solver):
    many = targets(problem_name, *instance(), w)
    result = softres.solve(many, solver)
    assert result.success
    assert result.X.shape == (6, 9)
    assert apart(result.X, separately(many, eps=1e-12)) <= 1e-8


@pytest.mark.parametrize("problem", ["softres", "softmax", "exp"])
def test_every_storage_has_the_same_answers(kind, problem):
    A, B = instance()
    result = softres.solve(targets(problem, kind(A), B, 0.01))
    assert result.success
    host = targets(problem, A, B, 0.01)
    assert type(result.X) is type(host.shared.zeros()) or kind.is_torch
    assert apart(result.X, separately(host, eps=1e-12)) <= 1e-8


def test_zero_weights_of_the_targets_and_peaks_are_no_obstacle():
    rng = np.random.default_rng(5)
    A = rng.standard_normal((200, 5))
    B = np.zeros((200, 4))
    B[3, 0] = 1.0
    B[:2, 1] = 0.5
    B[:, 2] = 1 / 200
    B[:, 3] = rng.dirichlet(np.full(200, 0.05))
    many = ManyTargets(A, B, 1e-2, problem="softmax")
    result = softres.solve(many)
    assert result.success
    assert result.targets.steps[2] == 0
    for t in range(4):
        g0 = np.linalg.norm(many.one(t).gradient(np.zeros(5)))
        assert np.linalg.norm(many.one(t).gradient(result.X[:, t])) <= 1e-7 * max(g0, 1e-12)


@given(order=st.permutations(range(6)), columns=st.integers(1, 6), seed=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_neither_order_nor_blocks_change_the_answers(order, columns, seed):
    A, B = instance(seed, n=100, d=4, m=6)
    whole = softres.solve(ManyTargets(A, B, 0.01))
    each = 8 * (module.ROW_ARRAYS * 100 + module.SQUARE_ARRAYS * 16) / 1e6
    permuted = softres.solve(ManyTargets(A, B[:, order], 0.01), megabytes=columns * each * 1.001)
    assert permuted.success
    assert permuted.trace.block.nunique() == -(-6 // columns)
    assert apart(permuted.X, whole.X[:, order]) <= 1e-8
    assert permuted.targets.target.tolist() == list(range(6))


def test_memory_stays_within_the_budget():
    n, d, m = 4000, 10, 200
    A, B = instance(1, n, d, m)
    many = ManyTargets(A, B, 0.01)
    budget = 10.0
    assert 4 * 8 * n * m / 1e6 > 2 * budget  # four work arrays of B's size would not fit
    softres.solve(ManyTargets(A, B[:, :2], 0.01))  # imports and caches
    tracemalloc.start()
    result = softres.solve(many, megabytes=budget)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert result.success
    assert peak < budget


def test_each_target_has_a_status_of_its_own():
    A, B = instance()
    B[:, 4] = 1 / 300  # x = 0 is its minimiser
    result = softres.solve(ManyTargets(A, B, problem="softmax"), max_steps=2)
    expected = [Status.STEP_LIMIT] * 9
    expected[4] = Status.CONVERGED
    assert list(result.statuses) == expected
    assert not result.success
    frame = result.targets
    assert frame.status.tolist() == [status.value for status in expected]
    assert frame.steps.tolist() == [2, 2, 2, 2, 0, 2, 2, 2, 2]
    assert (frame.relative_gradient.drop(index=4) < 1).all()


def test_a_target_without_a_minimiser_does_not_hold_up_the_others():
    """b on one row and no weights: the loss falls for ever as x grows."""
    rng = np.random.default_rng(2)
    A = rng.standard_normal((60, 3))
    B = np.column_stack([np.eye(60)[np.argmax(A[:, 0])], *rng.dirichlet(np.full(60, 50.0), 3)])
    result = softres.solve(ManyTargets(A, B, problem="softmax"), max_steps=30)
    assert [status.success for status in result.statuses[1:]] == [True] * 3
    alone = separately(ManyTargets(A, B[:, 1:], problem="softmax"), eps=1e-12)
    assert apart(result.X[:, 1:], alone) <= 1e-8
    assert np.linalg.norm(result.X[:, 0]) > 5 * np.linalg.norm(alone, axis=0).max()


def test_time_runs_out_for_all_that_have_not_converged():
    A, B = instance()
    B[:, 4] = 1 / 300
    result = softres.solve(ManyTargets(A, B), time_limit=1e-9)
    expected = [Status.TIME_LIMIT] * 9
    expected[4] = Status.CONVERGED  # it starts at its minimiser
    assert list(result.statuses) == expected
    assert (result.targets.steps == 0).all()


def test_a_target_without_progress_is_solved_alone(monkeypatch):
    A, B = instance()
    many = ManyTargets(A, B, problem="cosh")
    together = softres.solve(many)
    assert not together.targets.alone.any()
    monkeypatch.setattr(module, "GIVE_UP", 1)
    result = softres.solve(many)
    assert result.success
    assert result.targets.alone.any()
    assert apart(result.X, together.X) <= 1e-8


def test_starts_may_be_shared_or_given_one_by_one():
    A, B = instance()
    many = ManyTargets(A, B, 0.01)
    solution = softres.solve(many, eps=1e-13).X
    x0 = 0.5 * solution[:, 0]
    shared = softres.solve(many, x0=x0)
    each = softres.solve(many, x0=np.repeat(x0[:, None], 9, axis=1))
    assert apart(shared.X, solution) <= 1e-8
    assert apart(each.X, solution) <= 1e-8
    # The goal is relative to the distance of the start.
    near = softres.solve(many, x0=solution * (1 + 1e-3))
    assert near.success
    assert apart(near.X, solution) <= 1e-11


def test_rank_deficient_data_have_the_solution_of_least_norm():
    A, B = instance()
    A = A[:, [0, 1, 2, 3, 3, 4]]
    many = ManyTargets(A, B, problem="softmax")
    result = softres.solve(many)
    assert result.success
    np.testing.assert_allclose(result.X[3], result.X[4], rtol=1e-8)
    assert apart(result.X, separately(many, eps=1e-12)) <= 1e-8


def test_single_precision_goes_as_far_as_it_can():
    A, B = instance()
    result = softres.solve(ManyTargets(A.astype(np.float32), B, 0.01), eps=1e-3)
    assert result.success
    assert result.X.dtype == np.float32
    assert apart(result.X, separately(ManyTargets(A, B, 0.01), eps=1e-12)) <= 1e-2


def test_the_trace_tells_how_targets_leave():
    many = ManyTargets(*instance(m=30))
    result = softres.solve(many)
    trace, frame = result.trace, result.targets
    assert trace.active.iloc[0] == 30
    assert trace.left.iloc[-1] == 0
    np.testing.assert_array_equal(trace.active.iloc[1:], trace.left.iloc[:-1])
    assert trace.seconds.is_monotonic_increasing
    assert (trace.median_estimate <= trace.max_estimate).all()
    assert frame.steps.sum() == trace.active.sum()
    assert frame.seconds.sum() <= result.seconds
    assert (frame.estimate <= 1e-10).all()
    assert (frame.passes == 2 + 2 * frame.steps).all()
    assert many.shared.matrix.counter.passes >= frame.passes.sum()


def test_all_targets_share_the_first_factor():
    many = ManyTargets(*instance(m=30), problem="softmax")
    grams = many.shared.matrix.counter.grams
    result = softres.solve(many, max_steps=1)
    assert (result.targets.steps == 1).all()
    assert many.shared.matrix.counter.grams - grams == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eps": 0.0}, "eps=0.0: allowed is"),
        ({"max_steps": 0}, "max_steps=0"),
        ({"solver": "gradient_descent"}, "solver=gradient_descent: many targets are solved by"),
        ({"megabytes": 0.0}, "megabytes=0.0: allowed is a positive number"),
        ({"megabytes": float("nan")}, "megabytes=nan"),
        ({"memory": 3}, "memory: many targets have no such option; theirs is megabytes"),
        ({"callback": lambda row, point: None}, "is for a problem with one target"),
        ({"x0": np.zeros(5)}, r"x0 must have shape \(6,\) or \(6, 9\), not \(5,\)"),
        ({"x0": np.full((6, 9), np.nan)}, "target 0 lies where the loss is undefined"),
    ],
)
def test_arguments_out_of_range_are_one_line(options, message):
    with pytest.raises(InputError, match=message) as raised:
        softres.solve(ManyTargets(*instance()), **options)
    assert "\n" not in str(raised.value)


def test_a_start_beyond_the_pole_names_its_target():
    A = np.ones((20, 1))
    x0 = np.zeros((1, 4))
    x0[0, 2] = -3.0
    with pytest.raises(InputError, match="start x0 of target 2 lies where the loss is undefined"):
        softres.solve(ManyTargets(A, np.full((20, 4), 1 / 20)), x0=x0)


@given(n=st.integers(1, 10**6), d=st.integers(1, 2000), megabytes=st.floats(0.01, 1e5))
def test_blocks_hold_as_many_columns_as_fit(n, d, megabytes):
    columns = ManyOptions(megabytes).columns(n, d)
    each = 8 * (module.ROW_ARRAYS * n + module.SQUARE_ARRAYS * d * d)
    assert columns == 1 or columns * each <= megabytes * 1e6
    assert (columns + 1) * each > megabytes * 1e6


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("head", [0, 1, 2])
def test_every_query_of_an_attention_head_is_recovered(head):
    from softres.data.sets.attention import query_targets

    A, B, Q = query_targets(head, m=128)
    result = softres.solve(ManyTargets(A, B, problem="softmax"), eps=1e-12)
    assert result.success
    assert apart(result.X, Q.T / 8) <= 1e-9
