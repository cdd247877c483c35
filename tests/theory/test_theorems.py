"""The theorems: what each one's constants are, and that one of one's own is a file."""

from __future__ import annotations

from math import exp, log10
from pathlib import Path

import numpy as np
import pytest

from softres import InputError
from softres.common import discovery
from softres.theory import THEOREMS, make_theorem
from softres.theory.theorem import LEMMAS, Origin, Sizes

EXAMPLE = Path(__file__).parents[2] / "examples" / "tanh_theorem.py"
SIZES = Sizes(n=50, R=2.0, l=3.0, sigma_min=0.5, beta=1e-3)


def test_the_family_is_registered_with_its_problems():
    found = {name: make_theorem(name).problem for name in THEOREMS}
    assert found == {
        "softres": "softres",
        "softmax": "softmax",
        "exp": "exp",
        "cosh": "cosh",
        "sinh": "sinh",
        "rescaled": "rescaled",
    }


@pytest.mark.parametrize("name", list(THEOREMS))
def test_a_theorem_says_all_that_the_judge_asks(name):
    theorem = make_theorem(name)
    assert set(theorem.lemmas) <= set(LEMMAS)
    assert ("sandwich" in theorem.lemmas) == (theorem.sandwich is not None)
    for formula, source in theorem.constants().values():
        assert formula
        assert isinstance(source, Origin)
    b = np.full(50, 0.02)
    weights = theorem.weights(SIZES, b)
    assert weights.shape == (50,)
    assert (weights >= SIZES.l / SIZES.sigma_min**2).all()
    steps, _, _ = theorem.steps
    assert steps(1e-8) > steps(1e-2) >= 1
    A = np.random.default_rng(0).standard_normal((50, 3))
    assert theorem.make(A, b).n == 50


def test_constants_are_their_formulas():
    n, R = SIZES.n, SIZES.R
    softmax, rescaled, cosh = (make_theorem(name) for name in ("softmax", "rescaled", "cosh"))
    assert softmax.weight.value(SIZES) == 20 + 3 / 0.25
    assert softmax.lipschitz.value(SIZES) == pytest.approx(log10(n**2 * exp(40 * R**2)))
    assert softmax.sandwich.value(SIZES) == pytest.approx(200 * exp(R**2) + 12)
    proven = R**3 * (2 * (1 + n**0.5) ** 2 + 4 * n + 2) * exp(2 * R**2)
    assert rescaled.lipschitz.value(SIZES) == pytest.approx(log10(proven))
    assert cosh.lipschitz.value(SIZES) == pytest.approx(
        log10(R**3 * (4 * exp(R**2) + n) * exp(R**2))
    )
    # Beyond the range of doubles too.
    assert np.isfinite(cosh.lipschitz.value(Sizes(n=50, R=40.0)))


def test_each_row_of_the_hyperbolic_family_has_the_weight_of_its_target():
    b = np.array([0.0, 0.25, 0.75])
    found = make_theorem("exp").weights(Sizes(n=3, R=2.0), b)
    np.testing.assert_allclose(found, 0.5 * (3 * b) ** 2 + 1.0)


@pytest.mark.parametrize("u", [np.exp, np.cosh, np.sinh])
def test_the_recalled_weights_of_the_hyperbolic_family_are_enough(u):
    # As the module proves: phi = v^2 + (u - t) e >= -t^2 / 2 for every z and t >= 0.
    z, t = np.meshgrid(np.linspace(-6, 6, 601), np.linspace(0, 500, 1001))
    e = np.exp(z) if u is np.exp else u(z)
    v = {np.exp: np.exp, np.cosh: np.sinh, np.sinh: np.cosh}[u](z)
    assert (v**2 + (u(z) - t) * e + t**2 / 2 >= -1e-9 * t**2).all()


def test_an_unknown_theorem_is_one_line():
    with pytest.raises(InputError, match=r"^experiment.theorem=nix: allowed are softres, softmax"):
        make_theorem("nix")


def test_a_theorem_of_ones_own_is_one_file(monkeypatch):
    monkeypatch.setattr(discovery, "_plugins", {kind: {} for kind in discovery.KINDS})
    (one,) = discovery.add_plugins([str(EXAMPLE)])
    assert (one.kind, one.name) == ("theorem", "tanh")
    theorem = make_theorem("tanh")
    assert theorem.make(np.eye(4, 2), np.full(4, 0.25)).name == "resnet"
    assert "tanh" in THEOREMS
