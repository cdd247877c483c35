"""The links: u, u' and u'' against their definitions at high precision."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softres.problems.links import (
    BRANCHES,
    Cosh,
    Exp,
    NormalisableLink,
    Residual,
    Sinh,
    SoftResidual,
)

mp = mpmath.mp.clone()
mp.dps = 350  # differentiation must resolve a u'' of 1e-140 beside a u' of one

#: Each link with its definition; u' and u'' follow from it by numerical differentiation.
LINKS = {
    "softres": (SoftResidual(), lambda z: mp.exp(z) + z),
    "exp": (Exp(), mp.exp),
    "cosh": (Cosh(), mp.cosh),
    "sinh": (Sinh(), mp.sinh),
    "resnet-exp": (Residual("exp"), lambda z: z + mp.exp(z)),
    "resnet-tanh": (Residual("tanh"), lambda z: z + mp.tanh(z)),
    "resnet-softplus": (Residual("softplus"), lambda z: z + mp.log1p(mp.exp(z))),
    "resnet-gelu": (Residual("gelu"), lambda z: z + z * mp.ncdf(z)),
}
#: Sign and decimal exponent, so that every magnitude is as likely as any other.
POINTS = st.builds(
    lambda sign, exponent: sign * 10.0**exponent, st.sampled_from((-1.0, 1.0)), st.floats(-8, 1.4)
)
#: Around these points u, u' or u'' of some link vanishes, or a branch changes its formula.
SPECIAL = (0.0, -0.0, 1e-100, -1e-100, -0.567143290409784, math.sqrt(2), -math.sqrt(2), -40.0, 40.0)


def largest_terms(name: str, z: float) -> tuple[float, float, float]:
    """Return the sizes of the terms of u, u' and u'': what rounding errors are relative to."""
    z, size = mp.mpf(z), abs(mp.mpf(z))
    link = name.removeprefix("resnet-")
    if link in {"softres", "exp"}:
        e = mp.exp(z)
        return (e, e, e) if name == "exp" else (e + size, e + 1, e)
    if link in {"cosh", "sinh"}:
        both = mp.cosh(z), abs(mp.sinh(z))
        return (*both, both[0]) if name == "cosh" else (both[1], both[0], both[1])
    if link == "tanh":
        return size + abs(mp.tanh(z)), mp.mpf(1), 2 * abs(mp.tanh(z)) * mp.sech(z) ** 2
    if link == "softplus":
        t = mp.exp(-size)
        return size + mp.log1p(mp.exp(z)), mp.mpf(1), t / (1 + t) ** 2
    pdf = mp.npdf(z)
    return size * (1 + mp.ncdf(z)), 1 + mp.ncdf(z) + size * pdf, pdf * (2 + z**2)


def check_against_definition(name: str, z: float) -> None:
    link, definition = LINKS[name]
    computed = link.evaluate(np.array([z]))
    exact = [mp.diff(definition, mp.mpf(z), order) for order in range(3)]
    for value, wanted, terms in zip(computed, exact, largest_terms(name, z), strict=True):
        # exp(-z^2/2) has a relative error of z^2/2 roundings: 800 of them at |z| = 40.
        assert abs(mp.mpf(float(value[0])) - wanted) <= 1e-12 * terms + mp.mpf("1e-300")


@pytest.mark.parametrize("name", LINKS)
@given(z=POINTS)
@settings(max_examples=60, deadline=None)
def test_u_and_its_derivatives_follow_from_the_definition(name, z):
    check_against_definition(name, z)


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("z", SPECIAL)
def test_u_and_its_derivatives_hold_at_special_points(name, z):
    check_against_definition(name, z)


@pytest.mark.parametrize("name", LINKS)
def test_torch_and_numpy_agree(name):
    import torch

    link, _ = LINKS[name]
    z = np.concatenate([np.linspace(-30, 30, 301), SPECIAL])
    for ours, theirs in zip(link.evaluate(z), link.evaluate(torch.from_numpy(z)), strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("branch", ["tanh", "softplus", "gelu"])
@pytest.mark.parametrize("size", [1e3, 1e150])
def test_bounded_branches_are_finite_wherever_their_square_is(branch, size):
    u, v, e = Residual(branch).evaluate(np.array([size, -size]))
    slope = 1.0 if branch == "tanh" else 2.0
    np.testing.assert_allclose(u, [slope * size, -size], rtol=2 / size)
    np.testing.assert_allclose(v, [slope, 1.0])
    np.testing.assert_allclose(e, [0.0, 0.0], atol=1e-300)


@pytest.mark.parametrize("link", [SoftResidual(), Exp()], ids=lambda link: link.name)
@given(z=st.lists(st.floats(-300, 300), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_scaling_divides_by_a_common_power_of_e(link, z):
    z = np.array(z)
    *scaled, m = link.scaled(z)
    for part, whole in zip(scaled, link.evaluate(z), strict=True):
        np.testing.assert_allclose(part * math.exp(m), whole, rtol=1e-12, atol=1e-140)


@pytest.mark.parametrize("link", [SoftResidual(), Exp()], ids=lambda link: link.name)
def test_scaled_parts_are_finite_beyond_the_range_of_exp(link):
    z = np.array([1e4, 9.99e3, 0.0, -1e4])
    *parts, m = link.scaled(z)
    assert m == 1e4
    for part in parts:
        assert np.isfinite(part).all()
        assert part[0] == pytest.approx(1.0)
        assert part[1] == pytest.approx(math.exp(-10))


def test_only_links_that_can_be_divided_by_their_sum_claim_to():
    assert isinstance(SoftResidual(), NormalisableLink)
    assert isinstance(Exp(), NormalisableLink)
    for link in (Cosh(), Sinh(), *(Residual(branch) for branch in BRANCHES)):
        assert not isinstance(link, NormalisableLink)
