"""The comparison of the three problems: ratios, verdicts, and a small measurement."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from experiments import unification
from experiments.claim import Conclusion
from experiments.runs import LoggedRun
from softres.data.weights import WeightOptions


def logged(table, folder):
    path = folder / "run.parquet"
    table.to_parquet(path)
    tags = {
        "status": "measured",
        "command": "python run.py +experiment=unification seed=1 force=true",
    }
    return LoggedRun("id", "unification", {}, tags, {}, lambda name: path)


def rows(softres, softmax, resnet, kinds=6, **changes):
    table = []
    for kind in range(kinds):
        for name, factor in (("softres", softres), ("softmax", softmax), ("resnet", resnet)):
            spread = 1.0 + 0.01 * kind * (name == "softres")
            good = {
                "kind": f"kind {kind}", "problem": name, "R": 1.0, "n": 10, "d": 2,
                "condition": 100.0 * factor * spread, "condition_on_path": 100.0, "indefinite": 0,
                "steps": 5.0 * factor * spread, "passes": 20, "seconds": 0.1, "converged": True,
                "error": 1e-12, "gap": 0.0,
            }  # fmt: skip
            table.append(good | changes)
    return pd.DataFrame(table)


def conclusions(folder, table):
    return [v.conclusion for v in unification.judge([logged(table, folder)])]


def test_easier_harder_and_alike(tmp_path):
    holds, violated = Conclusion.HOLDS, Conclusion.VIOLATED
    assert conclusions(tmp_path, rows(0.5, 1, 1)) == [holds] * 5
    assert conclusions(tmp_path, rows(1, 2, 0.5)) == [holds, holds, violated, holds, violated]


def test_a_wide_interval_decides_nothing(tmp_path):
    table = rows(1, 1, 1)
    table.loc[table.index % 6 == 0, "condition"] *= 100
    table.loc[table.index % 6 == 3, "condition"] /= 100
    assert conclusions(tmp_path, table)[1] is Conclusion.UNDECIDED


def test_a_solve_that_does_not_converge_violates(tmp_path):
    verdict = unification.judge([logged(rows(1, 1, 1, converged=False), tmp_path)])[0]
    assert verdict.conclusion is Conclusion.VIOLATED
    assert (
        verdict.counterexample.command == "python run.py +experiment=unification seed=1 force=true"
    )


def test_ratios_are_of_the_same_instance(tmp_path):
    table = rows(3, 1, 1).assign(run="id")
    found = unification.ratio(table, "condition", "softmax")
    assert found.value == pytest.approx(3.07, rel=0.01)
    assert found.low < found.value < found.high < 3.2


def test_the_measurement_solves_each_problem_to_its_own_optimum():
    settings = SimpleNamespace(
        n=60, d=3, seed=1, weights=WeightOptions(),
        experiment={"structures": [{"condition": 5.0}], "sizes": [2.0]},
    )  # fmt: skip
    table = unification.measure(SimpleNamespace(settings=settings))
    assert list(table["problem"]) == ["softres", "softmax", "resnet"]
    assert table["converged"].all()
    assert table["certified"].all()
    assert table["gap"].max() < 1e-12
    assert table["condition"].nunique() == 3


def test_the_figure_and_the_sentence(tmp_path):
    runs = [logged(rows(1, 2, 0.5), tmp_path)]
    figures, tables = unification.draw(runs), unification.tables(runs)
    assert set(figures) | set(tables) == set(unification.CAPTIONS)
    assert "times softmax's" in unification.headline(runs)
