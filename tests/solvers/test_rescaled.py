"""Every solver on rescaled regression, one target and many."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softres import (
    InputError,
    ManyTargets,
    RescaledRegression,
    Status,
    certify,
    make_problem,
    solve,
)
from softres.matrices.backends import as_numpy
from softres.problems.reference import Reference
from softres.solvers import SOLVERS

#: Of first order.
SLOW = {"gradient_descent"}
#: They bring a problem of their own.
OTHERS = {"softmax_regression", "resnet_regression"}
#: Links with u(0) other than 0, which x = 0 does not solve.
LINKS = ("exp", "softres", "cosh", "resnet-softplus")


def instance(seed=0, n=60, d=3):
    rng = np.random.default_rng(seed)
    A = 0.4 * rng.standard_normal((n, d))
    b = rng.random(n) * np.exp(A @ rng.standard_normal(d))
    return A, b / b.sum()


@pytest.mark.parametrize("name", sorted(set(SOLVERS) - OTHERS))
def test_solvers_agree_on_the_minimiser(name):
    A, b = instance()
    host = RescaledRegression(A, b, 0.1)
    reference = certify(host)
    assert reference.certificate.certified
    problem = host
    if "numpy" not in SOLVERS[name].backends:
        problem = RescaledRegression(torch.from_numpy(A), b, 0.1)
        reference = Reference(problem, reference.x, reference.certificate)
    eps = 1e-3 if name in SLOW else 1e-6
    result = solve(problem, name, eps=eps, reference=reference, max_steps=20000)
    assert result.status is Status.CONVERGED, result.warnings


@pytest.mark.parametrize("link", LINKS)
def test_solvers_take_every_link(link, kind):
    A, b = instance(1)
    problem = RescaledRegression(kind(A), b, 0.02, link=link)
    names = ("exact_newton", "approx_newton", "preconditioned_newton")
    found = [as_numpy(solve(problem, name, eps=1e-8).x) for name in names]
    point = RescaledRegression(A, b, 0.02, link=link).at(found[0])
    assert np.linalg.norm(point.gradient) <= 1e-6 * np.linalg.norm(A) * np.linalg.norm(point.c)
    scale = max(np.linalg.norm(found[0]), np.linalg.norm(point.problem.start()))  # cosh: x* is 0
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-6 * scale)


@pytest.mark.parametrize("link", ["sinh", "resnet-tanh", "resnet-gelu"])
def test_a_link_that_vanishes_at_zero_is_solved_there(link):
    problem = RescaledRegression(*instance(), 0.1, link=link)
    result = solve(problem)
    assert (result.status, result.steps, problem.value(result.x)) == (Status.CONVERGED, 0, 0.0)


@pytest.mark.parametrize("link", ["exp", "cosh"])
def test_many_targets_are_solved_as_each_alone(link):
    rng = np.random.default_rng(3)
    A, B = instance()[0], rng.dirichlet(np.ones(60), size=4).T
    many = solve(ManyTargets(A, B, 0.3, problem="rescaled", link=link), eps=1e-9)
    assert many.success
    for t in range(4):
        alone = solve(RescaledRegression(A, B[:, t], 0.3, link=link), eps=1e-9)
        np.testing.assert_allclose(many.X[:, t], alone.x, rtol=1e-6, atol=1e-8)


def test_the_loss_has_no_pole_where_the_normalised_one_has():
    A, b = np.array([[1.0], [1.0], [-0.2]]), np.full(3, 1 / 3)
    x = np.array([-3.0])  # alpha < 0
    assert not make_problem("softres", A, b).at(x).inside
    point = make_problem("rescaled", A, b, link="softres").at(x)
    assert point.inside
    assert point.value > 0


def test_what_cannot_be_is_one_line():
    A, b = instance()
    with pytest.raises(InputError, match=r"^link=relu: allowed are exp, softres"):
        RescaledRegression(A, b, link="relu")
    with pytest.raises(InputError, match=r"^b must be non-negative"):
        RescaledRegression(A, -b)
    with pytest.raises(InputError, match=r"^B must be non-negative"):
        ManyTargets(A, -np.stack([b, b], axis=1), problem="rescaled")
