"""The basin: scans, measured Lipschitz constants, and the judge on made-up runs."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from probing import probed

from experiments.claims.contraction import basin
from experiments.claims.contraction.rays import LOWEST, Near, largest_radius, local_radius
from experiments.kit.cells import lower_median
from experiments.kit.claim import Author, Conclusion
from experiments.kit.runs import LoggedRun
from softres.certification.minimiser import find_minimiser
from softres.problems import make_problem
from softres.solvers.approximate.approx_newton import ApproxNewton


def logged(table, folder, number=0):
    path = folder / f"run{number}.parquet"
    table.to_parquet(path)
    tags = {"status": "measured", "command": "python run.py experiment=basin R=4 force=true"}
    return LoggedRun(f"id{number}", "basin", {}, tags, {}, lambda name: path)


def row(radius=0.1, recalled=-140.0, ball=-3.0, **changes):
    """A ray of an instance: every test holds up to a radius and fails just beyond it."""
    tests = dict.fromkeys(basin.TESTS, radius)
    tests |= {f"{name}_failed": 1.003 * radius for name in basin.TESTS}
    facts = {
        "seed": 0, "n": 100, "d": 3, "R": 4.0, "rows": "gaussian", "condition": 10.0,
        "level": "theorem", "inside": True, "eps0": 0.08, "kind": "random",
        "log10_recalled": recalled, "log10_proven": ball, "log10_local": 1.0, "log10_ball": ball,
        "log10_floor": -16.0, "certified": True, "norm_x": 1.0, "l": 1e-8, "M": 1e-6,
        "approx_l2_error": 0.01, "approx_H_error": 0.01,
    }  # fmt: skip
    return facts | tests | changes


def practical(**changes):
    return row(**({"level": "0.01", "inside": False, "log10_local": -3.0} | changes))


def conclusions(folder, *rows):
    verdicts = basin.judge([logged(pd.DataFrame(rows), folder)])
    return [v.conclusion for v in verdicts], verdicts


FAILS = {"approx_l2": 0.0, "approx_l2_failed": 1e-5}


def test_a_recalled_start_that_doubles_cannot_tell_from_the_minimiser_is_empty(tmp_path):
    found, verdicts = conclusions(tmp_path, row(), practical())
    assert found == [Conclusion.EMPTY] + [Conclusion.HOLDS] * 10
    assert verdicts[0].author is Author.RECALLED
    assert "10^2.0 times the radius in the median" in verdicts[1].reason


def test_nothing_is_held_against_the_recalled_radius_but_what_lies_within_it(tmp_path):
    # The first distance that is tried is far beyond a radius of 1e-140.
    found, _ = conclusions(tmp_path, row(**FAILS))
    assert found[0] is Conclusion.EMPTY


@pytest.mark.parametrize(("failed_at", "holds"), [(0.9e-3, False), (1.1e-3, True)])
def test_a_failure_counts_where_it_lies_within_the_ball(tmp_path, failed_at, holds):
    near = row(exact_H=0.5 * failed_at, exact_H_failed=failed_at)
    found, verdicts = conclusions(tmp_path, row(), near)
    assert found[1] is (Conclusion.HOLDS if holds else Conclusion.VIOLATED)
    assert found[2:] == [Conclusion.HOLDS] * 4
    if not holds:
        assert verdicts[1].counterexample.artifact == "exact_H_theorem.npz"


def test_a_ball_that_doubles_cannot_tell_from_the_minimiser_decides_nothing(tmp_path):
    found, verdicts = conclusions(tmp_path, row(ball=-20.0, **FAILS))
    assert found[1:] == [Conclusion.UNDECIDED] * 5
    assert all(verdict.cases == 0 for verdict in verdicts[1:])


def test_a_hessian_that_is_further_off_than_eps0_is_not_held_against_the_lemma(tmp_path):
    assert conclusions(tmp_path, row(**FAILS))[0][4] is Conclusion.VIOLATED
    assert conclusions(tmp_path, row(**FAILS, approx_l2_error=0.1))[0][4] is Conclusion.HOLDS


def test_the_lemmas_own_statement_is_the_papers_and_the_exact_steps_are_proven_here(tmp_path):
    _, verdicts = conclusions(tmp_path, row(), practical())
    assert [v.author for v in verdicts].count(Author.PAPER) == 1
    assert verdicts[4].author is Author.PAPER
    assert [v.derived for v in verdicts[1:]] == [True, True, False, False, True] + [False] * 5


def test_instances_of_different_condition_are_different(tmp_path):
    rows = [row(condition=c, seed=s) for c in (10.0, 1000.0) for s in (0, 1)]
    _, verdicts = conclusions(tmp_path, *rows)
    assert verdicts[1].cases == 4
    assert "(2 cells, seeds counted once)" in verdicts[1].reason


def test_the_counterexample_is_of_the_instance_that_fails_nearest(tmp_path):
    first = logged(pd.DataFrame([row(**FAILS | {"approx_l2_failed": 1e-4})]), tmp_path, 0)
    second = logged(pd.DataFrame([row(**FAILS, seed=1)]), tmp_path, 1)
    assert basin.judge([first, second])[4].counterexample.run is second


def test_a_scan_without_failure_is_no_failure(tmp_path):
    opened = {f"{name}_failed": math.inf for name in basin.TESTS}
    found, verdicts = conclusions(tmp_path, row(ball=5.0, **opened))
    assert found[1:] == [Conclusion.HOLDS] * 5
    assert "in 1 the scan found no failure" in verdicts[1].reason


def test_a_radius_of_zero_is_below_all_others_and_no_number(tmp_path):
    runs = [logged(pd.DataFrame([row(**FAILS), row(seed=1, **FAILS), row(seed=2)]), tmp_path)]
    assert basin.tables(runs)["radii_table"]["approx_l2"].to_list() == ["below"]
    assert basin.tables(runs)["radii_table"]["exact_l2"].to_list() == ["-1.00"]
    assert lower_median([-math.inf, -math.inf, 0.0]) == -math.inf
    assert lower_median([-math.inf, 1.0, 2.0, 3.0]) == 1.0


def test_every_failure_within_a_ball_leaves_its_own_arrays(tmp_path):
    options = ("n=300", "R=4", "experiment.random=1", "experiment.levels=[theorem]")
    structures = "experiment.structures=[{rows: gaussian, condition: 10000.0}]"
    run, context = probed("basin", tmp_path, *options, structures, "experiment.eps0=0.3")
    table = run.table
    inside = np.log10(table["approx_l2_failed"]) <= table["log10_ball"]
    assert inside.any()
    assert set(context.kept) == {"approx_l2_theorem"}
    kept = context.kept["approx_l2_theorem"]
    distance = np.linalg.norm(kept["x"] - kept["minimiser"])
    assert np.linalg.norm(kept["x_next"] - kept["minimiser"]) > 0.4 * distance
    assert distance == pytest.approx(table["approx_l2_failed"].min(), rel=1e-3)
    assert distance <= kept["ball"]


def test_scans_end_at_the_first_failure():
    found = largest_radius(lambda r: r <= 0.37 or r > 5, scale=1.0)
    assert found.value <= 0.37 <= found.failed
    assert found.failed == pytest.approx(found.value, rel=0.01)
    assert largest_radius(lambda r: True, 1.0).failed == math.inf
    nowhere = largest_radius(lambda r: False, 1.0)
    assert (nowhere.value, nowhere.failed) == (0.0, LOWEST)


def test_scans_begin_inside_a_ball_that_is_smaller_than_their_first_distance():
    found = largest_radius(lambda r: r <= 3e-7, scale=1.0, lowest=1e-7)
    assert found.value == pytest.approx(3e-7, rel=0.01)


@pytest.fixture(scope="module")
def near():
    rng = np.random.default_rng(1)
    A = rng.standard_normal((200, 3)) / 8
    z = A @ np.array([1.0, -0.5, 0.7])
    b = np.exp(z) + z
    b = np.maximum(b, 0) * np.exp(0.3 * rng.standard_normal(200))
    problem = make_problem("softres", A, b / b.sum(), 1e-3)
    x, _ = find_minimiser(problem, problem.zeros())
    return Near(problem, x, ApproxNewton(), seed=0)


def test_exact_steps_contract_near_the_minimiser_and_a_wrong_hessian_does_not(near, monkeypatch):
    p = np.array([1.0, 0.0, 0.0])
    assert near.factor(p, 1e-3, "H", exact=True) < 0.1
    assert near.factor(p, 1e-3, "l2", exact=True) < 0.1
    monkeypatch.setattr(type(near), "_sampled", lambda self, point: 2.0 * point.hessian())
    assert near.factor(p, 1e-3, "H", exact=False) == pytest.approx(0.5, rel=0.01)
    assert near.error(near.x) == pytest.approx(1.0)


def test_the_measured_radius_meets_its_own_definition(near):
    directions = [p for _, p in near.directions(3, np.random.default_rng(0))]
    l = float(np.linalg.eigvalsh(near.H)[0])  # noqa: E741
    radius, M = local_radius(near, directions, 1.0, 0.1 * l)
    assert 0 < radius <= 0.1 * l / M * (1 + 1e-12)
    assert math.isfinite(M)
    for p in directions:
        r = 0.5 * radius
        change = np.linalg.norm(near.problem.at(near.x + r * p).hessian() - near.H, 2)
        assert change <= 1.05 * M * r


def test_the_figure_and_the_sentence(tmp_path):
    runs = [logged(pd.DataFrame([row(), practical(**FAILS)]), tmp_path)]
    assert set(basin.draw(runs)) | set(basin.tables(runs)) == set(basin.CAPTIONS)
    assert "R = 4: 10^2.0 to 10^2.0 times" in basin.headline(runs)
