"""Failures against delta: too few rows are found out, enough rows hold."""

from __future__ import annotations

import pandas as pd
import pytest
from logged import context, logged

from experiments import success_probability
from experiments.claim import Conclusion


def table_of(failures, trials, part="sparsifier"):
    failed = [1] * failures + [0] * (trials - failures)
    return pd.DataFrame({"part": part, "C": 1.0, "failed": failed, "measured": 0.5})


def judged(table):
    return success_probability.judge([logged(table, experiment__delta=0.01)])


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("failures", "trials", "conclusion"),
    [
        (0, 400, Conclusion.HOLDS),
        (0, 100, Conclusion.UNDECIDED),
        (10, 1000, Conclusion.UNDECIDED),
        (30, 1000, Conclusion.VIOLATED),
    ],
)
def test_the_exact_interval_decides(failures, trials, conclusion):
    (verdict,) = judged(table_of(failures, trials))
    assert verdict.conclusion is conclusion
    assert verdict.cases == trials


def test_each_part_and_each_constant_is_judged_by_itself():
    many = pd.concat([table_of(30, 1000), table_of(0, 1000, "run")])
    assert [v.conclusion for v in judged(many)] == [Conclusion.HOLDS, Conclusion.VIOLATED]


def test_too_small_a_constant_fails_in_a_measurement(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    job = context(
        "+experiment=quick/success_probability",
        "n=600",
        "d=4",
        "experiment.constants=[0.05,3]",
        "experiment.sparsifiers=400",
        "experiment.runs=5",
    )
    table = success_probability.measure(job)
    found = {(v.statement.endswith("C = 3"), v.statement[:3]): v for v in judged(table)}
    assert found[False, "one"].conclusion is Conclusion.VIOLATED
    assert found[True, "one"].conclusion is Conclusion.HOLDS
    assert found[False, "a r"].conclusion is not Conclusion.HOLDS
    assert "worst" in job.kept
    runs = [logged(table, experiment__delta=0.01)]
    assert list(success_probability.draw(runs)) == ["success_probability"]
    assert len(success_probability.tables(runs)["success_probability"]) == 4


def test_a_matrix_that_lacks_rank_is_measured_in_its_row_space(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    few = [f"experiment.{key}" for key in ("constants=[1]", "sparsifiers=5", "runs=2")]
    job = context("+experiment=quick/success_probability", "data=digits", "n=null", "d=null", *few)
    table = success_probability.measure(job)
    assert job.prepared.certificate.rank == 61
    assert list(table.part) == 5 * ["sparsifier"] + 2 * ["run"]
    assert (table.failed == 0).all()
    assert table.measured.between(0, 1, inclusive="neither").all()
