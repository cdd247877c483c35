"""What solvers say of their ends is true; and the judge of it, in scripts/stress, can tell."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import softres
from softres.certification.minimiser import find_minimiser
from softres.problems import make_problem

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts" / "stress"))

from attempts import attempts
from extended import ARITHMETICS
from frames import Frame, Loss
from instances import FROM_RESCALED, PROBLEMS, RESCALED, draw
from points import Point
from posing import options_of
from statuses import Tally
from verify import verify

CASES, BATCH = 200, 25


def _loss(problem, A, b, w=0.0, branch="") -> Loss:
    n = len(A)
    branch = branch or getattr(problem.link, "branch", "")
    weights = np.full(n, float(w)) if np.isscalar(w) else w
    return Loss(problem.name, branch, np.asarray(A, float), np.asarray(b, float), weights,
                problem.beta, 2.0**-52)  # fmt: skip


def _instance(name="softmax", n=12, d=3, w=0.1, seed=0):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((n, d)), rng.dirichlet(np.ones(n))
    problem, _, branch = name.partition(":")
    rescaled = problem == "rescaled"
    problem = make_problem(problem, A, b, w, **options_of(problem, branch))
    return problem, _loss(problem, A, b, w, branch if rescaled else "")


@pytest.mark.parametrize(
    "first", [*range(0, CASES, BATCH), pytest.param(FROM_RESCALED, id="rescaled")]
)
def test_every_status_is_true(first):
    tally = Tally()
    for number in range(first, first + BATCH):
        tally.add(attempts(number))
    assert {kind: [one.number for one in ones] for kind, ones in tally.kinds().items()} == {}


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=("long", "many"))
@pytest.mark.parametrize("name", PROBLEMS + RESCALED)
def test_the_judge_and_softres_agree_on_gradient_and_hessian(name, arithmetic):
    problem, loss = _instance(name, w=0.3)
    x = np.array([0.3, -0.4, 0.2])
    with arithmetic.active():
        frame = Frame(loss, arithmetic)
        point = Point(frame, frame.product(x))
        scaled = frame.A * frame.norms
        gradient, H = scaled.T @ point.gradient, point.form(scaled)
    np.testing.assert_allclose(gradient.astype(float), problem.gradient(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(H.astype(float), problem.hessian(x), rtol=1e-11, atol=1e-14)


def test_a_model_that_falls_by_less_than_any_double_raises_nothing():
    ended = attempts(57000144)  # exp, b = 0, float32, from a start where the loss underflows
    assert ended
    assert not [one.fault for one in ended if one.fault]


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_minimiser_is_accepted_and_one_that_is_off_by_more_than_eps_is_not(name):
    problem, loss = _instance(name)
    start = problem.start()
    x, certificate = find_minimiser(problem, start)
    assert certificate.certified
    assert verify(loss, start, x, 1e-10).fault == ""
    off = x + 1e-6 * (x - start)
    assert verify(loss, start, off, 1e-4).fault == ""
    verdict = verify(loss, start, off, 1e-8)
    assert verdict.fault == "not close"
    assert verdict.error == pytest.approx(1e-6 * verdict.distance, rel=1e-3)


def test_a_start_at_the_minimiser_has_only_its_own_rounding_to_answer_for():
    problem, loss = _instance()
    x, _ = find_minimiser(problem, problem.start())
    assert verify(loss, x, x, 1e-10).fault == ""
    assert verify(loss, x, x * (1 + 1e-9), 1e-10).fault == "not close"


@pytest.mark.parametrize("w", [1e-5, 1e-7, 1e-9])
def test_a_shift_that_only_weights_see_is_judged_in_their_own_size(w):
    """Beside the rounding of the data's slopes, w^2 z is none: they cancel along the shift."""
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((8, 3)), rng.dirichlet(np.ones(8))
    A[:, 0] = 1.0
    problem = make_problem("softmax", A, b, w)
    x = softres.solve(problem, eps=1e-14).x
    x[0] = -np.mean(A[:, 1:] @ x[1:])  # where the entries of z sum to 0, on the minimiser's line
    far = x + np.array([10.0, 0.0, 0.0])
    loss = _loss(problem, A, b, w)
    assert verify(loss, far, x, 1e-4).fault == ""
    verdict = verify(loss, far, x + 0.1 * (far - x), 1e-4)
    assert verdict.fault == "not close"
    assert verdict.error == pytest.approx(0.1 * verdict.distance, rel=1e-3)


def test_a_shift_that_nothing_sees_is_none():
    """Without weights the loss is constant along a common shift, and no rounding makes it less."""
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((8, 3)), rng.dirichlet(np.ones(8))
    A[:, 0] = 1.0
    problem = make_problem("softmax", A, b)
    start = np.array([5.0, 0.0, 0.0])
    x = softres.solve(problem, x0=start).x
    for shift in (0.0, 7.0):
        verdict = verify(_loss(problem, A, b), start, x + np.array([shift, 0.0, 0.0]), 1e-10)
        assert verdict.fault == ""
    x[1] += 1e-6
    assert verify(_loss(problem, A, b), start, x, 1e-10).fault == "not close"


def test_a_start_is_the_minimiser_where_no_computed_gradient_could_tell():
    """Up to sums over the data that come to nothing, and no further than that."""
    ended = attempts(133000510)  # softmax with a constant column and little weight, from x*
    assert {one.status for one in ended} == {"converged"}
    assert not [one.fault for one in ended if one.fault]


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton"])
@pytest.mark.parametrize(("start", "status"), [(0.0, "CONVERGED"), (1.0, "STALLED")])
def test_rounding_of_slopes_that_cancel_is_no_slope_along_a_shift(solver, start, status):
    """With w = 1e-8 it makes a computed gradient vanish at x = 1e-3, where the minimiser is 0."""
    A, w = np.full((60, 1), -1.0), 1.0839694138392706e-08
    problem = make_problem("softmax", A, np.zeros(60), w)
    result = softres.solve(problem, solver, x0=np.array([start]), eps=1e-8)
    assert result.status.name == status
    assert (abs(float(result.x[0])) <= 1e-8) == result.status.success


def test_a_z_whose_rounding_hides_every_link_is_no_minimiser():
    """On the way to a minimiser at infinity z is 2.6e6: in float32 known to about 0.3."""
    ended = {one.solver: one for one in attempts(136000431)}
    assert ended["approx_newton"].status == "stalled"


def test_a_saddle_is_no_minimiser_though_its_gradient_vanishes():
    A, b = np.array([[2.0, -2], [3, 0], [2, 2], [3, 0]]), np.array([0.5, 0, 0.5, 0])
    problem = softres.HyperbolicRegression(A, b)
    x, z = np.zeros(2), 0.0
    for _ in range(60):  # on the mirror x[1] = 0, where Newton's method in one variable ends
        u = np.exp(A[:, 0] * z)
        c, a = u - 4 * b, A[:, 0]
        z -= (a * u) @ c / ((a * u) @ (a * u) + (a * a * u) @ c)
    x[0] = z
    assert np.abs(problem.gradient(x)).max() < 1e-13
    verdict = verify(_loss(problem, A, b), np.zeros(2), x, 1e-4)
    assert verdict.fault == "a saddle"
    assert verdict.curvature < -0.01


def test_a_point_on_the_wall_is_no_minimiser():
    rng = np.random.default_rng(0)
    A = np.column_stack([np.ones(6), rng.standard_normal(6)])
    b = np.eye(6)[0]
    problem = softres.SoftResidualRegression(A, b)
    low, high = -0.6, 0.0  # of the constant; alpha = beta lies between
    for _ in range(200):
        middle = 0.5 * (low + high)
        inside = problem.at(np.array([middle, 0.0])).inside
        low, high = (low, middle) if inside else (middle, high)
    verdict = verify(_loss(problem, A, b), np.zeros(2), np.array([high, 0.0]), 1e-4)
    assert verdict.fault == "on the wall"


@pytest.mark.parametrize("z", [-5.0, -20.0, -40.0, -300.0])
def test_a_minimiser_at_infinity_is_never_reached(z):
    problem = softres.HyperbolicRegression([[1.0]], [0.0])
    assert verify(_loss(problem, [[1.0]], [0.0]), [0.0], [z], 1e-4).fault == "no minimiser near"


@pytest.mark.parametrize("gap", [5.0, 15.0, 30.0])
def test_softmax_never_reaches_a_target_that_is_one_hot(gap):
    A, b = np.array([[1.0], [-1.0]]), np.array([1.0, 0.0])
    loss = _loss(softres.SoftmaxRegression(A, b), A, b)
    assert verify(loss, [0.0], [gap / 2], 1e-4).fault == "no minimiser near"


@pytest.mark.parametrize("w", [0.0, 1e-8])
@pytest.mark.parametrize("target", [1.0 - 2.0**-52, 1.0, 1.0 + 2.0**-51])
def test_a_minimum_of_fourth_order_is_as_sharp_as_the_rounding_of_b(target, w):
    # cosh(z) = target: x* = 0, or off by 3e-8 for a b that is a unit of rounding larger, and
    # Newton's method converges linearly. All curvature is rounding; an error of 1e-6 is not.
    A = np.array([[1.0, 0.3], [-0.4, 1.0], [0.7, -0.9]])
    b = np.full(3, target / 3)
    loss = _loss(softres.HyperbolicRegression(A, b, w, function="cosh"), A, b, w)
    start, direction = np.array([2.0, -1.0]), np.array([0.6, 0.8])
    for near in (0.0, 1e-10, 1e-9, 1e-8):
        assert verify(loss, start, near * direction, 1e-10).fault == ""
    for off in (1e-6, 1e-4, 1e-2):
        assert verify(loss, start, off * direction, 1e-10).fault != ""


def test_the_top_between_two_minima_is_none_however_near_they_are():
    # cosh(z) = 1 + 1e-6 at z = 0, between the minima at -0.0014 and 0.0014.
    A, b = np.array([[1.0], [-2.0]]), np.full(2, 0.5 * (1 + 1e-6))
    loss = _loss(softres.HyperbolicRegression(A, b, function="cosh"), A, b)
    assert verify(loss, [1.0], [0.0], 1e-4).fault == "a saddle"


@pytest.mark.parametrize("b", [1e-30, 1e-200])
def test_a_point_on_the_way_to_a_minimiser_far_off_is_none(b):
    # exp(z) = b: z is still on the way where exp(z) - b is far below the rounding of one.
    loss = _loss(softres.HyperbolicRegression([[1.0]], [b]), [[1.0]], [b])
    end = np.log(b)
    assert verify(loss, [0.0], [end], 1e-8).fault == ""
    for share in (0.3, 0.6, 0.9):
        assert verify(loss, [0.0], [share * end], 1e-8).fault == "no minimiser near"


def test_where_the_loss_is_constant_every_point_is_a_minimiser():
    A, b = np.full((5, 1), 3.0), np.full(5, 0.2)
    loss = _loss(softres.SoftmaxRegression(A, b), A, b)
    assert verify(loss, [0.0], [0.7], 1e-10).fault == ""


def test_the_verdict_does_not_depend_on_the_size_of_columns():
    problem, loss = _instance(w=0.0)
    x, _ = find_minimiser(problem, np.zeros(3))
    scale = 10.0 ** np.array([-120.0, 0.0, 130.0])
    scaled = Loss(loss.name, "", loss.A * scale, loss.b, loss.w, loss.beta, loss.unit)
    assert verify(scaled, np.zeros(3), x / scale, 1e-10).fault == ""
    off = x * (1 + np.array([1e-4, 0.0, 0.0]))
    assert verify(scaled, np.zeros(3), off / scale, 1e-8).fault == "not close"


def test_a_case_is_one_number():
    first, again = draw(12345), draw(12345)
    assert str(first) == str(again)
    np.testing.assert_array_equal(first.A, again.A)
    assert attempts(12345, frozenset({"exact_newton"}))
    assert not attempts(12345, frozenset({"no such word"}))
