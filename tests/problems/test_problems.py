"""The problems: values and derivatives against autodiff and 50-digit arithmetic, and their limits.

The largest error of each test is recorded as a property: ``pytest --junitxml=...`` keeps them.
"""

from __future__ import annotations

import math
import sys
import threading
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import sparse

from softres import InputError
from softres.matrices.backends import as_numpy
from softres.problems import (
    PROBLEMS,
    HyperbolicRegression,
    ResNetRegression,
    SoftmaxRegression,
    SoftResidualRegression,
    make_problem,
)
from softres.solvers import Status, solve

mp = mpmath.mp.clone()
mp.dps = 50

NORMALISED = ("softres", "softmax")
#: Problems, not normalised, whose loss grows like exp(2 |z|).
EXPONENTIAL = ("resnet-exp", "exp", "cosh", "sinh", "rescaled")


# --- Against automatic differentiation ---------------------------------------------------------

#: The model f(z) of each problem, written in torch from its definition; one that is added brings
#: its own, see ADDED.
MODELS = {
    "softres": lambda z: (torch.exp(z) + z) / torch.sum(torch.exp(z) + z),
    "softmax": lambda z: torch.softmax(z, 0),
    "resnet-exp": lambda z: z + torch.exp(z),
    "resnet-tanh": lambda z: z + torch.tanh(z),
    "resnet-softplus": lambda z: z + torch.log1p(torch.exp(z)),
    "resnet-gelu": lambda z: z + torch.nn.functional.gelu(z),
    "exp": torch.exp,
    "cosh": torch.cosh,
    "sinh": torch.sinh,
}
#: A problem that is added brings its model, u as a function of torch tensors.
ADDED = {name: kind for name, kind in PROBLEMS.items() if hasattr(kind, "model")}
N, D = 60, 5


def added_model(name: str):
    """Return f of a problem that is none of those above, from its own model."""

    def f(z):
        u = ADDED[name].model(z)
        return u / torch.sum(u) if ADDED[name].normalised else u

    return f


MODELS |= {name: added_model(name) for name in ADDED}


def is_rescaled(name: str) -> bool:
    return name.startswith("rescaled")


def unscaled(name: str) -> str:
    """Return the problem, not normalised, whose u a rescaled one compares with alpha b."""
    link = name.removeprefix("rescaled").removeprefix("-") or "exp"
    return "resnet-exp" if link == "softres" else link


#: u of the rescaled problem, for tests that look at the link alone.
MODELS["rescaled"] = MODELS["exp"]


def definition(name: str, A: Any, b: Any, w: Any):
    """Return the loss of a problem as a torch function of x, from its definition."""
    target = b if name in NORMALISED else len(b) * b
    model = MODELS[unscaled(name)] if is_rescaled(name) else MODELS[name]

    def loss(x):
        z = A @ x
        f = model(z)
        c = f - torch.sum(f) * b if is_rescaled(name) else f - target
        return 0.5 * torch.sum(c**2) + 0.5 * torch.sum((w * z) ** 2)

    return loss


@pytest.mark.parametrize("weights", ["none", "scalar", "vector"])
def test_value_and_derivatives_agree_with_automatic_differentiation(
    make, closed_form, kind, weights, derivative_errors, record_property
):
    rng = np.random.default_rng([len(closed_form), len(weights)])
    A = rng.standard_normal((N, D)) * (rng.random((N, D)) < 0.7)
    b = rng.random(N)
    b /= b.sum()
    w = {"none": None, "scalar": 0.3, "vector": rng.random(N)}[weights]
    x, p = rng.standard_normal(D), rng.standard_normal(D)
    problem = make(closed_form, kind(A), b, w)

    full_w = np.zeros(N) if w is None else np.broadcast_to(w, N).copy()
    loss = definition(closed_form, *map(torch.from_numpy, (A, b, full_w)))
    errors = derivative_errors(problem, loss, x, p)
    record_property("worst", max(errors.values()))
    assert max(errors.values()) <= 1e-12, errors


def test_results_are_of_the_kind_of_A(make, problem_name, kind):
    problem = make(problem_name, kind(np.eye(4, 2) + 0.5), np.full(4, 0.25))
    x = problem.zeros()
    for array in (x, problem.gradient(x), problem.hessian(x), problem.hvp(x, x), problem.start()):
        assert isinstance(array, torch.Tensor) == kind.is_torch
        assert isinstance(array, np.ndarray) != kind.is_torch


def test_an_x_changed_in_place_is_evaluated_afresh():
    problem = SoftResidualRegression(np.eye(3), np.full(3, 1 / 3))
    x = np.array([0.5, -0.1, 0.2])
    before = problem.value(x)
    x[0] = 2.0
    assert problem.value(x) == problem.at(x.copy()).value != before


def test_one_point_costs_one_pass_a_product(make, problem_name, kind):
    problem = make(problem_name, kind(np.eye(4, 2) + 0.5), np.full(4, 0.25), 0.1)
    counter = problem.matrix.counter
    counter.passes = counter.grams = 0
    at_zero = problem.at(problem.zeros())
    assert counter.passes == 0  # A 0 is known
    point = problem.at(at_zero.x + 0.1)
    _ = point.value, point.gradient, point.value, point.gradient, point.inside
    assert (counter.passes, counter.grams) == (2, 0)
    point.hvp(problem.zeros())
    assert (counter.passes, counter.grams) == (4, 0)
    point.hessian()
    assert (counter.passes, counter.grams) == (6 if problem.coupled() else 4, 1)


# --- Against 50 digits -------------------------------------------------------------------------


@dataclass
class Tracked:
    """A number at 50 digits with the size of the terms it was summed from.

    Sums add sizes, so that size / |value| tells how much of a value has cancelled.
    """

    value: Any
    size: Any

    @staticmethod
    def of(number: float) -> Tracked:
        return Tracked(mp.mpf(float(number)), abs(mp.mpf(float(number))))

    def __add__(self, other: Tracked) -> Tracked:
        return Tracked(self.value + other.value, self.size + other.size)

    def __sub__(self, other: Tracked) -> Tracked:
        return Tracked(self.value - other.value, self.size + other.size)

    def __mul__(self, other: Tracked) -> Tracked:
        return Tracked(self.value * other.value, self.size * other.size)

    def times(self, factor: float) -> Tracked:
        return Tracked(self.value * factor, self.size * abs(factor))

    @property
    def cancelled(self) -> bool:
        return abs(self.value) < self.size / 1000

    def error(self, computed: float) -> float:
        """Return a computed double's relative error, against the terms where they cancel.

        Below the smallest normal double there are no relative errors: that much is forgiven.
        """
        difference = abs(mp.mpf(float(computed)) - self.value) - mp.mpf("1e-300")
        return max(
            0.0,
            float(
                difference / max(self.size if self.cancelled else abs(self.value), mp.mpf("1e-290"))
            ),
        )


def total(terms: list[Tracked]) -> Tracked:
    return Tracked(mp.fsum(t.value for t in terms), mp.fsum(t.size for t in terms))


def positive(*values: Any) -> list[Tracked]:
    return [Tracked(value, abs(value)) for value in values]


def exact_link(name: str, z: float) -> list[Tracked]:
    """Return u, u' and u'' at 50 digits."""
    if is_rescaled(name):
        return exact_link(unscaled(name), z)
    zt, z = Tracked.of(z), mp.mpf(float(z))
    e, one = positive(mp.exp(z), mp.mpf(1))
    if name in {"softres", "resnet-exp"}:
        return [e + zt, e + one, e]
    if name in {"softmax", "exp"}:
        return [e, e, e]
    if name in {"cosh", "sinh"}:
        both = positive(mp.cosh(z), mp.sinh(z))
        return [*both, both[0]] if name == "cosh" else [both[1], both[0], both[1]]
    if name == "resnet-tanh":
        g, dg, ddg = positive(mp.tanh(z), mp.sech(z) ** 2, -2 * mp.tanh(z) * mp.sech(z) ** 2)
    elif name == "resnet-softplus":
        sigmoid = 1 / (1 + mp.exp(-z))
        g, dg, ddg = positive(mp.log1p(mp.exp(z)), sigmoid, sigmoid / (1 + mp.exp(z)))
    elif name == "resnet-gelu":
        with mp.workdps(400):  # the distribution function of -600 is 1e-78177
            cdf = mp.ncdf(z)
        pdf = mp.npdf(z)
        g, cdf = positive(z * cdf, cdf)
        dg = cdf + Tracked(z * pdf, abs(z * pdf))
        ddg = Tracked(pdf * (2 - z * z), pdf * (2 + z * z))
    elif hasattr(ADDED.get(name), "exact"):
        u, slope, half = mp.taylor(ADDED[name].exact, z, 2)
        return positive(u, slope, 2 * half)
    else:
        pytest.skip(f"{name} brings no u of an mpmath number, exact")
    return [zt + g, one + dg, ddg]


def exact_point(name: str, z: Any, b: Any, w: Any) -> dict[str, Any]:
    """Return the value, the gradient in z, D, v and h at 50 digits, from theory's formulas."""
    n = len(z)
    links = [exact_link(name, value) for value in z]
    zs, w2 = (
        [Tracked.of(value) for value in z],
        [Tracked.of(value) * Tracked.of(value) for value in w],
    )
    bs = [Tracked.of(value) for value in b]
    if name in NORMALISED:
        alpha = total([u for u, _, _ in links])
        # alpha is a common factor: its own cancellation is bounded where the points are drawn.
        inverse = Tracked(1 / alpha.value, 1 / alpha.value)
        target, parts = bs, [[part * inverse for part in link] for link in links]
    else:
        alpha, parts = None, links
        target = [value.times(n) for value in bs]
    f, v, e = zip(*parts, strict=True)
    if is_rescaled(name):
        alpha = total(list(f))
        target = [alpha * bi for bi in bs]
    c = [fi - ti for fi, ti in zip(f, target, strict=True)]
    value = total([ci * ci for ci in c] + [w2i * zi * zi for w2i, zi in zip(w2, zs, strict=True)])
    exact = {"value": value.times(0.5), "v": v, "alpha": alpha}
    centred = c
    if name in NORMALISED:
        fc = total([fi * ci for fi, ci in zip(f, c, strict=True)])
        centred = [ci - fc for ci in c]
        s = total([fi * fi for fi in f]) + fc.times(2)
        exact["h"] = [
            vi * (bi - fi.times(2) + s.times(0.5)) for vi, bi, fi in zip(v, bs, f, strict=True)
        ]
    if is_rescaled(name):
        mean, half = (
            total([bi * other for bi, other in zip(bs, others, strict=True)]) for others in (c, bs)
        )
        centred = [ci - mean for ci in c]
        exact["h"] = [vi * (half.times(0.5) - bi) for vi, bi in zip(v, bs, strict=True)]
    rows = list(zip(v, centred, e, w2, zs, strict=True))
    exact["gradient_z"] = [vi * qi + w2i * zi for vi, qi, _, w2i, zi in rows]
    exact["D"] = [vi * vi + qi * ei + w2i for vi, qi, ei, w2i, _ in rows]
    return exact


def drawn_point(name: str, seed: int) -> np.ndarray:
    """Draw z with magnitudes from 1e-8 to the largest the problem's values allow, of both signs.

    Some entries are next to -0.567, where exp(z) + z vanishes. Plain problems that grow like
    exp(2 |z|) end at |z| = 354: exp(2 354.9) is the largest double.
    """
    rng = np.random.default_rng([seed, len(name)])
    grows = unscaled(name) if is_rescaled(name) else name
    largest = 354.0 if grows in EXPONENTIAL else 600.0
    top = largest if seed % 3 == 0 else 10.0 ** rng.uniform(-2, math.log10(largest))
    z = rng.choice([-1.0, 1.0], 12) * 10.0 ** rng.uniform(-8, math.log10(top), 12)
    near_zero = rng.integers(0, 12, 2)
    z[near_zero] = -0.567143290409784 + 10.0 ** rng.uniform(-8, -1, 2)
    z[0] = top  # in place of the largest positive z
    return z


@pytest.mark.parametrize("seed", range(12))
def test_value_and_curvature_agree_with_fifty_digits(make, closed_form, seed, record_property):
    rng = np.random.default_rng(seed)
    n, d = 12, 3
    z = drawn_point(closed_form, seed)
    b = rng.random(n) * 10.0 ** rng.uniform(-6, 0, n)
    b /= b.sum() * (1 + 1e-15)
    w = [np.zeros(n), np.full(n, 0.1), 10.0 ** rng.uniform(-6, 0, n)][seed % 3]
    A = rng.standard_normal((n, d))
    exact = exact_point(closed_form, z, b, w)
    if closed_form in NORMALISED and exact["alpha"].value < exact["alpha"].size / 10:
        z[0] += 6.0  # the drawn alpha is nearly cancelled, or negative: move away from the pole
        exact = exact_point(closed_form, z, b, w)
        assert exact["alpha"].value >= exact["alpha"].size / 10

    problem = make(closed_form, A, b, w)
    point = problem.at(np.zeros(d), z=z)  # z as it is: the product A x would round
    assert point.inside
    curvature = point.curvature
    pairs = {
        "value": [(exact["value"], point.value)],
        "gradient_z": zip(exact["gradient_z"], point.gradient_z, strict=True),
        "D": zip(exact["D"], curvature.diagonal, strict=True),
        "gradient": zip(
            [
                total([Tracked.of(a) * g for a, g in zip(column, exact["gradient_z"], strict=True)])
                for column in A.T
            ],
            point.gradient,
            strict=True,
        ),
    }
    if problem.coupled():
        pairs["v"] = zip(exact["v"], curvature.v, strict=True)
        pairs["h"] = zip(exact["h"], curvature.h, strict=True)
    if problem.normalised:
        pairs["log_alpha"] = [(Tracked(mp.log(exact["alpha"].value), mp.mpf(1)), point.log_alpha)]
    errors = {
        key: max(wanted.error(computed) for wanted, computed in values)
        for key, values in pairs.items()
    }
    record_property("worst", max(errors.values()))
    assert max(errors.values()) <= 1e-11, errors


def test_the_drawn_points_reach_what_they_are_meant_to_test():
    sizes, cancelled = [], 0
    for name in MODELS:
        for seed in range(12):
            z = drawn_point(name, seed)
            sizes += list(np.abs(z))
            exact = exact_point("resnet-exp", z, np.zeros(12), np.zeros(12))
            cancelled += sum(term.cancelled for term in exact["gradient_z"])
    assert min(sizes) < 1e-7
    assert max(sizes) == 600.0
    assert cancelled > 50


# --- Beyond the range of doubles ---------------------------------------------------------------


def line_problem(make, name: str, z: np.ndarray, w: Any = None):
    """Return a problem whose A x is z at x = 1."""
    return make(name, z[:, None], np.full(len(z), 1.0 / len(z)), w)


@pytest.mark.parametrize("name", NORMALISED)
@pytest.mark.parametrize("w", [None, 1e-3])
@pytest.mark.parametrize("top", [710.0, 1e3, 1e4])
def test_normalised_problems_stay_finite_past_the_range_of_exp(make, name, w, top):
    z = np.array([top, -top / 2, 1.0, -1.0, 0.0, top - 1.0])
    problem = line_problem(make, name, z, w)
    point = problem.at(np.ones(1))
    assert point.inside
    assert point.log_alpha == pytest.approx(top + math.log(1 + math.exp(-1)))
    curvature = point.curvature
    for part in (
        point.f,
        point.gradient_z,
        point.gradient,
        point.hessian(),
        point.hvp(np.ones(1)),
        curvature.diagonal,
        curvature.v,
        curvature.h,
    ):
        assert np.isfinite(part).all()
    # All the mass is on the two rows at the top.
    share = 1 / (1 + math.exp(-1))
    np.testing.assert_allclose(point.f, [share, 0, 0, 0, 0, 1 - share], atol=1e-15)
    assert math.isfinite(point.value)


@pytest.mark.parametrize("low", [-1.0, -10.0, -800.0, -1e4])
def test_softres_is_undefined_where_alpha_is_negative(make, low):
    problem = line_problem(make, "softres", np.full(5, low))
    point = problem.at(np.ones(1))
    assert not point.inside
    assert point.log_alpha == -math.inf


@pytest.mark.parametrize("low", [-10.0, -600.0, -800.0, -1e4])
def test_softmax_is_defined_at_every_finite_z(make, low):
    # Softmax does not change when one number is added to every z.
    problem = line_problem(make, "softmax", np.full(5, low))
    point = problem.at(np.ones(1))
    np.testing.assert_allclose(point.f, np.full(5, 0.2))
    assert point.inside


@pytest.mark.parametrize("name", EXPONENTIAL)
@pytest.mark.parametrize("top", [360.0, 800.0, 1e4])
def test_plain_problems_are_undefined_past_the_range_of_doubles(make, name, top):
    problem = line_problem(make, name, np.array([top, 1.0, -1.0]))
    assert not problem.at(np.ones(1)).inside
    assert problem.at(np.full(1, 350.0 / top)).inside


def test_a_loss_past_the_range_of_doubles_is_undefined_though_its_parts_are_not(make):
    # exp(2 * 354) is 3e307: each row's loss and curvature are doubles, the sum of 100 is not.
    assert line_problem(make, "exp", np.full(1, 354.0)).at(np.ones(1)).inside
    assert not line_problem(make, "exp", np.full(100, 354.0)).at(np.ones(1)).inside
    for name in NORMALISED:
        far = np.full(1, 1e70)
        assert not line_problem(make, name, np.array([1e90, 0.0]), 1.0).at(far).inside


@pytest.mark.parametrize("name", ["resnet-tanh", "resnet-softplus", "resnet-gelu"])
@pytest.mark.parametrize("top", [800.0, 1e4])
def test_bounded_branches_are_defined_everywhere(make, name, top):
    point = line_problem(make, name, np.array([top, -top, 1.0])).at(np.ones(1))
    assert point.inside
    assert np.isfinite(point.hessian()).all()


@pytest.mark.parametrize(
    ("name", "x0"), [("softres", -2.0), ("softres", -1e4), ("exp", 1e4), ("cosh", -1e3)]
)
def test_a_start_where_the_loss_is_undefined_is_an_error_of_one_line(make, name, x0):
    problem = line_problem(make, name, np.ones(4))
    with pytest.raises(InputError, match="start x0") as caught:
        solve(problem, x0=np.array([x0]))
    assert "\n" not in str(caught.value)


def test_newton_steps_below_beta_are_shortened():
    shortened = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        A, b = rng.standard_normal((40, 3)), rng.random(40)
        b /= b.sum()
        x0 = 1.5 * rng.standard_normal(3)
        free = solve(SoftResidualRegression(A, b, 0.05), "exact_newton", x0=x0, max_steps=1)
        before, after = (math.exp(row["log_alpha"]) for row in free.rows)
        if after > 0.9 * before:
            continue
        shortened += 1
        beta = 0.5 * (before + after)  # only beta stands against the step
        problem = SoftResidualRegression(A, b, 0.05, beta=beta)
        bound = solve(problem, "exact_newton", x0=x0, max_steps=20)
        assert all(row["log_alpha"] >= math.log(beta) for row in bound.rows)
        assert bound.rows[1]["loss"] < bound.rows[0]["loss"]
    assert shortened >= 5


def test_newton_steps_across_the_pole_are_rejected():
    crossing = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        A, b = rng.standard_normal((30, 3)), rng.random(30)
        A[:, 0] = 1.0  # moves every z at once, and alpha with them
        problem = SoftResidualRegression(A, b / b.sum(), 0.01)
        for x0 in rng.standard_normal((10, 3)) * [0.5, 0.7, 0.7]:
            point = problem.at(x0)
            H = point.hessian()
            if not point.inside or np.linalg.eigvalsh(H)[0] <= 0:
                continue
            full = problem.at(x0 - np.linalg.solve(H, point.gradient))
            if full.log_alpha > -math.inf:
                continue
            crossing += 1
            result = solve(problem, x0=x0, max_steps=30)
            assert result.rows[1]["step_length"] < 1.0
            assert result.status is not Status.DIVERGED
            assert result.rows[-1]["loss"] < result.rows[0]["loss"]
            assert all(row["log_alpha"] >= math.log(problem.beta) for row in result.rows)
    assert crossing >= 5


# --- Arguments ---------------------------------------------------------------------------------

EYE, B = np.eye(3, 2), np.full(3, 1 / 3)


UNUSABLE = {
    "b negative": (EYE, np.array([0.5, -0.1, 0.6])),
    "b too long": (EYE, np.full(4, 0.25)),
    "b NaN": (EYE, np.array([0.5, math.nan, 0.5])),
    "w too short": (EYE, B, np.ones(2)),
    "w infinite": (EYE, B, np.array([1.0, math.inf, 1.0])),
    "w scalar NaN": (EYE, B, math.nan),
    "w scalar infinite": (EYE, B, math.inf),
    "w: squares too large": (EYE, B, 1e160),
    "A NaN": (np.full((3, 2), math.nan), B),
    "A infinite": (np.array([[1.0, math.inf], [0, 1], [0, 1]]), B),
    "A infinite of both signs": (np.array([[math.inf, -math.inf], [0, 1], [0, 1]]), B),
    "A with one axis": (np.ones(3), B),
    "A tensor with one axis": (torch.ones(3), B),
    "A of words": (np.array([["a", "b"]] * 3), B),
    "A without columns": (np.ones((3, 0)), B),
    "A without rows": (np.ones((0, 3)), np.ones(0)),
    "A complex": (np.ones((3, 2)) * 1j, B),
    "A complex sparse": (sparse.csr_array(np.ones((3, 2)) * 1j), B),
    "A complex tensor": (torch.ones((3, 2), dtype=torch.complex128), B),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_arrays_are_errors_of_one_line_that_names_them(case):
    with pytest.raises(InputError, match=f"^{case[0]}[ =:]") as caught:
        SoftResidualRegression(*UNUSABLE[case])
    assert "\n" not in str(caught.value)


def test_there_may_be_fewer_rows_than_columns(problem_name, make_regularised, kind):
    A = np.random.default_rng(0).standard_normal((3, 5)) / 3
    problem = make_regularised(problem_name, kind(A), np.array([0.5, 0.3, 0.2]), 1.0)
    assert tuple(problem.zeros().shape) == (5,)
    assert solve(problem, eps=1e-6).status is Status.CONVERGED


def test_what_a_problem_hands_out_is_the_callers_own(make):
    problem = make("softmax", np.eye(4, 2), np.full(4, 0.25))
    x = np.array([0.3, -0.1])
    first = problem.gradient(x)
    kept = first.copy()
    first *= -1.0
    np.testing.assert_array_equal(problem.gradient(x), kept)


def test_two_threads_may_ask_one_problem(make):
    rng = np.random.default_rng(0)
    problem = make("softmax", rng.standard_normal((30, 3)), np.full(30, 1 / 30))
    points = rng.standard_normal((2, 3))
    expected = [problem.at(x).value for x in points]
    found: list[list[float]] = [[], []]

    def ask(which):
        for _ in range(2000):
            found[which].append(problem.value(points[which]))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=ask, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert [set(values) for values in found] == [{value} for value in expected]


@pytest.mark.parametrize("name", ["resnet-tanh", "sinh"])
def test_a_plain_problem_takes_a_target_of_both_signs(name, make):
    rng = np.random.default_rng(0)
    A, planted = rng.standard_normal((40, 3)), np.array([0.3, -0.2, 0.1])
    fitted = MODELS[name](torch.from_numpy(A @ planted)).numpy()
    assert fitted.min() < 0 < fitted.max()
    result = solve(make(name, A, fitted / 40, 0.0), eps=1e-12)
    np.testing.assert_allclose(result.x, planted, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_problem("ridge", EYE, B), ("ridge", "softres", "sinh")),
        (lambda: ResNetRegression(EYE, B, branch="relu"), ("branch", "relu", "gelu")),
        (lambda: HyperbolicRegression(EYE, B, function="tan"), ("function", "tan", "cosh")),
        (lambda: SoftResidualRegression(EYE, B, beta=0.0), ("beta", "0")),
        (lambda: SoftmaxRegression(EYE, B, beta=-1.0), ("beta", "-1")),
        (lambda: SoftmaxRegression(EYE, B).value(np.ones(3)), ("x", "(2,)", "(3,)")),
    ],
)
def test_unusable_options_are_errors_that_say_what_is_allowed(call, words):
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words)


def test_unknown_options_of_a_problem_are_input_errors():
    with pytest.raises(InputError, match="branch"):
        make_problem("softres", EYE, B, branch="exp")


# --- The start ---------------------------------------------------------------------------------


def test_solvers_start_at_zero_except_for_cosh(make, problem_name, plant):
    instance = plant(0)
    start = make(problem_name, instance.A, instance.b).start()
    assert (np.abs(start).max() > 0) == (problem_name == "cosh")


def test_the_start_of_cosh_is_not_stationary_and_moves_z_by_a_tenth(make, plant, kind):
    instance = plant(0)
    problem = make("cosh", kind(instance.A), instance.b)
    assert as_numpy(problem.gradient(problem.zeros())) == pytest.approx(0.0, abs=1e-12)
    point = problem.at(problem.start())
    assert np.abs(as_numpy(point.z)).max() == pytest.approx(0.1)
    assert np.linalg.norm(as_numpy(point.gradient)) > 1e-3
    assert point.value < problem.value(problem.zeros())


def test_the_gauss_newton_diagonal_is_the_square_of_the_models_slope(make, problem_name, plant):
    instance = plant(1, n=8, d=2)
    problem = make(problem_name, instance.A, instance.b)
    z = torch.from_numpy(instance.A @ instance.x)
    slope = torch.autograd.functional.jacobian(MODELS[problem_name], z).diagonal().numpy()
    if problem.normalised:  # F = (I - f 1^T) diag(v) / alpha
        slope = slope / (1.0 - MODELS[problem_name](z).numpy())
    found = problem.at(instance.x).gauss_newton_diagonal
    np.testing.assert_allclose(found, slope**2, rtol=1e-12)
