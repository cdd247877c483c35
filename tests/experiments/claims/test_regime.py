"""The regime's judge on made-up runs, and its measurement on a small instance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.claims.practice import regime
from experiments.claims.practice.breaks import breaks, sentence
from experiments.claims.practice.frontier import falls
from experiments.kit.claim import Author, Conclusion
from experiments.kit.runs import LoggedRun
from softres.problems import make_problem


def logged(table, folder, number=0):
    path = folder / f"run{number}.parquet"
    table.to_parquet(path)
    tags = {
        "status": "measured",
        "command": f"python run.py experiment=regime seed={number} force=true",
    }
    return LoggedRun(f"id{number}", "regime", {"seed": str(number)}, tags, {}, lambda name: path)


def row(level="theorem", **changes):
    good = {
        "R": 4.0, "n": 100, "d": 4, "rows": "gaussian", "condition": 10.0, "level": level,
        "relative": 1e7 if level == "theorem" else float(level),
        "w2_over_theorem": 1.0 if level == "theorem" else float(level) / 1e7,
        "inside": level == "theorem", "w2": 100.0, "norm_x": 1e-7, "loss_fall": 1e-9,
        "data_fall": 1e-9, "data_left": 1.0, "data_curvature": 1e-9, "linear_solve_error": 1e-8,
        "smallest_eigenvalue": 2.0, "log10_start_over_basin": 130.0, "start_proven": True,
        "exact_steps": 1,
        "exact_converged": True, "negative_eigenvalues": 0, "path_eigenvalue": 2.0,
        "approx_steps": 6, "approx_converged": True, "rows_drawn": 50.0, "contraction_l2": 0.1,
        "contraction_H": 0.05, "local_contraction_l2": 0.1, "local_contraction_H": 0.05,
        "strongly_convex": True,
    }  # fmt: skip
    return good | changes


def judged(folder, *rows):
    return regime.judge([logged(pd.DataFrame(rows), folder)])


def test_nothing_left_is_empty(tmp_path):
    verdicts = judged(tmp_path, row(), row("1.0", negative_eigenvalues=2))
    assert [v.conclusion for v in verdicts] == [Conclusion.EMPTY] * 3 + [Conclusion.HOLDS]
    assert "empty if" in verdicts[0].reason
    assert [v.author for v in verdicts] == [Author.OURS, Author.OURS, Author.PAPER, Author.OURS]


@pytest.mark.parametrize("change", [{"loss_fall": 0.2}, {"linear_solve_error": 0.5}])
def test_something_left_is_not_empty(tmp_path, change):
    verdicts = judged(tmp_path, row(**change), row("1.0", negative_eigenvalues=2))
    assert verdicts[0].conclusion is Conclusion.HOLDS
    assert verdicts[1].conclusion is Conclusion.HOLDS


@pytest.mark.parametrize(
    ("change", "which"),
    [({"contraction_H": 0.41}, [1]), ({"contraction_l2": 0.9}, [2]),
     ({"strongly_convex": False}, [1, 2])],
)  # fmt: skip
def test_failures_within_the_assumptions(tmp_path, change, which):
    verdicts = judged(tmp_path, row(), row(**change), row("1.0", negative_eigenvalues=2))
    for index in (1, 2):
        violated = verdicts[index].conclusion is Conclusion.VIOLATED
        assert violated == (index in which)
    assert verdicts[which[0]].counterexample.command == (
        "python run.py experiment=regime seed=0 force=true"
    )


def test_weights_are_needed_where_the_next_smaller_ones_fail(tmp_path):
    verdict = judged(tmp_path, row(), row("1.0", negative_eigenvalues=2), row("0.0"))[3]
    assert verdict.conclusion is Conclusion.HOLDS
    assert "at the next smaller weights, 10^-7.0 of them" in verdict.measured


@pytest.mark.parametrize("at_zero", [{"approx_steps": 40}, {"strongly_convex": False}])
def test_weights_are_not_needed_where_much_smaller_ones_do(tmp_path, at_zero):
    verdict = judged(tmp_path, row(), row("1.0"), row("0.0", **at_zero))[3]
    assert verdict.conclusion is Conclusion.VIOLATED
    assert verdict.counterexample is not None
    fails = "approx_steps" in at_zero
    expected = "down to 10^-7.0 of them; the first failure is at 0" if fails else "none fails"
    assert expected in verdict.measured


def test_what_fails_with_the_theorems_own_weights_does_not_need_them(tmp_path):
    slow = {"contraction_l2": 0.8}
    verdict = judged(tmp_path, row(**slow), row("1.0", **slow), row("0.0", **slow))[3]
    assert verdict.conclusion is Conclusion.VIOLATED


def test_without_smaller_weights_nothing_is_decided(tmp_path):
    assert judged(tmp_path, row())[3].conclusion is Conclusion.UNDECIDED


def test_a_start_outside_the_proven_basin_decides_nothing(tmp_path):
    far = row(contraction_l2=0.9, start_proven=False)
    verdicts = judged(tmp_path, far, row("1.0"))
    assert [v.conclusion for v in verdicts[1:3]] == [Conclusion.UNDECIDED] * 2
    beside = judged(tmp_path, far, row(), row("1.0"))
    assert [v.conclusion for v in beside[1:3]] == [Conclusion.EMPTY] * 2


def test_seeds_of_one_kind_of_instance_count_once_for_what_could_be_seen(tmp_path):
    runs = [
        logged(pd.DataFrame([row(), row("1.0", negative_eigenvalues=1)]), tmp_path, seed)
        for seed in range(3)
    ]
    verdict = regime.judge(runs)[1]
    assert verdict.cases == 3
    assert "(1 cell," in verdict.reason


def test_the_share_of_a_break_is_that_of_the_case_which_fails():
    # The same level is another share of the theorem's weights where n is small.
    few = row("1.0", n=60, w2_over_theorem=1e-3, contraction_H=0.9)
    (found, *_) = breaks(pd.DataFrame([row(), row("1.0"), row("1.0"), few]))
    assert found.share == pytest.approx(1e-3)
    assert (found.failed, found.cases) == (1, 3)


def test_the_order_of_the_breaks():
    table = pd.DataFrame(
        [row(), row("1.0", negative_eigenvalues=1), row("0.0", negative_eigenvalues=2,
                                                         approx_steps=40)]
    )  # fmt: skip
    found = breaks(table)
    assert [b.conclusion.split()[0] for b in found[:2]] == ["H", "T"]
    assert found[0].share == pytest.approx(1e-7)
    assert found[1].share == 0.0
    text = sentence(found)
    assert "first to break is “H positive definite on the path” at 1e-07 of it (1 of 1" in text
    assert "“T <= 26 steps to 1e-10” at w² = 0" in text


def test_the_fall_of_the_loss_is_right_where_subtraction_is_not():
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((60, 3)), rng.random(60)
    problem = make_problem("softres", A, b / b.sum(), 0.3)
    x = 0.1 * rng.standard_normal(3)
    loss, data = falls(problem, x)
    zero, there = problem.at(problem.zeros()), problem.at(x)
    assert loss == pytest.approx(zero.value - there.value, rel=1e-10)
    assert data == pytest.approx(zero.data_value - there.data_value, rel=1e-10)
    # To first order -<g, x>, far below the rounding of the two values.
    assert falls(problem, 1e-14 * x)[0] == pytest.approx(-1e-14 * zero.gradient @ x, rel=1e-6)


def test_figures_and_tables_come_from_the_same_runs(tmp_path):
    runs = [logged(pd.DataFrame([row(), row("1.0"), row("0.0")]), tmp_path)]
    assert set(regime.draw(runs)) | set(regime.tables(runs)) == set(regime.CAPTIONS)
    assert "leave nothing to solve" in regime.headline(runs)
