"""Theorem 9.1's count of steps: linear growth with a small slope holds, all else does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import logged

from experiments import iterations
from experiments.claim import Conclusion


def trace(errors):
    steps = np.arange(len(errors))
    return pd.DataFrame(
        {"step": steps, "relative_error_l2": errors, "rows_distinct": 100.0 + 0 * steps}
    )


def runs_of(*errors):
    return [
        logged(
            trace(values),
            number,
            problem="softres",
            n=1000,
            d=5,
            eps=1e-12,
            weights="relative",
            solver="approx_newton",
            solver__eps0=0.08,
        )
        for number, values in enumerate(errors)
    ]


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


def test_steps_are_counted_to_the_first_iterate_that_meets_a_goal():
    counts = iterations.steps_to(trace(np.array([1.0, 1e-3, 1e-2, 1e-5])), (1e-2, 1e-4, 1e-9))
    assert list(counts.steps) == [1, 3]


def test_figures_and_tables_come_from_runs_alone():
    runs = runs_of(linear(0.1), linear(0.2))
    assert list(iterations.draw(runs)) == ["iterations"]
    assert not iterations.tables(runs)["iterations"].empty
