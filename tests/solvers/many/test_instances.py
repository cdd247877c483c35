"""Many small problems at once: the answers of one after the other, and no status that is not so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import softres
from softres import InputError, Instances
from softres.matrices.backends import as_numpy
from softres.solvers import Status, solve
from softres.solvers.optimality import at_boundary, examine

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = {
    "softres": {},
    "softmax": {},
    "resnet": {"branch": "gelu"},
    "rescaled": {},
    "exp": {},
    "cosh": {},
    "sinh": {},
}


def stack(k=30, n=60, d=4, seed=0, spread=1.5):
    rng = np.random.default_rng(seed)
    A = spread * rng.standard_normal((k, n, d)) / np.sqrt(d)
    B = rng.dirichlet(np.ones(n), size=k)
    return A, B


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_each_ends_where_it_ends_alone(name, kind):
    A, B = stack()
    problems = Instances(kind(A), kind(B), 1e-2, problem=name, **NAMES[name])
    result = solve(problems, eps=1e-9)
    assert type(result.X) is type(problems.A)
    assert not result.alone.all()
    for i in range(problems.k):
        one = solve(problems.one(i), "exact_newton", eps=1e-9)
        assert result.statuses[i] is one.status
        if one.status.success:
            np.testing.assert_allclose(as_numpy(result.X[i]), as_numpy(one.x), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_said_to_have_converged_together_is_confirmed_one_by_one(seed):
    rng = np.random.default_rng(seed)
    n, d = [(3, 2), (6, 3), (20, 3), (60, 5)][seed % 4]
    A, B = stack(24, n, d, seed)
    A *= 10.0 ** rng.uniform(-3.0, 1.2, (24, 1, 1)) * 10.0 ** rng.uniform(-2.0, 2.0, (24, 1, d))
    if seed % 3 == 0:
        A[::3, :, -1] = A[::3, :, 0]
    name = ["softres", "softmax", "exp", "rescaled", "sinh"][seed % 5]
    problems = Instances(A, B, [0.0, 1e-6, 1e-3][seed % 3], problem=name)
    eps = [1e-4, 1e-8, 1e-11][seed % 3]
    result = solve(problems, eps=eps, max_steps=60)
    for i, status in enumerate(result.statuses):
        if status.success and not result.alone[i]:
            one = problems.one(i)
            with np.errstate(all="ignore"):
                found = examine(one.at(result.X[i]), one.at(one.start()), eps)
                assert found.minimiser
                assert not at_boundary(found.point, found.step)
    assert result.alone.mean() < 0.7


@pytest.mark.parametrize("name", ["softres", "softmax", "exp"])
def test_what_is_not_clear_is_solved_alone(name):
    A, B = stack(6)
    A[1, :, 2] = A[1, :, 0]  # of deficient rank
    A[2, :, 1] = 0.0
    A[3] *= 1e-12
    B[4] = 0.0
    B[4, 0] = 1.0
    A[5] *= 40.0
    problems = Instances(A, B, [[0.0], [0.0], [0.0], [0.0], [0.0], [1e-6]], problem=name)
    result = solve(problems)
    assert result.alone[1]
    assert result.alone[2]
    for i in range(6):
        one = solve(problems.one(i), "exact_newton")
        assert result.statuses[i].success == one.status.success, (i, result.statuses[i], one.status)


def test_a_start_that_is_the_minimiser_takes_no_step():
    A, B = stack(5)
    x = solve(Instances(A, B, 1e-2), eps=1e-12).X
    again = solve(Instances(A, B, 1e-2), x0=x, eps=1e-6)
    assert again.success
    assert (again.steps == 0).all()


def test_limits_are_said():
    A, B = stack(5)
    assert set(solve(Instances(A, B, 1e-2), max_steps=1).statuses) == {Status.STEP_LIMIT}
    timed = solve(Instances(A, B, 1e-2), time_limit=1e-9)
    assert set(timed.statuses) == {Status.TIME_LIMIT}
    assert list(timed.instances.columns) == ["status", "steps", "alone"]


def test_a_list_of_problems_is_solved_together():
    A, B = stack(4)
    problems = [softres.SoftmaxRegression(*one, w=0.05) for one in zip(A, B, strict=True)]
    result = solve(problems)
    np.testing.assert_array_equal(result.X, solve(Instances(A, B, 0.05, problem="softmax")).X)


BAD = {
    "a shape": (lambda A, B: Instances(A[0], B), r"A must have shape \(k, n, d\)"),
    "targets": (lambda A, B: Instances(A, B[:, 1:]), r"B must have shape \(4, 60\)"),
    "a share": (lambda A, B: Instances(A, -B), "instance 0: b"),
    "a number": (lambda A, B: Instances(np.where(A[2, 1, 1] == A, np.nan, A), B), "instance 2: A"),
    "a kind": (lambda A, B: solve([softres.SoftmaxRegression(A[0], B[0]), 3]), "problem 1=3"),
    "kinds": (
        lambda A, B: solve(
            [softres.SoftmaxRegression(A[0], B[0]), softres.SoftResidualRegression(A[1], B[1])]
        ),
        "of one kind",
    ),
    "none": (lambda A, B: solve([]), "empty list"),
    "a solver": (lambda A, B: solve(Instances(A, B), "gradient_descent"), "solver="),
    "an option": (lambda A, B: solve(Instances(A, B), memory=3), "memory"),
    "a start": (lambda A, B: solve(Instances(A, B), x0=np.ones(7)), "x0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case):
    call, words = BAD[case]
    with pytest.raises(InputError, match=words) as caught:
        call(*stack(4))
    assert "\n" not in str(caught.value)
