"""Growth of a step's cost: a wrong exponent is found out, a right one holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import context, logged

from experiments import cost_per_iteration
from experiments.claim import Conclusion


def run_of(vary, approx, exact=1.0, noise=0.02, scale=1.0):
    """Make steps whose seconds grow with given exponents."""
    rng = np.random.default_rng(0)
    sizes = {"n": [1e3, 1e4, 1e5, 1e6], "d": [4, 16, 64, 256], "nnz": [1e4, 1e5, 1e6]}[vary]
    rows = []
    for size in sizes:
        for repetition in range(4):
            for solver, exponent in (("exact_newton", exact), ("approx_newton", approx)):
                seconds = size**exponent * np.exp(noise * rng.standard_normal())
                row = {"n": 1e6, "d": 5, "nnz": 1e6} | {vary: size}
                rows.append(
                    row
                    | {
                        "solver": solver,
                        "repetition": repetition,
                        "seconds": seconds * (scale if solver == "approx_newton" else 1.0),
                        "seconds_sketch": 0.5 * seconds,
                        "rows_distinct": 10.0,
                    }
                )
    params = {f"experiment__families__{vary}__vary": vary, "experiment__family": vary}
    return logged(pd.DataFrame(rows), **params)


@pytest.mark.parametrize(
    ("vary", "exponent", "conclusion"),
    [
        ("n", 1.0, Conclusion.HOLDS),
        ("n", 2.0, Conclusion.VIOLATED),
        ("d", 2.5, Conclusion.HOLDS),
        ("d", 4.0, Conclusion.VIOLATED),
        ("nnz", 0.8, Conclusion.HOLDS),
        ("nnz", 1.5, Conclusion.VIOLATED),
    ],
)
def test_the_exponent_decides(vary, exponent, conclusion):
    verdict = cost_per_iteration.judge([run_of(vary, exponent)])[0]
    assert verdict.conclusion is conclusion
    assert (verdict.counterexample is not None) == (conclusion is Conclusion.VIOLATED)


def test_growth_that_shows_at_large_sizes_only_is_found_out():
    run = run_of("n", 1.0)
    table = run.table
    steep = table.seconds * np.maximum(1.0, table.n / 1e4)
    run.__dict__["table"] = table.assign(seconds=steep)
    assert cost_per_iteration.judge([run])[0].conclusion is Conclusion.VIOLATED


def test_times_of_parallel_jobs_decide_nothing():
    run = run_of("n", 2.0)
    run.tags["timing_valid"] = "false"
    assert cost_per_iteration.judge([run])[0].conclusion is Conclusion.UNDECIDED


def test_a_crossover_is_measured_where_there_is_one_and_marked_where_there_is_not():
    measured = cost_per_iteration.judge([run_of("n", 0.5, scale=200.0)])[-1]
    assert "(measured)" in measured.measured
    beyond = cost_per_iteration.judge([run_of("n", 0.5, scale=1e5)])[-1]
    assert "not reached" in beyond.measured
    assert "Extrapolated, not measured" in beyond.reason


def test_a_measurement_has_a_row_a_step_and_draws(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    job = context(
        "+experiment=quick/cost_per_iteration",
        "experiment.families.n.sizes=[2000,3000,4000]",
        "experiment.families.n.d=3",
        "experiment.seconds=0.01",
    )
    table = cost_per_iteration.measure(job)
    assert set(table.solver) == {"exact_newton", "approx_newton"}
    assert (table.seconds > 0).all()
    phases = table[[c for c in table if str(c).startswith("seconds_")]].sum(axis=1)
    assert (phases <= table.seconds * (1 + 1e-9)).all()
    runs = [logged(table, experiment__family="n", experiment__families__n__vary="n")]
    assert set(cost_per_iteration.draw(runs)) == {
        "cost_per_iteration",
        "cost_per_iteration_phases",
    }
    assert not cost_per_iteration.tables(runs)["cost_exponents"].empty


def test_both_exponents_are_fitted_where_rows_are_left_out():
    run = run_of("n", 1.0)
    # At the smallest size all rows are kept, and a fixed cost hides the growth.
    all_kept = run.table.n == 1e3
    run.__dict__["table"] = run.table.assign(
        rows_distinct=np.where(all_kept, run.table.n, 10.0),
        seconds=np.where(all_kept, 1e5, run.table.seconds),
    )
    exponents = cost_per_iteration.CLAIM.tables([run])["cost_exponents"]
    whole = exponents[exponents.part == "seconds"].set_index("solver").exponent
    assert whole["exact_newton"] == pytest.approx(1.0, abs=0.02)
    assert whole["approx_newton"] == pytest.approx(1.0, abs=0.02)
    reason = cost_per_iteration.judge([run])[0].reason
    assert "Medians of 3 sizes from 1e+04" in reason
    assert "Exact Newton's exponent over the same is 1" in reason
