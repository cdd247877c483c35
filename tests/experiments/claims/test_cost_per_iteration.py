"""Growth of a step's cost: more than the law is found out, and so is a test without power."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import context, logged

from experiments.claims.sampling import cost_per_iteration, cost_per_iteration_measure
from experiments.claims.sampling.growth import Growth
from experiments.kit.claim import Author, Conclusion
from softres.problems import make_problem

HOLDS, VIOLATED, UNDECIDED = Conclusion.HOLDS, Conclusion.VIOLATED, Conclusion.UNDECIDED


def law(n, d):
    """Seconds of nnz(A) + d^3, with a cost of a step and of a row."""
    return 1e-3 + 1e-7 * n + 5e-9 * n * d + 3e-9 * d**3


def gram(n, d):
    """Seconds of a Gram matrix of all rows."""
    return 1e-3 + 1e-7 * n + 5e-11 * n * d**2 + 1e-9 * d**3


def quadratic(n, d):
    return 1e-14 * n**2 * d**0.5


def run_of(approx, exact=gram, noise=0.03, family="dense"):
    rng = np.random.default_rng(0)
    rows = []
    for n in (5e4, 1e5, 2e5):
        for d in (40.0, 80.0, 160.0, 320.0):
            for repetition in range(3):
                for solver, cost in (("exact_newton", exact), ("approx_newton", approx)):
                    seconds = cost(n, d) * np.exp(noise * abs(rng.standard_normal()))
                    rows.append({
                        "n": n, "d": d, "nnz": n * d, "solver": solver, "repetition": repetition,
                        "seconds": seconds, "seconds_sketch": 0.5 * seconds, "rows_distinct": 10.0,
                    })  # fmt: skip
    return logged(pd.DataFrame(rows), experiment__family=family)


@pytest.mark.parametrize(
    ("approx", "conclusion"), [(law, HOLDS), (gram, VIOLATED), (quadratic, UNDECIDED)]
)
def test_the_law_decides(approx, conclusion):
    (verdict,) = cost_per_iteration.judge([run_of(approx)])
    assert verdict.conclusion is conclusion
    assert (verdict.counterexample is not None) == (conclusion is VIOLATED)
    assert verdict.author is Author.PAPER
    assert verdict.cases == 12  # sizes, however often each was timed


def test_a_test_that_exact_newton_passes_decides_nothing():
    (verdict,) = cost_per_iteration.judge([run_of(law, exact=law)])
    assert verdict.conclusion is UNDECIDED
    assert "does not tell it apart" in verdict.reason


def test_times_of_parallel_jobs_decide_nothing():
    run = run_of(gram)
    run.tags["timing_valid"] = "false"
    assert cost_per_iteration.judge([run])[0].conclusion is UNDECIDED


@pytest.mark.parametrize("power", [-0.3, 0.0, 0.5, 1.0])
def test_the_exponent_is_that_of_a_further_entry_whatever_d_costs_by_itself(power):
    n, d = (axis.ravel() for axis in np.meshgrid([1e4, 4e4, 9e4], [20.0, 70.0, 300.0]))
    seconds = 1e-3 + 1e-8 * d**3 + 1e-9 * n * d * d**power
    growth = Growth(pd.DataFrame({"n": n, "d": d, "nnz": n * d, "seconds": seconds}))
    assert growth.exponent.value == pytest.approx(power, abs=1e-6)
    assert growth.entries[70.0] == pytest.approx(1e-9 * 70.0**power)
    assert growth.misfits["lines"] < 1e-9


def test_two_sizes_of_n_leave_no_noise_to_tell_by():
    run = run_of(law)
    run.__dict__["table"] = run.table[run.table.n < 2e5]
    assert cost_per_iteration.judge([run])[0].conclusion is UNDECIDED


def test_both_growths_are_reported_with_the_same_test():
    tables = cost_per_iteration.CLAIM.tables([run_of(law)])
    laws = tables["cost_laws"].set_index("solver")["follows nnz + d^3"]
    assert laws["approx_newton"] == "holds"
    assert laws["exact_newton"] == "violated"
    assert len(tables["cost_sizes"]) == 12
    assert "the cheaper one at" in cost_per_iteration.headline([run_of(law)])


SMALL = (
    "experiment=quick/cost_per_iteration",
    "experiment.families.dense.n=[2000,3000,4000]",
    "experiment.families.dense.d=[3,8]",
)


def test_a_measurement_has_a_row_a_step_and_draws(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    table = cost_per_iteration.measure(context(*SMALL))
    assert set(table.solver) == {"exact_newton", "approx_newton"}
    assert (table.seconds > 0).all()
    assert len(table.groupby(["n", "d"])) == 6
    runs = [logged(table, experiment__family="dense")]
    made = set(cost_per_iteration.draw(runs)) | set(cost_per_iteration.CLAIM.tables(runs))
    assert made == set(cost_per_iteration.CAPTIONS)


@pytest.mark.parametrize(
    ("options", "squared"),
    [
        (["weights=absolute", "weights.value=0.5"], 0.5),
        (["weights=none"], 0.0),
        (["weights=theorem"], 100.0 + 1.0 / 0.4**2),
    ],
)
def test_weights_are_those_asked_for(options, squared, monkeypatch):
    seen = []

    def caught(name, A, b, *w):
        seen.extend(w)
        return make_problem(name, A, b, *w)

    monkeypatch.setattr(cost_per_iteration_measure, "make_problem", caught)
    cost_per_iteration_measure._problem(context(*SMALL, *options), 200, 4, 1.0)
    assert seen[-1] ** 2 == pytest.approx(squared)
