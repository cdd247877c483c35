"""Theorem 9.1's count of steps: linear growth with a small slope holds, all else does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import logged

from experiments.claims.contraction import iterations
from experiments.kit.claim import Author, Conclusion


def trace(errors):
    steps = np.arange(len(errors))
    return pd.DataFrame(
        {"step": steps, "relative_error_l2": errors, "rows_distinct": 100.0 + 0 * steps}
    )


def run_of(values, number=0, **changes):
    facts = {
        "problem": "softres", "n": 1000 * (number + 1), "d": 5, "eps": 1e-12,
        "weights": "relative", "solver": "approx_newton", "solver__eps0": 0.08,
    }  # fmt: skip
    return logged(trace(values), number, **(facts | changes))


def runs_of(*errors):
    """Runs of different sizes, with these errors."""
    return [run_of(values, number) for number, values in enumerate(errors)]


def linear(factor, count=80):
    return np.maximum(factor ** np.arange(count), 1e-13)


@pytest.mark.parametrize(
    ("errors", "conclusion"),
    [
        (linear(0.1), Conclusion.HOLDS),
        (linear(0.39), Conclusion.HOLDS),
        (linear(0.6), Conclusion.VIOLATED),  # too steep
        (linear(0.1)[:8], Conclusion.VIOLATED),  # stops short of 1e-12
        # Sublinear convergence: T grows like the square of the logarithm.
        (np.exp(-6 * np.sqrt(np.arange(30))), Conclusion.VIOLATED),
    ],
)
def test_the_verdict_follows_the_trace(errors, conclusion):
    (verdict,) = iterations.judge(runs_of(errors, errors * 0.99, errors * 0.98))
    assert verdict.conclusion is conclusion
    assert (verdict.counterexample is not None) == (conclusion is Conclusion.VIOLATED)


def test_a_fast_run_that_fits_nothing_is_empty():
    runs = runs_of(linear(0.1), linear(0.1) * 0.99)
    for run in runs:
        run.__dict__["table"] = run.table.assign(data_loss=np.linspace(1, 1 - 1e-8, 80))
    (verdict,) = iterations.judge(runs)
    assert verdict.conclusion is Conclusion.EMPTY


def test_the_slope_is_that_of_the_factor():
    (verdict,) = iterations.judge(runs_of(linear(0.1), linear(0.1) * 0.99))
    assert verdict.looseness == pytest.approx(np.log(10) / np.log(2.5), rel=0.05)


def test_a_single_run_decides_nothing():
    (verdict,) = iterations.judge(runs_of(linear(0.1)))
    assert verdict.conclusion is Conclusion.UNDECIDED


def test_seeds_of_one_size_are_one_case_of_the_interval():
    runs = [run_of(linear(0.1) * 0.99**k, k, n=1000) for k in range(5)]
    (verdict,) = iterations.judge(runs)
    assert verdict.conclusion is Conclusion.UNDECIDED
    assert "(1 cell," in verdict.reason


def test_the_papers_problem_weights_and_accuracy_are_judged_by_themselves():
    slow, fast = linear(0.6), linear(0.1)
    runs = [run_of(fast, k, weights="theorem") for k in range(3)]
    runs += [run_of(slow, 3 + k, weights="theorem", problem="softmax") for k in range(3)]
    runs += [run_of(slow, 6 + k, weights="theorem", solver__eps0=0.25) for k in range(3)]
    first, *others = iterations.judge(runs)
    assert (first.author, first.conclusion) == (Author.PAPER, Conclusion.HOLDS)
    assert first.statement.endswith("the theorem's weights, eps0 = 0.08, softres")
    assert [v.author for v in others] == [Author.OURS] * 2
    assert {v.conclusion for v in others} == {Conclusion.VIOLATED}


def test_steps_are_counted_to_the_first_iterate_that_meets_a_goal():
    counts = iterations.steps_to(trace(np.array([1.0, 1e-3, 1e-2, 1e-5])), (1e-2, 1e-4, 1e-9))
    assert list(counts.steps) == [1, 3]


def test_figures_and_tables_come_from_runs_alone():
    runs = runs_of(linear(0.1), linear(0.2))
    assert list(iterations.draw(runs)) == ["iterations"]
    assert not iterations.tables(runs)["iterations"].empty
