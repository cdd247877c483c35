"""The regime's judge on made-up runs, and its measurement on a small instance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments import regime
from experiments._breaks import breaks, sentence
from experiments._frontier import falls
from experiments.claim import Conclusion
from experiments.runs import LoggedRun
from softres.problems import make_problem


def logged(table, folder, number=0):
    path = folder / f"run{number}.parquet"
    table.to_parquet(path)
    tags = {
        "status": "measured",
        "command": f"python run.py +experiment=regime seed={number} force=true",
    }
    return LoggedRun(f"id{number}", "regime", {"seed": "0"}, tags, {}, lambda name: path)


def row(level="theorem", **changes):
    good = {
        "R": 4.0, "n": 100, "rows": "gaussian", "condition": 10.0, "level": level,
        "relative": 1e7 if level == "theorem" else float(level),
        "w2_over_theorem": 1.0 if level == "theorem" else float(level) / 1e7,
        "inside": level == "theorem", "w2": 100.0, "norm_x": 1e-7, "loss_fall": 1e-9,
        "data_fall": 1e-9, "data_left": 1.0, "data_curvature": 1e-9, "linear_solve_error": 1e-8,
        "smallest_eigenvalue": 2.0, "log10_start_over_basin": 130.0, "exact_steps": 1,
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
        "python run.py +experiment=regime seed=0 force=true"
    )


def test_weights_that_nobody_needs(tmp_path):
    verdict = judged(tmp_path, row(), row("1.0"), row("0.0", strongly_convex=False))[3]
    assert verdict.conclusion is Conclusion.VIOLATED


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
