"""Lemma A.8: leverage sampling keeps its promise; uniform sampling in its name does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import conclusions, context, logged

from experiments import sparsifier
from experiments.claim import Conclusion
from experiments.sparsifier_measure import SKETCHES, reduced_gram
from softres.matrices import as_matrix

SMALL = (
    "+experiment=quick/sparsifier",
    "n=1500",
    "d=5",
    "data.rows=coherent",
    "experiment.repetitions=200",
    "experiment.multiples=[60,120]",
    "experiment.eps0=[]",
    "experiment.timing.n=[1000,2000,4000]",
    "experiment.timing.d=10",
)
PARAMS = {"data__rows": "coherent", "experiment__delta": 0.01, "experiment__constant": 1.0}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTRES_CACHE", str(tmp_path_factory.mktemp("cache")))
    found = sparsifier.measure(context(*SMALL))
    patch.undo()
    return found


def proven(table):
    return sparsifier.judge([logged(table, **PARAMS)])[0]


def test_leverage_sampling_keeps_the_error_that_can_be_proven(table):
    assert "proven" in proven(table).statement
    assert proven(table).conclusion is Conclusion.HOLDS


def test_uniform_sampling_in_its_place_is_found_out(table):
    errors = table[table.sketch == "uniform"].assign(sketch="leverage")
    verdict = proven(errors)
    assert verdict.conclusion is Conclusion.VIOLATED
    assert verdict.counterexample.artifact == "worst.npz"


def test_too_few_cases_decide_nothing(table):
    few = table[table.repetition < 20]
    assert proven(few).conclusion is Conclusion.UNDECIDED


def timed(exponent):
    sizes = np.repeat([1e4, 1e5, 1e6, 1e7], 3)
    rows = {"part": "time", "nnz": sizes, "width": 5}
    sketched = pd.DataFrame(rows | {"sketch": "leverage", "seconds": 1e-8 * sizes**exponent})
    exact = pd.DataFrame(rows | {"sketch": "exact", "seconds": 1e-8 * sizes})
    return pd.concat([sketched, exact], ignore_index=True)


@pytest.mark.parametrize(("exponent", "word"), [(1.0, "HOLDS"), (1.5, "VIOLATED")])
def test_the_exponent_of_time_decides(table, exponent, word):
    both = pd.concat([table[table.part == "error"], timed(exponent)], ignore_index=True)
    found = conclusions(sparsifier.judge([logged(both, **PARAMS)]))
    assert found["scores and sample cost about nnz(A)"] == word


@pytest.mark.parametrize("name", SKETCHES)
def test_every_sketch_is_unbiased(name):
    rng = np.random.default_rng(0)
    A, D = rng.standard_normal((400, 3)), rng.random(400) + 0.5
    matrix = as_matrix(A)
    mean = sum(reduced_gram(name, matrix, D, 100, rng) for _ in range(300)) / 300
    exact = A.T @ (D[:, None] * A)
    assert np.linalg.norm(mean - exact) < 0.05 * np.linalg.norm(exact)


def test_the_proven_accuracy_solves_its_equation():
    eps0 = sparsifier.proven_eps0(5000.0, 10.0, 0.01)
    rows = 2 * (1 + eps0 / 3) * 10 * np.log(2 * 10 / 0.01) / eps0**2
    assert rows == pytest.approx(5000.0)


def test_figures_and_tables_come_from_runs_alone(table):
    runs = [logged(table, **PARAMS)]
    assert set(sparsifier.draw(runs)) == {"sparsifier", "sparsifier_time"}
    assert not sparsifier.tables(runs)["sparsifier"].empty
