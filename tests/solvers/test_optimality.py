"""Whether a point is a minimiser: stationary and definite, a saddle, or not near enough."""

from __future__ import annotations

import numpy as np
import pytest

from softres import (
    HyperbolicRegression,
    ResNetRegression,
    SoftmaxRegression,
    SoftResidualRegression,
    solve,
)
from softres.certification.minimiser import find_minimiser
from softres.linalg.factors import cholesky
from softres.solvers.optimality import Projected, escape, examine, is_noise, units_of_rounding
from softres.solvers.optimality.comparison import exceeds, semidefinite
from softres.solvers.optimality.dense import examine_dense
from softres.solvers.optimality.iterative import examine_by_products

pytestmark = pytest.mark.usefixtures("one_thread")

#: Mirror images in the second column: its zero is a saddle of the first column's minimum.
MIRROR = ([[3.0, -1], [1, -2], [3, 1], [1, 2]], [0, 0.5, 0, 0.5])
#: The same; at the saddle the Hessian has the eigenvalue -1.83.
FLAT = ([[2.0, -2], [3, 0], [2, 2], [3, 0]], [0.5, 0, 0.5, 0])


def factor_at(problem, x):
    scale = problem.matrix.column_scale
    return Projected(cholesky(problem.hessian(x), scale), None, scale)


@pytest.fixture
def wide_minimum(plant, make_regularised):
    """An instance with many columns and its minimiser."""
    instance = plant(3, n=600, d=80)
    problem = make_regularised("softres", instance.A, instance.b, 1e-2)
    return problem, solve(problem, eps=1e-14).x


# --- Of the exact Hessian ------------------------------------------------------------------------


def test_the_error_is_newtons_decrement(plant, make_regularised, problem_name):
    instance = plant(0)
    problem = make_regularised(problem_name, instance.A, instance.b, 1e-1)
    x = solve(problem, "exact_newton").x + 1e-4
    H, g = problem.hessian(x), problem.gradient(x)
    found = examine_dense(problem.at(x))
    assert found.downhill is None
    assert found.error == pytest.approx(np.sqrt(g @ np.linalg.solve(H, g)), rel=1e-8)
    np.testing.assert_allclose(found.step, -np.linalg.solve(H, g), rtol=1e-6)


def test_a_saddle_has_a_way_down_and_the_loss_falls_along_it():
    A, b = np.array(FLAT[0]), FLAT[1]
    first = solve(HyperbolicRegression(A[:, :1], b), eps=1e-14).x[0]
    problem = HyperbolicRegression(A, b)
    point = problem.at(np.array([first, 0.0]))
    found = examine(point, problem.at(np.zeros(2)), 1e-4)
    assert not found.minimiser
    assert found.downhill @ point.hessian() @ found.downhill < 0
    assert escape(point, found.downhill).value < point.value


def test_it_does_not_matter_how_the_columns_are_scaled(plant, make_regularised):
    instance = plant(2)
    problem = make_regularised("softmax", instance.A, instance.b, 1e-2)
    x = solve(problem).x + 1e-5
    expected = examine_dense(problem.at(x)).error
    scale = np.logspace(-9, 9, problem.d)
    scaled = SoftmaxRegression(instance.A * scale, instance.b, problem.w)
    assert examine_dense(scaled.at(x / scale)).error == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("singular", [1e-3, 1e-5, 1e-7])
def test_curvature_that_a_gram_matrix_loses_is_found_in_the_products(singular):
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.standard_normal((k, 5)))[0] for k in (40, 5))
    sizes, b = np.r_[np.ones(4), singular], rng.dirichlet(np.ones(40))
    problem = SoftmaxRegression((U * sizes) @ V.T, b, 0.1)
    # The minimiser, by way of an A of condition one, and a step along the short direction.
    y = solve(SoftmaxRegression(U, b, 0.1), "exact_newton", eps=1e-14).x + 1e-3 * np.eye(5)[4]
    x = V @ (y / sizes)
    point = problem.at(x)
    expected = 1e-3 * np.sqrt(point.curvature.quadratic(U[:, 4]))
    assert examine_dense(point).error == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize("columns", ["zero", "equal", "wide"])
def test_a_null_space_of_a_hides_no_minimiser(columns):
    rng = np.random.default_rng(1)
    A = rng.standard_normal((20, 30 if columns == "wide" else 4))
    if columns == "zero":
        A[:, 2] = 0.0
    if columns == "equal":
        A[:, 3] = A[:, 1]
    problem = SoftmaxRegression(A, rng.dirichlet(np.ones(20)), 0.01)
    x = solve(problem, "exact_newton", eps=1e-13).x
    found = examine(problem.at(x), problem.at(np.zeros(A.shape[1])), 1e-8)
    assert found.minimiser
    assert not examine(problem.at(x + 0.01), problem.at(0 * x), 1e-8).minimiser


def test_a_slope_without_curvature_is_no_minimum():
    # exp(z) with z far below zero: the target of the second row is out of sight, not reached.
    problem = HyperbolicRegression(np.diag([1.0, 1.0]), [0.5, 0.0])
    point = problem.at(np.array([0.0, -50.0]))
    assert not examine(point, problem.at(np.zeros(2)), 1e-10).minimiser


# --- By products with it -------------------------------------------------------------------------


def test_products_tell_what_the_hessian_tells(wide_minimum):
    problem, x = wide_minimum
    for shift in (0.0, 1e-6, 1e-3):
        point = problem.at(x + shift)
        exact, told = examine_dense(point), examine_by_products(point, factor_at(problem, x))
        assert told.downhill is None
        assert told.error == pytest.approx(exact.error, rel=0.2, abs=1e-15)


def test_near_the_hessian_it_takes_no_more_than_two_products(wide_minimum):
    problem, x = wide_minimum
    point, metric = problem.at(x + 1e-6), factor_at(problem, x)
    _ = point.gradient
    before = problem.matrix.counter.passes
    assert examine_by_products(point, metric) is not None
    assert problem.matrix.counter.passes - before <= 4
    assert problem.matrix.counter.grams <= problem.matrix.counter.grams


@pytest.mark.parametrize("seed", range(20))
def test_a_direction_of_negative_curvature_is_found_among_many(seed):
    # cosh is even: 0 is a saddle where targets are large in one direction, here of a hundred.
    rng = np.random.default_rng(seed)
    A = np.linalg.qr(rng.standard_normal((300, 100)))[0]
    b = np.full(300, 1 / 300.0) * (1.0 - 1e-3)
    b += 40.0 * A[:, 7] ** 2
    problem = HyperbolicRegression(A, b, 1.0, function="cosh")
    point = problem.at(np.zeros(100))
    values = np.linalg.eigvalsh(point.hessian())
    assert values[0] < 0
    assert not semidefinite(point.curvature)
    metric = Projected(cholesky(point.gauss_newton.hessian(problem.matrix)), None, np.ones(100))
    downhill = examine_by_products(point, metric).downhill
    assert downhill @ point.hessian() @ downhill < 0


def test_a_curvature_that_is_semidefinite_in_z_is_so_in_x():
    rng = np.random.default_rng(0)
    seen = {True: 0, False: 0}
    for _ in range(200):
        A, b = rng.standard_normal((30, 3)), rng.dirichlet(np.ones(30))
        problem = SoftResidualRegression(A, b, 10.0 ** rng.uniform(-3, 0))
        point = problem.at(0.3 * rng.standard_normal(3))
        if not point.inside:
            continue
        told = semidefinite(point.curvature)
        seen[told] += 1
        D, v, h = point.curvature.diagonal, point.curvature.v, point.curvature.h
        least = np.linalg.eigvalsh(np.diag(D) + np.outer(v, h) + np.outer(h, v))[0]
        assert least > 0 if told else least < 1e-5 * np.abs(D).max()
    assert min(seen.values()) >= 20


# --- Rounding ------------------------------------------------------------------------------------


def test_a_gradient_at_the_minimiser_is_rounding_and_one_nearby_is_not(
    plant, make_regularised, problem_name
):
    instance = plant(0)
    problem = make_regularised(problem_name, instance.A, instance.b, 1e-2)
    x = solve(problem, "exact_newton", eps=1e-15).x
    assert is_noise(problem.at(x))
    assert units_of_rounding(problem.at(x + 1e-6)) > 1e4


# --- What solvers say ----------------------------------------------------------------------------

SOLVERS = ("preconditioned_newton", "exact_newton", "gradient_descent", "scipy_lbfgs")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("instance", "least"), [(MIRROR, 1.6677523750412), (FLAT, 50 / 27)])
def test_solvers_leave_saddles(solver, instance, least):
    problem = HyperbolicRegression(*instance)
    result = solve(problem, solver, eps=1e-6, max_steps=500)
    assert result.status.name == "CONVERGED"
    assert problem.value(result.x) == pytest.approx(least, rel=1e-9)
    assert np.linalg.eigvalsh(problem.hessian(result.x))[0] > 0


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "approx_newton"])
def test_columns_of_very_different_size_are_all_fitted(solver):
    rng = np.random.default_rng(3)
    A = rng.standard_normal((5, 5)) * np.logspace(0, -10, 5)
    problem = SoftmaxRegression(A, rng.dirichlet(np.ones(5)))
    result = solve(problem, solver)
    assert result.status.name == "CONVERGED"
    assert problem.value(result.x) <= 1e-20


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton"])
@pytest.mark.parametrize("scale", [1e-14, 1e-10, 1e-7, 1.0, 1e7])
def test_the_scale_of_a_does_not_matter(solver, scale):
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((3, 5)), rng.dirichlet(np.ones(3))
    # The weights scale with 1 / A's; x does too.
    fitted = solve(SoftmaxRegression(scale * A, b, 1e-2), solver)
    assert fitted.status.name == "CONVERGED"
    assert fitted.rows[-1]["loss"] == pytest.approx(1.20466e-4, rel=1e-4)


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "gradient_descent"])
def test_a_column_of_zeros_beside_large_ones_is_left_alone(solver):
    rng = np.random.default_rng(0)
    A = 1e7 * rng.standard_normal((200, 6))
    A[:, 2] = 0.0
    problem = SoftmaxRegression(A, rng.dirichlet(np.ones(200)))
    result = solve(problem, solver, eps=1e-6, max_steps=500)
    assert result.status.name == "CONVERGED"
    assert result.rows[-1]["loss"] == pytest.approx(0.00288093928, rel=1e-6)


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "scipy_trust_ncg"])
def test_a_minimum_far_beyond_every_full_step_is_not_announced_early(solver):
    problem = HyperbolicRegression([[0.001], [3.0]], [0, 0], [0.1, 0])
    result = solve(problem, solver, eps=1e-4)
    assert result.status.name == "CONVERGED"
    assert result.x[0] == pytest.approx(-1964.87, rel=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_start_at_the_minimiser_has_converged_after_no_step(solver, plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 1e-2)
    x = solve(problem, "exact_newton", eps=1e-15).x
    result = solve(problem, solver, x0=x)
    assert (result.status.name, result.steps) == ("CONVERGED", 0)
    without = SoftResidualRegression(instance.A, 0.0 * instance.b)
    assert (solve(without, solver).status.name, solve(without, solver).steps) == ("CONVERGED", 0)


def test_a_loss_that_falls_towards_the_boundary_ends_there():
    rng = np.random.default_rng(0)
    ended = []
    for _ in range(20):
        A = np.column_stack([np.ones(12), 0.1 * rng.standard_normal((12, 2))])
        problem = SoftResidualRegression(A, rng.dirichlet(np.ones(12)))
        result = solve(problem, "exact_newton")
        ended.append(result.status.name)
        if result.status.name == "CONVERGED":
            assert problem.at(result.x).log_alpha > problem.log_beta + 0.1
    assert ended.count("BOUNDARY") >= 5


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton"])
def test_each_of_many_targets_leaves_its_saddle(solver):
    from softres import ManyTargets

    A, b = np.array(FLAT[0]), np.array(FLAT[1])
    result = solve(ManyTargets(A, np.stack([b, b], axis=1), problem="exp"), solver)
    assert result.success
    for x in result.X.T:
        assert HyperbolicRegression(A, b).value(x) == pytest.approx(50 / 27, rel=1e-9)


# --- By comparison -------------------------------------------------------------------------------


def test_a_curvature_exceeds_a_share_of_another_only_if_its_eigenvalues_do():
    rng = np.random.default_rng(1)
    seen = {True: 0, False: 0}
    for _ in range(300):
        A, b = rng.standard_normal((25, 3)), rng.dirichlet(np.ones(25))
        problem = SoftResidualRegression(A, b, 10.0 ** rng.uniform(-2, 0))
        x = 0.2 * rng.standard_normal(3)
        near, far = problem.at(x), problem.at(x + 10.0 ** rng.uniform(-4, 0))
        if not (near.inside and far.inside):
            continue
        told = exceeds(far.curvature, near.curvature, 0.5)
        seen[told] += 1
        full = [
            np.diag(c.diagonal) + np.outer(c.v, c.h) + np.outer(c.h, c.v)
            for c in (far.curvature, near.curvature)
        ]
        least = np.linalg.eigvalsh(full[0] - 0.5 * full[1])[0]
        assert least > 0 if told else least < 1e-5 * np.abs(full[0]).max()
    assert min(seen.values()) >= 20


@pytest.mark.parametrize("solver", ["exact_newton", "preconditioned_newton"])
def test_where_the_factor_is_of_a_hessian_nearby_no_pass_is_needed(solver, plant, make_regularised):
    instance = plant(3, n=600, d=80)
    problem = make_regularised("softres", instance.A, instance.b, 1.0)
    result = solve(problem, solver)
    assert result.status.name == "CONVERGED"
    assert problem.matrix.counter.passes == result.rows[-1]["passes"]
    assert problem.matrix.counter.grams == result.rows[-1]["grams"]


# --- Minima that are none, and floors of arithmetic ----------------------------------------------


def test_a_minimum_at_infinity_is_neither_reached_nor_certified():
    # Every row but one wants exp(z) = 0: the loss falls for ever, its derivatives soon to rounding.
    rng = np.random.default_rng(0)
    A = rng.integers(-3, 4, (11, 8)).astype(float)
    problem = HyperbolicRegression(A, np.eye(11)[3])
    for solver in ("exact_newton", "preconditioned_newton"):
        assert solve(problem, solver).status.name != "CONVERGED"
    x, certificate = find_minimiser(problem, problem.start())
    assert not certificate.certified
    assert solve(problem, x0=x, max_steps=1) is not None  # it may be a start all the same


def test_a_gradient_that_vanishes_by_underflow_is_no_minimum():
    problem = HyperbolicRegression(np.ones((8, 1)), np.zeros(8))
    x0 = np.array([-400.0])  # exp(z) is 1e-174, its square no double
    assert not np.any(problem.gradient(x0))
    assert solve(problem, x0=x0).status.name == "STALLED"


def test_a_common_shift_of_z_is_no_direction_of_softmax():
    rng = np.random.default_rng(0)
    A = np.column_stack([np.ones(40), rng.standard_normal((40, 3))])
    result = solve(SoftmaxRegression(A, rng.dirichlet(np.ones(40))))
    assert result.status.name == "CONVERGED"


@pytest.mark.parametrize("solver", ["exact_newton", "preconditioned_newton", "scipy_lbfgs"])
def test_single_precision_is_judged_in_double(solver):
    """From far out a z that is carried along keeps the rounding of its start; x does not."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((24, 2)).astype(np.float32)
    b = rng.dirichlet(np.ones(24)).astype(np.float32)
    problem = ResNetRegression(A, b, np.float32(3.0), branch="softplus")
    exact = ResNetRegression(A.astype(float), b.astype(float), 3.0, branch="softplus")
    star = solve(exact, "exact_newton", eps=1e-14).x
    x0 = np.array([30.0, -40.0], dtype=np.float32)
    result = solve(problem, solver, x0=x0, eps=1e-8)
    if result.status.name == "CONVERGED":
        assert np.linalg.norm(result.x - star) <= 3e-8 * 50 + 1e-6 * np.linalg.norm(star)
    else:
        assert result.status.name == "STALLED"


def test_rounding_along_one_direction_excuses_no_slope_along_another():
    # f has two degrees of freedom and x three: minimisers lie on a curve. A little off it H has an
    # eigenvalue of 1e-7 along the curve, and the rounding there is all that H^-1 lets one see.
    A = np.array(
        [
            [-0.07286516, -1.1730642, 0.49834293],
            [0.007010677, -0.912388, -0.13259071],
            [-1.0719281, 0.706573, 0.5633170],
        ],
        dtype=np.float32,
    )
    b = np.array([0.085560844, 0.28986886, 0.15559609], dtype=np.float32)
    problem = SoftResidualRegression(A, b)
    x = np.array([0.0610117, 0.08649212, -0.31822535], dtype=np.float32)
    x0 = np.zeros(3, dtype=np.float32)
    assert units_of_rounding(problem.at(x)) > 15.0
    found = examine(problem.at(x), problem.at(x0), 1e-10)
    assert not found.minimiser
    end = (x + found.step).astype(np.float32)
    assert examine(problem.at(end), problem.at(x0), 1e-10).minimiser


def test_slopes_are_measured_against_their_own_rounding():
    # Row 2 has lost all mass to the others, which its target wants back: a slope of 1e-16 beside
    # terms of 1e-32, in a plane with the common shift of the others, whose rounding is 1e-16.
    A = np.zeros((5, 4))
    A[0, 3], A[2, 0], A[2, 2], A[3, 1], A[4, 2] = -0.67, 0.26, 0.74, 1.2, -0.57
    b = np.array([0.06, 0.034, 0.394, 0.4957, 0.0156])
    problem = SoftResidualRegression(A, b / b.sum())
    shares = np.log(problem.b[[0, 3, 4]])
    z = 34.0 + shares - shares.mean()
    x = np.array([0.0, z[1] / 1.2, z[2] / -0.57, z[0] / -0.67])
    x[0] = (-36.0 - 0.74 * x[2]) / 0.26
    # Stationary but for that row.
    free = SoftResidualRegression(A[:, 1:], problem.b)
    assert not examine(problem.at(x), problem.at(np.zeros(4)), 1e-4).minimiser
    assert free.at(x[1:]).inside


def test_the_softmax_of_one_row_has_its_minimum_where_the_weights_have_theirs():
    """The softmax of one row is 1 wherever x is, and the weights' minimum is x = 0."""
    for A, w, start in (
        (0.46949160305676757, 5.95460867349845e-08, -4.287146380469245),
        (0.8618696111222335, 6.416689281135409e-08, -2.439377189279205),
    ):
        problem = SoftmaxRegression(np.array([[A]]), np.array([0.5]), np.array([w]))
        x0 = np.array([start])
        for solver in ("preconditioned_newton", "exact_newton"):
            result = solve(problem, solver=solver, x0=x0, eps=1e-8)
            assert result.status.name == "CONVERGED"
            assert abs(result.x[0]) <= 1e-7 * abs(start)


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "approx_newton"])
def test_an_error_whose_square_underflows_is_not_none(solver):
    """On the way to a minimum at infinity: the gradient is 5e-324, as is the curvature."""
    A = [[1.2236221168818169, 0.5008304834548247], [0.6137346495788413, 0.04516906447790549]]
    problem = HyperbolicRegression(A, [0.0, 0.0])
    x = [-672.3556785087537, 899.8852376317402]
    found = examine_dense(problem.at(np.array(x)))
    assert 0 < found.error < 1e-160
    assert solve(problem, solver, x, eps=1e-8).status.name != "CONVERGED"


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton"])
def test_a_shift_that_only_weights_see_is_no_rounding(solver):
    """Weights of 1e-7 make the entries of z sum to 0, where A can shift them all by a long x."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        left, _ = np.linalg.qr(rng.standard_normal((7, 7)))
        right, _ = np.linalg.qr(rng.standard_normal((8, 7)))
        A = left * np.logspace(0, -5, 7) @ right.T
        b = rng.dirichlet(np.full(7, 5.0))
        problem = SoftmaxRegression(A, b, np.full(7, 1e-7))
        x0 = 1e3 * rng.standard_normal(8)
        result = solve(problem, solver=solver, x0=x0, eps=1e-11)
        if result.status.name == "CONVERGED":
            H = problem.hessian(result.x)
            travelled = float(np.sqrt((result.x - x0) @ H @ (result.x - x0)))
            shift = 1e-7 * 7**0.5 * abs(float(np.mean(A @ result.x)))
            assert shift <= 3 * 1e-11 * travelled, seed
