"""Real instances: a small measurement, and verdicts that follow from the tables alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from probing import probed

from experiments.claims.practice import large_data
from experiments.claims.practice.one_solve import fit_of, residuals, solve_once
from experiments.kit.claim import Author, Conclusion
from experiments.kit.runs import LoggedRun
from softres.data.sets import digits
from softres.linalg.nullspace import null_basis
from softres.problems import make_problem

pytestmark = pytest.mark.usefixtures("one_thread")

HOLDS, VIOLATED = Conclusion.HOLDS, Conclusion.VIOLATED
GOOD = {
    "data": "digits", "problem": "softres", "solver": "preconditioned_newton", "n": 10, "d": 2,
    "rank": 2, "condition_A": 3.0, "condition": 9.0, "certified": True, "definite": True,
    "relative_loss": 0.1, "kl": 0.2, "unfit": 0.0, "status": "converged", "steps": 9,
    "seconds": 0.1, "passes": 40.0, "grams": 8.0, "loss": 1.0, "best": 1.0, "error": 1e-11,
    "left": 1e-11, "same": True, "steps_2": 4.0, "steps_8": 8.0, "seconds_8": 0.1,
    "rows_read": np.nan, "holds_weights": False, "holds_alpha": True,
}  # fmt: skip
OTHER = {"solver": "scipy_lbfgs", "seconds_8": 0.5, "steps_8": 90.0}


#: Five more data sets, each with the default solver and the paper's.
MANY = [
    {"data": f"data {number}"} | solver
    for number in range(5)
    for solver in ({}, {"solver": "approx_newton", "steps_2": 3.0, "rows_read": 0.4})
]


def run_of(*changes):
    table = pd.DataFrame([GOOD | change for change in ({}, OTHER, *changes)])
    run = LoggedRun(
        "id",
        "large",
        {},
        {"timing_valid": "true", "command": "python run.py x=1 force=true"},
        {},
        lambda _: _,
    )
    run.__dict__["table"] = table
    return run


def judged(*changes):
    return {verdict.statement: verdict for verdict in large_data.judge([run_of(*changes)])}


def found(verdicts, start):
    (verdict,) = (v for s, v in verdicts.items() if s.startswith(start))
    return verdict


STATEMENTS = {
    "The default solver reaches": {"left": 2e-8},
    "The Hessian is": {"definite": False},
    "Every solver that converges": {"same": False, "steps_8": np.nan},
    "Outside the theorem": {"solver": "approx_newton", "steps_2": 0.0, "steps_8": 16.0,
                            "rows_read": 0.4},
}  # fmt: skip


@pytest.mark.parametrize("statement", STATEMENTS)
def test_one_bad_instance_violates_one_statement_and_is_named(statement):
    assert found(judged(*MANY), statement).conclusion is HOLDS
    bad = {"data": "flights"} | STATEMENTS[statement]
    verdict = found(judged(*MANY, bad), statement)
    assert verdict.conclusion is VIOLATED
    assert verdict.author is Author.OURS
    assert "flights (softres)" in verdict.reason
    assert verdict.counterexample.command == "python run.py x=1 force=true"
    others = [s for s in STATEMENTS if s != statement]
    assert all(found(judged(*MANY, bad), other).conclusion is HOLDS for other in others)


def test_few_data_sets_do_not_say_that_a_statement_holds_on_every_one():
    verdict = found(judged(), "The default solver reaches")
    assert verdict.conclusion is Conclusion.UNDECIDED
    assert verdict.cases == 1
    assert "on a share of 0.95" in verdict.reason
    many = judged({"problem": "softmax"}, {"problem": "resnet"}, *MANY)
    assert found(many, "The default solver reaches").cases == 6  # data sets, not problems


def test_a_solve_that_is_cut_short_decides_nothing():
    late = {"data": "flights", "left": 0.1, "status": "time limit reached"}
    verdict = found(judged(*MANY, late), "The default solver reaches")
    assert verdict.conclusion is Conclusion.UNDECIDED
    assert verdict.measured.startswith("6 of 7")
    failed = late | {"data": "babynames", "status": "stalled"}
    assert found(judged(*MANY, late, failed), "The default solver reaches").conclusion is VIOLATED


def test_the_rate_is_judged_on_the_theorems_method_where_it_samples():
    steep = {"solver": "approx_newton", "steps_2": 0.0, "steps_8": 16.0, "rows_read": 1.0}
    verdict = found(judged(*MANY, steep), "Outside the theorem")
    assert verdict.conclusion is HOLDS
    assert "1 of 6 solves are left out" in verdict.reason
    steep_default = {"steps_2": 0.0, "steps_8": 16.0}
    assert found(judged(*MANY, steep_default), "Outside the theorem").conclusion is HOLDS


def test_assumptions_and_times_are_compared_not_judged():
    run = run_of(*MANY, OTHER | {"solver": "exact_newton", "seconds_8": 0.05})
    run.__dict__["table"]["problem"] = "softmax"  # of soft-residual ones rows are listed
    assert len(large_data.judge([run])) == len(STATEMENTS)
    table = large_data.CLAIM.tables([run])["assumptions"].set_index("data")
    assert not table.loc["digits", "min w^2 >= C + l / sigma_min^2"]
    assert table.loc["digits", "alpha >= beta on the way"]
    assert "fastest solver to 1e-8 on 5 of 6" in large_data.headline([run])


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    solvers = "experiment.solvers=[preconditioned_newton,exact_newton,scipy_lbfgs]"
    run, context = probed("large_data", folder, "data=digits", "problem=softres", solvers)
    for name, arrays in context.kept.items():
        np.savez(folder / f"{name}.npz", **arrays)
    return run, context


def test_digits_are_solved_and_described(measured):
    run, context = measured
    table = run.table.set_index("solver")
    newton = table.loc[["preconditioned_newton", "exact_newton"]]
    assert (newton["left"] <= 1e-8).all()
    assert newton["same"].all()
    assert table["rank"].eq(61).all()
    assert table["definite"].all()
    assert not table["holds_weights"].any()
    assert table["holds_target"].all()
    problem = context.prepared.problem
    values = np.linalg.eigvalsh(problem.hessian(context.prepared.minimiser))[-61:]
    assert table["condition"].iloc[0] == pytest.approx(values[-1] / values[0], rel=1e-6)
    trace = context.kept["traces"]["exact_newton"]
    assert len(trace) == 1 + table.loc["exact_newton", "steps"]
    reached = int(table.loc["exact_newton", "steps_8"])
    assert trace[reached, 1] <= 1e-8 < trace[reached - 1, 1]


def test_figures_tables_and_the_sentence(measured):
    run, _ = measured
    made = set(large_data.draw([run])) | set(large_data.CLAIM.tables([run]))
    assert made == {"convergence", "seconds", "instances", "solvers", "residuals", "assumptions"}
    assert made <= set(large_data.CAPTIONS)
    assert "in 1 of 1 cases" in large_data.headline([run])


def test_the_time_limit_is_no_minimum(measured):
    prepared = measured[1].prepared
    null = null_basis(prepared.problem.matrix)
    row, trace = solve_once(prepared, null, "gradient_descent", 1e-10, 1e-6, 0)
    assert row["status"].startswith("time limit")
    assert row["left"] > 1e-8
    assert np.isnan(row["steps_8"])
    assert trace[0, 1] == 1.0


def test_the_fit_is_measured_where_the_model_is_positive():
    A, b = np.array([[1.0], [-2.0], [0.5]]), np.array([0.5, 0.25, 0.25])
    problem = make_problem("softres", A, b)
    point = problem.at(np.array([1.0]))  # exp(-2) - 2 < 0: the second row has no share
    fit = fit_of(point, problem.at(np.zeros(1)))
    f = point.f
    assert f[1] < 0
    assert fit["unfit"] == 0.25
    wanted = 0.5 * np.log(0.5 / f[0]) + 0.25 * np.log(0.25 / f[2])
    assert fit["kl"] == pytest.approx(wanted, rel=1e-12)
    assert fit["relative_loss"] == pytest.approx(
        np.sum((f - b) ** 2) / np.sum((1 / 3 - b) ** 2), rel=1e-12
    )


def test_the_worst_rows_come_first_by_name():
    instance = digits.load()
    problem = make_problem("softmax", instance.A, instance.b)
    point = problem.at(problem.start())
    kept = residuals(instance, point)
    gaps = np.abs(kept["worst_f"] - kept["worst_b"])
    assert (np.diff(gaps) <= 0).all()
    assert gaps[0] == np.abs(point.f - instance.b).max()
    row = int(np.argmax(np.abs(point.f - instance.b)))
    name = str(row) if instance.labels is None else instance.labels[row]
    assert kept["worst"][0] == name
