"""The race: errors are taken against x*, misses are shown as misses, profiles are right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from experiments.race.command import benchmark_command
from experiments.race.contestants import CONTESTANTS, Contestant
from experiments.race.contestants.loss import PlainLoss
from experiments.race.figures import draw_profile
from experiments.race.grid import InstanceMaker, RaceArrays, RaceInstance, race_instances
from experiments.race.measure import LEVELS, Rules, pending, race, run_once
from experiments.race.profile import medians, ratios, times
from experiments.race.recorder import Finished, Recorder
from experiments.race.report import write
from experiments.race.results import RaceResults
from experiments.race.summary import contest, level_table, overview
from experiments.race.task import Task
from softres.problems import SoftResidualRegression
from softres.results.figures.profile import performance_profile

SMALL = RaceInstance("synthetic", 200, 10, 1e-2, 10.0)
RULES = Rules(repeat=2, limit=60.0, least=60.0, slow=float("inf"))


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return Task(InstanceMaker()(SMALL), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def exact(task):
    """Return x* by plain Newton steps that share no code with the race."""
    x = task.x0
    for _ in range(30):
        x = x - np.linalg.solve(task.problem.hessian(x), task.problem.gradient(x))
    return x


def sloppy(task):
    """Gradient descent with a fixed step, which never gets far."""
    problem = SoftResidualRegression(task.A, task.b, task.w2**0.5)

    def run(record):
        x = task.x0
        record.start()
        for k in range(20):
            record(x, 2 * k)
            x = x - 1e-3 * problem.gradient(x)

    return run


SLOPPY = Contestant("sloppy", "outside", sloppy)


def raced(task, results, contestants):
    race(SMALL, task, contestants, results, RULES)
    return results.rows()


def test_errors_are_against_the_minimiser_in_the_norm_of_its_hessian(task, exact):
    H = task.problem.hessian(exact)
    rng = np.random.default_rng(0)
    x = exact + 1e-3 * rng.standard_normal(10)

    def norm(p):
        return np.sqrt(p @ H @ p)

    expected = norm(x - exact) / norm(task.x0 - exact)
    assert task.error(x) == pytest.approx(expected, rel=1e-6)
    assert task.error(task.x0) == pytest.approx(1.0)
    assert task.error(exact) < 1e-12
    assert task.floor < 1e-12


@pytest.mark.parametrize("density", [1.0, 0.3, 0.01])
def test_the_plain_loss_is_the_problems(density):
    rng = np.random.default_rng(1)
    A = rng.standard_normal((300, 8)) * (rng.random((300, 8)) < density)
    b = rng.random(300)
    b /= b.sum()
    x, p = 3.0 * rng.standard_normal((2, 8))
    problem = SoftResidualRegression(A, b, 0.1)
    plain = PlainLoss(A if density == 1 else sparse.csr_array(A), b, 0.1**2, problem.beta)
    point = plain.at(x)
    assert point.value == pytest.approx(problem.value(x), rel=1e-12)
    np.testing.assert_allclose(plain.gradient(point), problem.gradient(x), rtol=1e-9, atol=1e-14)
    for (D, h), curvature in (
        (point.curvature(), problem.at(x).curvature),
        (point.gauss_newton(), problem.at(x).gauss_newton),
    ):
        y = A @ p
        By = D * y + point.v * (h @ y) + h * (point.v @ y)
        np.testing.assert_allclose(By, curvature.apply(y), rtol=1e-9, atol=1e-12)
    assert plain.passes == 2


def test_the_plain_loss_is_infinite_where_it_is_not_defined():
    A = np.ones((4, 1))
    plain = PlainLoss(A, np.full(4, 0.25), 0.0, 1e-6)
    assert plain.at(np.array([-5.0])).value == np.inf
    assert np.isfinite(plain.at(np.array([5.0])).value)


#: Those that do not decide by the loss, whose fall rounding hides near an error of 1e-8.
REACHING = [
    "hand_newton",
    "preconditioned_newton",
    "exact_newton",
    "approx_newton",
    "optimistix_newton",
]
COMPILED = ["torchmin_newton", "optax_lbfgs", "optimistix_newton"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(it, marks=pytest.mark.slow if it in COMPILED else ()) for it in CONTESTANTS],
)
def test_every_contestant_moves_towards_the_minimiser(task, exact, name):
    contestant = CONTESTANTS[name]
    if reason := contestant.absent():
        pytest.skip(reason)
    outcome = run_once(contestant, task, 1e-10, 60.0, "cpu")
    wanted = 1e-10 if name in REACHING else 1e-4
    assert outcome.first(wanted) is not None, outcome.status
    assert (outcome.status == "reached") == (outcome.first(1e-10) is not None)
    errors = [mark.error for mark in outcome.marks]
    assert errors[0] == pytest.approx(1.0)
    passes = [mark.passes for mark in outcome.marks]
    assert passes == sorted(passes)
    assert passes[-1] > 0


def test_newton_by_hand_reaches_it_where_the_hessian_is_indefinite_or_singular(tmp_path):
    instance = RaceInstance("digits", 1797, 64, 1e-4)  # some pixels are always blank: A lacks rank
    task = Task(InstanceMaker()(instance), tmp_path)
    assert np.linalg.eigvalsh(task.problem.hessian(task.x0)).min() < 0
    outcome = run_once(CONTESTANTS["hand_newton"], task, 1e-10, 60.0, "cpu")
    assert outcome.status == "reached"


@pytest.mark.parametrize("density", [0.005, 0.05])
def test_newton_by_hand_takes_sparse_matrices(tmp_path, density):
    A = sparse.random_array((3000, 12), density=density, rng=np.random.default_rng(0), format="csr")
    task = Task(RaceArrays(A, np.full(3000, 1 / 3000), 1e-8, np.full(12, 0.5)), tmp_path)
    outcome = run_once(CONTESTANTS["hand_newton"], task, 1e-10, 60.0, "cpu")
    assert outcome.status == "reached"


def test_a_sloppy_contestant_is_a_miss(task, tmp_path):
    results = RaceResults(tmp_path)
    rows = raced(task, results, [CONTESTANTS["hand_newton"], SLOPPY])
    missed = rows[rows.contestant == "sloppy"]
    assert missed.seconds.isna().all()
    assert (missed.status == "stalled").all()
    assert (missed.best_error > LEVELS[0]).all()
    assert missed.repeat.max() == 0  # a miss is not repeated
    solved = rows[rows.contestant == "hand_newton"]
    assert solved.seconds.notna().all()
    assert sorted(solved.level.unique()) == sorted(LEVELS)
    assert set(solved.repeat) == {0, 1}
    table = medians(rows)
    cells = level_table(table, 1e-8).iloc[0]
    assert cells["sloppy"].startswith("miss (")
    assert "miss" not in cells["hand_newton"]
    shares = performance_profile(times(table, 1e-8)).groupby("method")["share"]
    assert (shares.min()["sloppy"], shares.max()["sloppy"]) == (0.0, 0.0)
    assert (shares.min()["hand_newton"], shares.max()["hand_newton"]) == (1.0, 1.0)
    row = overview(table, LEVELS).set_index("contestant").loc["sloppy"]
    assert row["1e-08"] == "0/1"


def test_another_stationary_point_is_said_to_be_one(task):
    class Elsewhere(Task):
        def __init__(self):
            vars(self).update(vars(task))

        def error(self, x):
            return 0.5  # as if x* lay elsewhere

    elsewhere = Elsewhere()
    outcome = run_once(CONTESTANTS["exact_newton"], elsewhere, 1e-10, 60.0, "cpu")
    assert outcome.status.startswith("another stationary point")


def test_finished_runs_are_not_run_again(task, tmp_path):
    results = RaceResults(tmp_path)
    contestants = [CONTESTANTS["hand_newton"], SLOPPY]
    rows = raced(task, results, contestants)
    assert pending(SMALL, contestants, rows, RULES) == []
    pd.testing.assert_frame_equal(raced(task, results, contestants), rows)
    results.drop(SMALL.name, ["sloppy"])
    assert pending(SMALL, contestants, results.rows(), RULES) == [(0, SLOPPY), (1, SLOPPY)]
    more = Rules(repeat=3)
    wanted = [(k, c.name) for k, c in pending(SMALL, contestants, results.rows(), more)]
    assert wanted == [(0, "sloppy"), (1, "sloppy"), (2, "hand_newton"), (2, "sloppy")]


def test_a_slow_contestant_runs_once(tmp_path):
    def row(name, seconds):
        return {"instance": SMALL.name, "contestant": name, "repeat": 0, "level": 1e-8} | {
            "seconds": seconds,
            "code": known[name].code(),
        }

    known = {"hand_newton": CONTESTANTS["hand_newton"], "sloppy": SLOPPY}
    rows = pd.DataFrame([row("hand_newton", 1.0), row("sloppy", 50.0)])
    contestants = list(known.values())
    runs = pending(SMALL, contestants, rows, Rules(repeat=2, slow=20.0))
    assert [(k, c.name) for k, c in runs] == [(1, "hand_newton")]
    runs = pending(SMALL, contestants, rows, Rules(repeat=2, slow=60.0))
    assert sorted(c.name for _, c in runs) == ["hand_newton", "sloppy"]


def test_the_profile_of_a_table_made_by_hand():
    seconds = pd.DataFrame(
        {
            "a": [1.0, 4.0, np.inf, np.inf],
            "b": [2.0, 1.0, 3.0, np.inf],
            "c": [np.nan, 8.0, np.nan, np.inf],
        },
        index=list("wxyz"),
    )
    stairs = performance_profile(seconds)

    def share(method, ratio):
        own = stairs[(stairs["method"] == method) & (stairs["ratio"] <= ratio)]
        return own["share"].iloc[-1]

    factors = [1.0, 2.0, 3.9, 4.0, 8.8]
    # of the two that it was run on
    assert [share("c", ratio) for ratio in factors] == [0.0, 0.0, 0.0, 0.0, 0.5]
    assert [share("a", ratio) for ratio in factors] == [0.25, 0.25, 0.25, 0.5, 0.5]
    assert [share("b", ratio) for ratio in factors] == [0.5, 0.75, 0.75, 0.75, 0.75]


def test_ratios_compare_what_both_solve():
    miss, no_run = np.inf, np.nan
    first, second = [1.0, 1.0, 2.0, miss, 1.0, 1.0], [2.0, 8.0, 1.0, 1.0, miss, no_run]
    found = ratios(first, second)
    assert (found.worst, found.best, found.count) == (0.5, 8.0, 3)
    assert found.mean == pytest.approx(2.0)
    assert (found.only_first, found.only_second) == (1, 1)
    assert np.isnan(ratios([1.0], [miss]).mean)


def made_rows():
    """Two instances, one large; ours 4 and 9 times faster than by hand, one package missing."""
    rows = []
    for instance, n, d, seconds in (
        ("small", 200, 10, {"exact_newton": 1.0, "hand_newton": 4.0, "scipy_lbfgs": np.nan}),
        ("large", 20000, 1000, {"exact_newton": 1.0, "hand_newton": 9.0, "scipy_lbfgs": 2.0}),
    ):
        for name, value in seconds.items():
            for repeat, noise in enumerate((1.0, 5.0, 0.5)):
                rows += [
                    {
                        "instance": instance,
                        "kind": "dense",
                        "n": n,
                        "d": d,
                        "contestant": name,
                        "side": CONTESTANTS[name].side,
                        "repeat": repeat,
                        "level": level,
                        "seconds": value * noise,
                        "cpu_seconds": 7.0,
                        "passes": 10.0,
                        "grams": 2.0,
                        "status": "stalled" if np.isnan(value) else "reached",
                        "best_error": 1e-6 if np.isnan(value) else 1e-11,
                        "steps": 3,
                        "prepare_seconds": 0.5,
                        "total_seconds": 1.0,
                        "total_cpu_seconds": 1.0,
                        "code": CONTESTANTS[name].code(),
                    }
                    for level in LEVELS
                ]
    return rows


def test_the_summary_of_results_made_by_hand(tmp_path):
    results = RaceResults(tmp_path)
    results.add(made_rows())
    table = medians(results.rows())
    assert times(table, 1e-8).loc["large"].to_dict() == {
        "exact_newton": 1.0,
        "hand_newton": 9.0,
        "scipy_lbfgs": 2.0,
    }
    every, large, package = (found for _, found in contest(table, "exact_newton"))
    assert (every.worst, every.best) == (4.0, 9.0)
    assert every.mean == pytest.approx(6.0)
    assert (large.mean, large.count) == (pytest.approx(9.0), 1)
    assert (package.mean, package.count, package.only_first) == (pytest.approx(2.0), 1, 1)
    assert times(medians(results.rows(), "cpu_seconds"), 1e-8).loc["large"].eq(7.0).all()
    words = write(results, results.rows(), RULES)
    assert "hand_newton, to 1e-08: takes 6 times as long as exact_newton" in words[0]
    text = (tmp_path / "race.md").read_text(encoding="utf-8")
    assert "miss (1e-06)" in text
    for name in ("performance_profile", "time_to_error"):
        assert (tmp_path / f"{name}.pdf").stat().st_size > 1000
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    assert "toprule" in (tmp_path / "tables" / "time_1e-08.tex").read_text(encoding="utf-8")


def test_no_two_contestants_look_alike():
    (one,) = [row for row in made_rows() if row["repeat"] == 0][:1]
    rows = [one | {"contestant": it.name, "side": it.side} for it in CONTESTANTS.values()]
    figure = draw_profile(medians(pd.DataFrame(rows)), [LEVELS[0]])
    lines = figure.axes[0].lines
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}
    assert len(looks) == len(lines) == len(CONTESTANTS)


def test_the_clock_leaves_out_the_error(task):
    """An error that is slow to take costs the run nothing."""
    worked = []

    def slow_error(x):
        total = 0.0
        for k in range(200_000):
            total += k**0.5
        worked.append(total)
        return 0.5

    record = Recorder(slow_error, 1e-10, 60.0, "cpu")
    record.start()
    for k in range(3):
        record(task.x0, k)
    _, cpu = record.total()
    free = Recorder(slow_error, 1e-10, 60.0, "cpu")
    free.start()
    slow_error(task.x0)
    _, cost = free.total()
    assert cpu < cost  # three of them are not in it, one alone is more than all the rest
    assert len(worked) == 4


def test_the_time_limit_ends_a_run():
    record = Recorder(lambda x: 0.5, 1e-10, 1e-9, "wall")
    record.start()
    with pytest.raises(Finished, match="time limit"):
        record(np.zeros(2), 1)


def test_no_progress_ends_a_run():
    record = Recorder(lambda x: 0.5, 1e-10, 1e9, "wall")
    record.start()

    def go_on():
        for k in range(10_000):
            record(np.zeros(2), k)

    with pytest.raises(Finished, match="stalled"):
        go_on()


def test_a_missing_package_is_a_reason(monkeypatch):
    contestant = Contestant("none", "outside", sloppy, needs=("no_such_package",))
    assert "no_such_package" in contestant.absent()
    assert SLOPPY.absent() == ""


def test_a_contestant_that_does_not_fit_is_a_miss_with_its_reason(task, tmp_path):
    hungry = Contestant("hungry", "outside", sloppy, scratch=lambda n, d: 1e18)
    rows = raced(task, RaceResults(tmp_path), [hungry])
    assert rows.status.unique().tolist() == ["needs 1000000000 GB beside A"]
    assert rows.seconds.isna().all()


def test_the_grid_keeps_to_its_limits():
    full = race_instances("full")
    names = [instance.name for instance in full]
    assert len(set(names)) == len(names)
    assert "d=500 n/d=20 cond=1e4 coherent w=1e-2" in names
    dense = [instance for instance in full if instance.kind == "dense"]
    assert max(8 * instance.n * instance.d for instance in dense) <= 2.5e9
    small = [instance for instance in race_instances("full", 1e8) if instance.kind == "dense"]
    assert 0 < len(small) < len(dense)
    assert max(8 * instance.n * instance.d for instance in small) <= 1e8


def test_weights_share_their_matrix():
    make = InstanceMaker()
    first = make(SMALL)
    second = make(RaceInstance("synthetic", 200, 10, 1e-4, 10.0))
    assert second.A is first.A
    assert second.w2 == pytest.approx(1e-2 * first.w2)


def test_the_command_races_and_skips(tmp_path, capsys):
    arguments = ["--only", "digits w=1e-2", "--contestants", "hand_newton,exact_newton"]
    arguments += ["--repeat", "1", "--out", str(tmp_path)]
    assert benchmark_command(arguments) == 0
    assert "run 1" in capsys.readouterr().out
    before = (tmp_path / "race.csv").read_text(encoding="utf-8")
    assert benchmark_command(arguments) == 0
    assert "run 1" not in capsys.readouterr().out
    assert (tmp_path / "race.csv").read_text(encoding="utf-8") == before
    assert (tmp_path / "environment.json").is_file()
    assert benchmark_command(["--contestants", "nobody"]) == 2
