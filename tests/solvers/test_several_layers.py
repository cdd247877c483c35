"""Every solver on a model of several layers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from softres import MultiLayerRegression, Status, certify, solve
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.matrices.backends import as_numpy

SOLVERS = ("exact_newton", "approx_newton", "preconditioned_newton")


@pytest.mark.parametrize("own", [False, True], ids=["one A", "an A each"])
@pytest.mark.parametrize("skip", [True, False], ids=["skip", "no skip"])
def test_solvers_agree_on_the_minimiser(kind, skip, own):
    rng = np.random.default_rng(5)
    matrices = 0.3 * rng.standard_normal((3, 30, 3))
    b, w = rng.random(30), 0.1 * rng.random(30)
    kinds = [kind(A) for A in matrices] if own else kind(matrices[0])
    problem = MultiLayerRegression(kinds, b / b.sum(), w, layers=3, skip=skip)
    outside = "torch_lbfgs" if kind.is_torch else "scipy_newton_cg"
    found = [solve(problem, solver, eps=1e-6) for solver in (*SOLVERS, outside)]
    assert {result.status for result in found} == {Status.CONVERGED}
    one, *others = (as_numpy(result.x) for result in found)
    for other in others:
        np.testing.assert_allclose(other, one, atol=1e-5 * np.linalg.norm(one))


def test_another_minimiser_than_the_reference_is_named():
    # Deep models without skip connections have several.
    instance = make_synthetic(2000, 20, 4.0, 0, Synthetic())
    bare = MultiLayerRegression(instance.A, instance.b, layers=4, skip=False)
    w = math.sqrt(1e-2 * float(bare.at(bare.start()).gauss_newton_diagonal.max()))
    problem = MultiLayerRegression(instance.A, instance.b, w, layers=4, skip=False)
    reference = certify(problem)
    assert reference.certificate.certified
    result = solve(problem, "preconditioned_newton", reference=reference, max_steps=80)
    assert result.status is Status.STALLED
    assert any("another local minimiser" in line for line in result.warnings)


def test_the_papers_variant_refuses_several_layers_in_a_line():
    A = np.random.default_rng(0).standard_normal((30, 3))
    problem = MultiLayerRegression(A, np.full(30, 1 / 30), 0.1, layers=2)
    with pytest.raises(ValueError, match=r"^variant=paper is for one layer .* has 2"):
        solve(problem, "approx_newton", variant="paper")


def test_two_layers_over_columns_that_repeat_have_a_certified_minimiser():
    A = np.random.default_rng(0).standard_normal((30, 3))
    twice = np.hstack([A, A[:, :1]])
    certificate = certify(MultiLayerRegression(twice, np.full(30, 1 / 30), 0.1)).certificate
    assert (certificate.certified, certificate.rank) == (True, 6)
