"""One job in this process: prepared, solved, kept, and reported when it fails."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from softres.common.errors import InputError
from softres.config.choices import register
from softres.config.settings import settings
from softres.data.start import starting_point
from softres.harness import solving, warm_up
from softres.harness.job import JobContext, run_job
from softres.harness.outcome import JobOutcome, read_outcomes, write_outcome
from softres.harness.plan import is_enough
from softres.harness.prepare import on_backend, prepare
from softres.harness.terminal.closing import close_command
from softres.matrices.backends import as_numpy
from softres.solvers import Status
from softres.tracking import StoredRun

CONF = str(Path(__file__).parents[2] / "conf")
SMALL = ("n=60", "d=4", "tracking=none")


@pytest.fixture(scope="module")
def checked():
    """Return a function that gives the settings of a small untracked job with some overrides."""
    register()

    @cache
    def compose_and_check(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=CONF):
            return settings(compose("config", overrides=[*SMALL, *overrides]))

    return compose_and_check


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def context(tmp_path):
    return JobContext(tmp_path / "job", 2, "a sweep", (), "basic", single=False)


def test_the_instance_is_the_same_for_every_solver(checked):
    first, second = (prepare(checked(f"solver={name}")) for name in ("exact_newton", "scipy_lbfgs"))
    assert first.key == second.key
    np.testing.assert_array_equal(first.minimiser, second.minimiser)
    np.testing.assert_array_equal(first.x0, second.x0)
    assert first.certificate.certified


@pytest.mark.parametrize(
    "override", ["weights.value=0.5", "seed=1", "problem=softmax", "start.kind=random", "R=3"]
)
def test_another_instance_has_another_key(checked, override):
    assert prepare(checked(override)).key != prepare(checked()).key


def test_a_start_near_the_minimiser_is_at_its_distance_and_has_the_same_reference(checked):
    plain = prepare(checked())
    near = prepare(checked("start.kind=minimiser", "start.distance=1e-3"))
    assert near.key == plain.key
    np.testing.assert_array_equal(near.minimiser, plain.minimiser)
    assert np.linalg.norm(near.x0 - near.minimiser) == pytest.approx(1e-3, rel=1e-9)


def test_a_random_start_depends_on_the_seed_only(checked):
    options = checked("start.kind=random", "start.distance=0.3")
    prepared = prepare(options)
    expected = starting_point(options.start, np.zeros(4), None, 0)
    np.testing.assert_array_equal(prepared.x0, expected)


def test_weights_follow_their_rule_unless_the_file_brings_its_own(checked, tmp_path):
    assert prepare(checked("weights=none")).w == 0.0
    # sigma_min = R / condition = 0.4
    assert prepare(checked("weights=theorem")).w ** 2 == pytest.approx(100 + 1 / 0.4**2)
    rng = np.random.default_rng(0)
    w = rng.random(9) + 0.1
    np.savez(tmp_path / "mine.npz", A=rng.standard_normal((9, 3)), b=np.full(9, 1 / 9), w=w)
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        path = f"data.path={tmp_path / 'mine.npz'}"
        own = settings(compose("config", overrides=["tracking=none", "data=file", path]))
    np.testing.assert_array_equal(prepare(own).problem.w, w)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("density", [1.0, 0.3])
def test_a_backend_gets_the_same_problem(checked, dtype, density):
    host = prepare(checked(f"data.density={density}"))
    options = checked("backend=torch", f"backend.dtype={dtype}", f"data.density={density}")
    problem = on_backend(prepare(options), options)
    x = 0.3 * np.ones(4)
    moved = problem.matrix.asarray(x)
    assert str(moved.dtype) == f"torch.{dtype}"
    np.testing.assert_allclose(
        as_numpy(problem.gradient(moved)),
        host.problem.gradient(x),
        rtol=1e-10 if dtype == "float64" else 1e-3,
    )
    assert problem.matrix.counter is not host.problem.matrix.counter


def test_a_job_ends_well_and_writes_its_outcome(checked, context, capsys):
    outcome = run_job(checked(), context)
    assert (outcome.status, outcome.ok, outcome.job) == ("converged", True, 2)
    assert (outcome.name, outcome.solver) == ("exact_newton n=60 d=4 seed=0", "exact_newton")
    assert outcome.predicted is None  # its assumptions do not hold
    assert outcome.command == "python run.py force=true"
    assert outcome.passes > outcome.steps
    assert 0 < outcome.solve_seconds < outcome.seconds
    assert 1 <= outcome.steps <= 30
    assert outcome.error <= 1e-10
    assert read_outcomes(context.folder.parent) == [outcome]
    shown = capsys.readouterr().out
    assert "job 3: exact_newton n=60 d=4 seed=0\n" in shown
    assert f"\n  converged after {outcome.steps} steps, " in shown


def test_solvers_of_one_instance_can_be_compared_and_see_its_assumptions_once(
    checked, context, capsys
):
    first = run_job(checked("seed=77"), context)
    assert "Assumptions of Theorem 9.1: " in capsys.readouterr().out
    second = run_job(checked("seed=77", "solver=scipy_lbfgs"), context)
    assert "Assumptions" not in capsys.readouterr().out
    other = run_job(checked("seed=77", "eps=1e-4"), context)
    assert first.instance == second.instance != other.instance


def test_the_steps_of_the_theorem_are_said_where_its_assumptions_hold(checked, context, capsys):
    start = ("start.kind=minimiser", "start.distance=1e-280")
    outcome = run_job(checked("weights=theorem", "R=1", "data.planted_norm=0.1", *start), context)
    assert "6 of 6 hold" in capsys.readouterr().out
    assert outcome.predicted == 26


def test_a_step_limit_is_said(checked, context, capsys):
    outcome = run_job(checked("solver=gradient_descent", "max_steps=3"), context)
    assert (outcome.status, outcome.steps, outcome.ok) == ("step limit", 3, True)
    assert outcome.error > 1e-10
    assert "step limit after 3 steps" in capsys.readouterr().out


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


def test_a_job_that_raises_is_reported_and_kept(checked, context, monkeypatch, capsys):
    monkeypatch.setattr(solving, "solve", failing(RuntimeError("no luck\nat all")))
    outcome = run_job(checked(), context)
    assert (outcome.status, outcome.ok) == ("failed", False)
    assert (outcome.note, outcome.solver) == ("RuntimeError: no luck", "exact_newton")
    assert read_outcomes(context.folder) == [outcome]
    assert "Traceback" in capsys.readouterr().err


def test_bad_input_found_late_fails_a_job_of_a_sweep_in_one_line(
    checked, context, monkeypatch, capsys
):
    monkeypatch.setattr(solving, "prepare", failing(InputError("data: cannot be read")))
    outcome = run_job(checked(), context)
    assert (outcome.status, outcome.ok, outcome.note) == ("failed", False, "data: cannot be read")
    expected = "softres: job 3 (exact_newton n=60 d=4 seed=0): data: cannot be read\n"
    assert capsys.readouterr().err == expected


def test_bad_input_found_late_ends_a_single_run_with_status_2(
    checked, context, monkeypatch, capsys
):
    monkeypatch.setattr(solving, "prepare", failing(InputError("data: cannot be read")))
    with pytest.raises(SystemExit) as caught:
        run_job(checked(), replace(context, single=True))
    assert caught.value.code == 2
    assert capsys.readouterr().err == "softres: data: cannot be read\n"


@pytest.mark.parametrize(
    ("status", "tags", "wanted", "enough"),
    [
        ("converged", {"max_steps": "20"}, ("max_steps=500",), True),
        ("diverged (left alpha >= beta, or not finite)", {}, ("max_steps=500",), True),
        ("step limit", {"max_steps": "20"}, ("max_steps=20",), True),
        ("step limit", {"max_steps": "20"}, ("max_steps=10",), True),
        ("step limit", {"max_steps": "20"}, ("max_steps=21",), False),
        ("time limit", {"time_limit": "2.0"}, ("time_limit=2",), True),
        ("time limit", {"time_limit": "2.0"}, ("time_limit=1",), True),
        ("time limit", {"time_limit": "2.0"}, ("time_limit=3",), False),
        ("time limit", {"time_limit": "2.0"}, (), False),
        ("time limit", {"time_limit": "2.0", "max_steps": "9"}, ("max_steps=99",), False),
    ],
)
def test_a_run_that_ended_on_a_limit_is_extended_by_a_larger_one_only(
    checked, status, tags, wanted, enough
):
    finished = StoredRun("id", "name", {}, {"status": status, **tags}, {})
    assert is_enough(finished, checked(*wanted)) is enough


def test_the_statuses_of_limits_are_those_of_the_loop():
    assert (Status.STEP_LIMIT.value, Status.TIME_LIMIT.value) == ("step limit", "time limit")


def test_a_kind_of_run_is_warmed_up_once(checked, monkeypatch):
    monkeypatch.setattr(warm_up, "_done", set())
    plain, other = checked(), checked("problem=softmax")
    assert warm_up.warm_up(plain) > 0
    assert warm_up.warm_up(checked("seed=5")) == 0
    assert warm_up.warm_up(other) > 0


@pytest.mark.parametrize("problem", ["softres", "softmax", "resnet", "exp", "cosh", "sinh"])
def test_every_problem_can_be_warmed_up(checked, monkeypatch, problem):
    monkeypatch.setattr(warm_up, "_done", set())
    assert warm_up.warm_up(checked(f"problem={problem}")) > 0


FAILED = JobOutcome(1, "gradient_descent n=9", "failed", note="no [luck] here", ok=False)
SKIPPED = JobOutcome(0, "exact_newton n=9", "skipped", steps=3, error=1e-17, note="run 1a2b3c4d")


@pytest.mark.parametrize(
    ("name", "value"), [("error", 1e-17), ("seconds", float("inf")), ("steps", 3.0)]
)
def test_what_a_sweeper_minimises_is_infinite_where_there_is_no_such_figure(name, value):
    assert SKIPPED.objective(name) == value
    assert FAILED.objective(name) == float("inf")


def test_outcomes_come_back_in_the_order_of_the_jobs(tmp_path):
    for outcome in (FAILED, SKIPPED):
        write_outcome(tmp_path / str(outcome.job), outcome)
    assert read_outcomes(tmp_path) == [SKIPPED, FAILED]
    assert read_outcomes(tmp_path / "none") == []


def test_the_closing_table_shows_each_job_and_why_one_failed(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    for outcome in (FAILED, SKIPPED):
        write_outcome(tmp_path / str(outcome.job), outcome)
    assert close_command(str(tmp_path), {"enabled": False}, []) is False
    shown = capsys.readouterr().out
    assert "exact_newton n=9" in shown
    assert "skipped, run 1a2b3c4d" in shown
    assert "<2e-16" in shown
    assert "job 2 failed: no [luck] here" in shown
    assert "http" not in shown


def test_a_command_is_done_when_every_job_is(tmp_path, capsys):
    assert close_command(str(tmp_path), {}, []) is True
    assert capsys.readouterr().out == ""
    write_outcome(tmp_path, SKIPPED)
    assert close_command(str(tmp_path), {"enabled": False}, []) is True
