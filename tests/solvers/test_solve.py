"""``solve``: how runs end, what the trace holds, what each clock counts, what is refused."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

import softres.solvers.clock
from softres import InputError
from softres.matrices.backends import BackendOptions, as_numpy
from softres.problems import SoftmaxRegression, SoftResidualRegression
from softres.problems.evaluation import Evaluation
from softres.problems.reference import Certificate, Reference
from softres.solvers import SOLVERS, Solver, State, Status, make_solver, solve
from softres.solvers.approximate import approx_newton

pytestmark = pytest.mark.usefixtures("one_thread")

UNKNOWN = Certificate(0.0, 0.0, 1.0, 1.0, 1, 0, 0.0, True, True)


@pytest.fixture
def problem(plant, make_regularised):
    instance = plant(0)
    return make_regularised("softres", instance.A, instance.b, 0.1)


@pytest.fixture
def reference(problem, minimiser):
    return Reference(problem, minimiser(problem), UNKNOWN)


@dataclass(frozen=True)
class Scripted(Solver):
    """A solver whose iterates are written down beforehand."""

    name: ClassVar[str] = "scripted"
    script: tuple[float, ...] = ()
    status: Status | None = None

    def init(self, tools):
        return State(tools.start, memory=0)

    def step(self, state, tools):
        if state.memory >= len(self.script):
            return State(state.point, status=self.status, memory=state.memory)
        x = np.full(tools.start.problem.d, self.script[state.memory])
        return State(tools.start.problem.at(x), memory=state.memory + 1)


# --- How a run ends ----------------------------------------------------------------------------


def test_a_run_converges(problem, minimiser, relative_error):
    result = solve(problem, eps=1e-10)
    assert result.status is Status.CONVERGED
    assert result.status.success
    assert result.rows[-1]["estimate"] <= 1e-10
    assert relative_error(result.x, minimiser(problem)) <= 1e-9


def test_with_a_reference_the_true_error_decides(problem, reference):
    result = solve(problem, "gradient_descent", eps=1e-3, max_steps=1000, reference=reference)
    errors = result.trace["relative_error_l2"].to_numpy()
    assert result.status is Status.CONVERGED
    assert errors[-1] <= 1e-3 < errors[-2]
    assert errors[0] == 1.0


def test_a_run_that_starts_at_a_stationary_point_has_converged(problem):
    everywhere = SoftResidualRegression(problem.matrix, np.full(problem.n, 1 / problem.n))
    result = solve(everywhere, "gradient_descent")  # b = f(0): the loss is zero at the start
    assert result.status is Status.CONVERGED
    assert result.steps == 0


@pytest.mark.parametrize("solver", ["exact_newton", "approx_newton", "gradient_descent"])
def test_a_run_ends_at_the_step_limit(problem, solver):
    result = solve(problem, solver, eps=1e-15, max_steps=2)
    assert result.status is Status.STEP_LIMIT
    assert not result.status.success
    assert result.steps == 2
    assert len(result.rows) == 3


def test_a_run_ends_at_the_time_limit_of_solver_time(problem, monkeypatch):
    ticks = iter(range(10**6))
    monkeypatch.setattr(softres.solvers.clock, "perf_counter", lambda: float(next(ticks)))
    result = solve(problem, "gradient_descent", eps=1e-15, max_steps=10_000, time_limit=50.0)
    assert result.status is Status.TIME_LIMIT
    before, last = (row["solve_seconds"] for row in result.rows[-2:])
    assert before < 50.0 <= last


def test_evaluation_does_not_eat_up_the_time_limit(problem, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(softres.solvers.clock, "perf_counter", lambda: now[0])

    def slow(row, point):
        now[0] += 1000.0

    result = solve(problem, eps=1e-10, time_limit=1.0, callback=slow)
    assert result.status is Status.CONVERGED
    assert result.seconds["evaluate"] == 1000.0 * len(result.rows)


def test_a_run_has_converged_where_the_arithmetic_ends_at_the_minimiser(problem):
    result = solve(problem, "gradient_descent", eps=1e-300, max_steps=5000)
    assert result.status is Status.CONVERGED
    assert result.rows[-1]["relative_gradient"] <= 1e-12


def test_a_solver_that_says_so_has_stalled(problem):
    result = solve(problem, Scripted(script=(0.01,), status=Status.STALLED))
    assert (result.status, result.steps) == (Status.STALLED, 1)


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton"])
def test_a_gradient_that_vanishes_only_where_z_was_carried_to_is_gone_on_from(solver):
    # From step to step z and x gather rounding of their own: z may come to be that of x* exactly,
    # with no gradient left, while A x is off by 3e-7.
    for seed in range(10):
        rng = np.random.default_rng(seed)
        A = np.full((8, 1), 1.0 + rng.random(), dtype=np.float32)
        b = np.full(8, 1 / 8, dtype=np.float32)
        problem = softres.ResNetRegression(A, b, branch="exp")
        x0 = np.array([rng.uniform(1, 4)], dtype=np.float32)
        result = solve(problem, solver, x0=x0, eps=1e-10)
        assert result.status is Status.CONVERGED
        assert abs(result.x[0]) < 2e-7  # x* = 0


def test_a_solver_that_does_not_move_has_stalled(problem):
    result = solve(problem, Scripted(script=(0.01, 0.02)))
    assert (result.status, result.steps) == (Status.STALLED, 2)


def test_a_solver_whose_gradient_stays_the_same_for_ten_steps_has_stalled(problem):
    result = solve(problem, Scripted(script=(0.02,) + (0.01,) * 50))
    assert result.status is Status.STALLED
    assert 9 <= result.steps <= 12


@pytest.mark.parametrize("x", [-1e3, math.nan, 1e200])
def test_a_run_that_leaves_the_domain_has_diverged_and_keeps_its_trace(x):
    problem = SoftResidualRegression(np.ones((5, 2)), np.full(5, 0.2), 1e-2)
    result = solve(problem, Scripted(script=(0.01, x, 0.01)), x0=np.array([0.3, 0.1]))
    assert result.status is Status.DIVERGED
    assert not result.status.success
    assert result.steps == 2
    assert len(result.rows) == 3
    assert result.rows[1]["gradient_norm"] > 0


def test_a_failing_linear_solve_is_reported(problem, monkeypatch):
    monkeypatch.setattr(Evaluation, "hessian", lambda self: np.full((6, 6), math.nan))
    result = solve(problem, "exact_newton")
    assert result.status is Status.LINEAR_SOLVE_FAILED
    assert len(result.rows) == 1


# --- The trace ---------------------------------------------------------------------------------

COLUMNS = {
    "step",
    "solve_seconds",
    "passes",
    "grams",
    "loss",
    "data_loss",
    "log_alpha",
    "gradient_norm",
    "relative_gradient",
    "estimate",
}


@pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "torch_lbfgs"])
def test_the_trace_has_one_row_a_step_with_the_documented_columns(problem, solver):
    result = solve(problem, solver, max_steps=4)
    trace = result.trace
    assert list(trace["step"]) == list(range(result.steps + 1))
    assert set(trace.columns) >= COLUMNS
    assert (np.diff(trace["solve_seconds"]) > 0).all()
    assert (np.diff(trace["passes"]) > 0).all()
    assert trace["relative_gradient"][0] == 1.0
    assert (trace["data_loss"] <= trace["loss"]).all()


def test_the_trace_holds_the_problems_own_figures(problem):
    iterates = []
    result = solve(problem, callback=lambda row, point: iterates.append(point.x.copy()))
    for row, x in zip(result.rows, iterates, strict=True):
        point = problem.at(x)
        # The iterate's z comes from a ray: it differs from A x by rounding.
        assert row["loss"] == pytest.approx(point.value, rel=1e-12)
        assert row["log_alpha"] == pytest.approx(point.log_alpha, rel=1e-12)
        size = np.linalg.norm(problem.matrix.array, 2) * np.linalg.norm(point.gradient_z)
        assert row["gradient_norm"] == pytest.approx(
            np.linalg.norm(point.gradient), abs=1e-13 * size
        )
    np.testing.assert_array_equal(result.x, iterates[-1])


def test_a_reference_adds_errors_and_contractions(problem, reference):
    trace = solve(problem, eps=1e-9, reference=reference).trace
    for norm in ("l2", "H"):
        error = trace[f"error_{norm}"].to_numpy()
        np.testing.assert_allclose(trace[f"relative_error_{norm}"], error / error[0])
        np.testing.assert_allclose(trace[f"contraction_{norm}"][1:], error[1:] / error[:-1])
        assert math.isnan(trace[f"contraction_{norm}"][0])
    start = -reference.x
    H = problem.hessian(reference.x)
    assert trace["error_l2"][0] == pytest.approx(np.linalg.norm(start))
    assert trace["error_H"][0] == pytest.approx(math.sqrt(start @ H @ start))


def test_a_callbacks_columns_are_in_the_trace(problem):
    def callback(row, point):
        return {"largest_z": float(point.z.max()), "twice_step": 2 * row["step"]}

    trace = solve(problem, callback=callback).trace
    np.testing.assert_array_equal(trace["twice_step"], 2 * trace["step"])
    assert trace["largest_z"][0] == 0.0
    assert (trace["largest_z"][1:] > 0).all()


def test_a_log_sees_the_complete_row(problem, reference):
    seen = []
    result = solve(
        problem,
        reference=reference,
        callback=lambda row, point: {"mine": 1.0},
        log=lambda row, point: seen.append(dict(row)),
    )
    assert seen == result.rows
    assert {"mine", "error_l2"} <= set(seen[0])


def test_passes_and_grams_of_evaluation_are_left_out(problem, reference):
    def greedy(row, point):
        problem.matrix.matmul(np.ones((problem.d, 100)))
        problem.matrix.gram(np.ones(problem.n))

    plain = solve(problem, eps=1e-15, max_steps=4).trace
    observed = solve(
        problem, eps=1e-15, max_steps=4, reference=reference, callback=greedy, log=greedy
    ).trace
    np.testing.assert_array_equal(plain["passes"], observed["passes"])
    np.testing.assert_array_equal(plain["grams"], observed["grams"])


# --- The clocks --------------------------------------------------------------------------------


def test_a_slow_callback_moves_evaluate_and_a_slow_log_moves_log_and_neither_solve(
    problem, monkeypatch
):
    # Time that only passes where the test says so: solving takes none of it.
    now = [0.0]
    monkeypatch.setattr(softres.solvers.clock, "perf_counter", lambda: now[0])

    def wait(seconds):
        def pass_by(row, point):
            now[0] += seconds

        return pass_by

    result = solve(problem, callback=wait(3.0), log=wait(5.0))
    rows = len(result.rows)
    assert rows >= 3
    assert result.seconds == {
        "solve": 0.0,
        "evaluate": 3.0 * rows,
        "log": 5.0 * rows,
        "total": 8.0 * rows,
    }
    assert (result.trace["solve_seconds"] == 0.0).all()


@pytest.mark.parametrize("solver", ["exact_newton", "approx_newton", "scipy_lbfgs"])
def test_real_sleeps_are_counted_where_they_belong_and_the_clocks_add_up(problem, solver):
    sleeps = {"evaluate": 0.03, "log": 0.02}
    start = time.perf_counter()
    result = solve(
        problem,
        solver,
        max_steps=5,
        callback=lambda row, point: time.sleep(sleeps["evaluate"]),
        log=lambda row, point: time.sleep(sleeps["log"]),
    )
    wall = time.perf_counter() - start
    rows = len(result.rows)
    for clock, seconds in sleeps.items():
        assert result.seconds[clock] >= rows * seconds
    parts = [result.seconds[clock] for clock in ("solve", "evaluate", "log")]
    assert result.seconds["total"] == pytest.approx(sum(parts), rel=1e-12)
    slept = rows * sum(sleeps.values())
    assert result.seconds["solve"] <= wall - slept
    assert 0.0 <= wall - result.seconds["total"] <= 0.2 * wall


def test_phases_are_part_of_solve(problem):
    result = solve(problem, max_steps=3, eps=1e-15)
    last = result.rows[-1]
    phases = sum(last[f"seconds_{name}"] for name in ("hessian", "factor", "line_search"))
    assert 0 < phases <= last["solve_seconds"] <= result.seconds["solve"]


# --- The same answer everywhere ----------------------------------------------------------------


@pytest.mark.parametrize(
    "solver",
    [
        "exact_newton",
        "approx_newton",
        "gradient_descent",
        "softmax_regression",
        "resnet_regression",
    ],
)
@pytest.mark.parametrize("density", [1.0, 0.4])
def test_every_backend_ends_at_the_same_x(
    solver, density, kind, plant, make_regularised, relative_error, record_property
):
    instance = plant(5, n=400, d=8, density=density)
    options = {"rows": 150} if solver == "approx_newton" else {}
    ends = [
        solve(make_regularised("softres", A, instance.b, 0.1), solver, eps=1e-12, seed=3, **options)
        for A in (instance.A, kind(instance.A))
    ]
    assert ends[0].status is ends[1].status is Status.CONVERGED
    assert ends[0].steps == ends[1].steps
    error = relative_error(ends[1].x, ends[0].x)
    record_property("difference", error)
    assert error <= 1e-9


@pytest.mark.parametrize("solver", ["exact_newton", "approx_newton"])
def test_every_backend_takes_the_same_first_steps(
    solver, kind, plant, make_regularised, relative_error, record_property, monkeypatch
):
    # In single precision, which a dense NumPy A alone may round to, they agree to 1e-7 only.
    monkeypatch.setattr(approx_newton, "rounds_well", lambda W, sizes, eps0: False)
    instance = plant(5, n=400, d=8)
    options = {"rows": 150} if solver == "approx_newton" else {}
    ends = [
        solve(make_regularised("softres", A, instance.b, 0.1), solver, max_steps=2, **options)
        for A in (instance.A, kind(instance.A))
    ]
    error = relative_error(ends[1].x, ends[0].x)
    record_property("difference", error)
    assert error <= 1e-11


@pytest.mark.parametrize("solver", ["exact_newton", "approx_newton", "gradient_descent"])
def test_float32_is_good_to_its_own_precision(
    solver, kind, plant, make_regularised, minimiser, relative_error, record_property
):
    instance = plant(0)
    expected = minimiser(make_regularised("softres", instance.A, instance.b, 0.1))
    problem = make_regularised("softres", kind(instance.A, "float32"), instance.b, 0.1)
    result = solve(problem, solver, eps=1e-5, max_steps=300)
    assert result.status in {Status.CONVERGED, Status.STALLED}
    assert as_numpy(result.x).dtype == np.float32
    error = relative_error(result.x, expected)
    record_property("error", error)
    # Gradient descent stops on the gradient, which is a condition number away from x.
    assert error <= (2e-4 if solver == "gradient_descent" else 2e-5)


def test_the_softmax_solver_solves_softmax_regression(
    problem, plant, make, minimiser, relative_error
):
    result = solve(problem, "softmax_regression", eps=1e-12)
    instance = plant(0)
    softmax = make("softmax", instance.A, instance.b, problem.w)
    assert relative_error(result.x, minimiser(softmax)) <= 1e-10
    point = softmax.at(result.x)
    assert result.rows[-1]["loss"] == pytest.approx(point.value, rel=1e-12)
    assert np.linalg.norm(point.gradient) <= 1e-9 * np.linalg.norm(
        softmax.at(0 * result.x).gradient
    )
    assert relative_error(result.x, minimiser(problem)) > 1e-2  # another problem's answer


def test_the_resnet_solver_solves_resnet_regression_with_its_branch(
    problem, plant, make, minimiser, relative_error
):
    instance = plant(0)
    expected = minimiser(make("resnet-exp", instance.A, instance.b, problem.w))
    result = solve(problem, "resnet_regression", eps=1e-12)
    assert relative_error(result.x, expected) <= 1e-10
    with_tanh = make("resnet-tanh", instance.A, instance.b, problem.w)
    result = solve(with_tanh, "resnet_regression", eps=1e-12)
    assert relative_error(result.x, minimiser(with_tanh)) <= 1e-10


def test_a_run_does_not_depend_on_global_random_state_and_leaves_it_alone(problem):
    np.random.seed(0)  # noqa: NPY002 - the state that must not matter
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first = solve(problem, "approx_newton", rows=100, max_steps=3).x
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    np.testing.assert_array_equal(solve(problem, "approx_newton", rows=100, max_steps=3).x, first)


def test_a_run_leaves_its_start_alone(problem):
    x0 = np.full(problem.d, 0.1)
    for solver in ("exact_newton", "gradient_descent", "scipy_lbfgs"):
        result = solve(problem, solver, x0=x0, max_steps=2)
        np.testing.assert_array_equal(x0, np.full(problem.d, 0.1))
        assert not np.shares_memory(result.x, x0)


# --- Arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"eps": 0.0}, ("eps=0.0", "0 < eps < 1")),
        ({"eps": 1.0}, ("eps=1.0",)),
        ({"eps": math.nan}, ("eps=nan",)),
        ({"max_steps": 0}, ("max_steps=0", ">= 1")),
        ({"time_limit": 0.0}, ("time_limit=0.0", "positive")),
        ({"time_limit": math.nan}, ("time_limit=nan",)),
        ({"solver": "newton"}, ("solver=newton", "exact_newton", "torch_lbfgs")),
        ({"solver": "exact_newton", "eps0": 0.1}, ("solver.eps0", "exact_newton", "none")),
        ({"solver": "approx_newton", "eps_0": 0.1}, ("solver.eps_0", "eps0", "oversampling")),
        ({"solver": "approx_newton", "eps0": 2.0}, ("solver.eps0=2.0", "0 < eps0 < 1")),
        ({"solver": make_solver("exact_newton"), "eps0": 0.1}, ("solver", "options")),
        ({"x0": np.zeros(3)}, ("x0", "(6,)", "(3,)")),
        ({"x0": np.full(6, math.nan)}, ("x0",)),
    ],
)
def test_bad_arguments_are_errors_of_one_line_that_name_what_is_allowed(problem, arguments, words):
    with pytest.raises(InputError) as caught:
        solve(problem, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "jax"}, ("backend.name=jax", "numpy, torch")),
        ({"name": "torch", "device": "tpu"}, ("backend.device=tpu", "cpu, cuda")),
        ({"name": "torch", "dtype": "float16"}, ("backend.dtype=float16", "float32")),
        ({"name": "numpy", "device": "cuda"}, ("backend.device=cuda", "backend=torch")),
        ({"threads": 0}, ("backend.threads=0", ">= 1")),
    ],
)
def test_bad_backends_are_errors_of_one_line_that_name_what_is_allowed(options, words):
    with pytest.raises(InputError) as caught:
        BackendOptions(**options)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_missing_device_is_an_input_error():
    import torch

    options = BackendOptions("torch", "cuda")
    if torch.cuda.is_available():
        options.check_device()
    else:
        with pytest.raises(InputError, match=r"backend\.device=cuda"):
            options.check_device()


# --- What is the caller's ------------------------------------------------------------------------


def test_a_result_shares_no_memory_with_the_start(problem):
    x0 = np.zeros(problem.d)
    result = solve(problem, x0=x0, eps=0.9, max_steps=1)
    assert not np.shares_memory(result.x, x0)


@pytest.mark.parametrize("scale", [1e-200, 1e-170, 1e-110, 1e110, 1e160])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_columns_whose_products_leave_the_range_of_doubles_are_refused(scale, dtype):
    A = np.random.default_rng(0).standard_normal((50, 3))
    A[:, 1] *= scale if dtype is np.float64 else scale ** (1 / 6)
    with pytest.raises(InputError, match="has a column whose length lies outside"):
        SoftmaxRegression(A.astype(dtype), np.full(50, 0.02))


def test_tensors_that_track_gradients_are_left_out_of_the_graph():
    rng = np.random.default_rng(0)
    A = torch.from_numpy(rng.standard_normal((50, 3))).requires_grad_()
    result = solve(SoftmaxRegression(A, torch.full((50,), 0.02, dtype=torch.float64)))
    assert not result.x.requires_grad


def test_the_least_eps_there_is_ends_at_the_limit_of_steps(problem):
    assert solve(problem, eps=5e-324, max_steps=3).status in (Status.STEP_LIMIT, Status.STALLED)


def test_host_vectors_that_torch_cannot_refer_to_are_copied():
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((50, 3)), rng.dirichlet(np.ones(50))
    x0 = np.zeros(3)
    x0.flags.writeable = False
    backwards = solve(SoftmaxRegression(torch.from_numpy(A), b[::-1][::-1]), x0=x0)
    reverse = solve(SoftmaxRegression(torch.from_numpy(A[::-1].copy()), b[::-1]), x0=x0)
    np.testing.assert_allclose(as_numpy(backwards.x), as_numpy(reverse.x), rtol=1e-8)
