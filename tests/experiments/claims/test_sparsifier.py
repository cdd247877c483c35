"""Lemma A.8: leverage sampling keeps its promise; uniform sampling in its name does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import context, logged

from experiments.claims.sampling import sparsifier
from experiments.claims.sampling.sparsifier_measure import SKETCHES, reduced_gram
from experiments.kit.claim import Author, Conclusion
from softres.matrices import as_matrix

SMALL = (
    "experiment=quick/sparsifier",
    "n=1500",
    "d=5",
    "data.rows=coherent",
    "experiment.repetitions=200",
    "experiment.multiples=[60,120]",
    "experiment.eps0=[]",
)
PARAMS = {
    "data__rows": "coherent",
    "seed": 0,
    "experiment__delta": 0.01,
    "experiment__constant": 2.25,
}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTRES_CACHE", str(tmp_path_factory.mktemp("cache")))
    job = context(*SMALL)
    found = sparsifier.measure(job)
    patch.undo()
    return found, job.kept["worst"]


@pytest.fixture(scope="module")
def table(measured):
    return measured[0]


def judged(*tables, **changes):
    runs = [logged(table, k, **(PARAMS | changes)) for k, table in enumerate(tables)]
    return sparsifier.judge(runs)


def test_leverage_sampling_keeps_what_is_promised(table):
    lemma, ours = judged(table)
    assert lemma.statement.startswith("Lemma A.8: for some constant C")
    assert ours.statement.startswith("C = 2.25 is enough")
    assert [v.conclusion for v in (lemma, ours)] == [Conclusion.HOLDS] * 2
    assert [v.author for v in (lemma, ours)] == [Author.PAPER, Author.OURS]
    assert lemma.cases == ours.cases == 1  # 400 sketches of one instance


def test_uniform_sampling_in_its_place_is_found_out(table):
    errors = table[table.sketch == "uniform"].assign(sketch="leverage")
    lemma, ours = judged(errors)
    assert ours.conclusion is Conclusion.VIOLATED
    assert ours.counterexample.artifact == "worst.npz"
    assert lemma.conclusion is Conclusion.UNDECIDED  # it may hold with more rows still


def test_too_few_cases_decide_nothing(table):
    assert judged(table[table.repetition < 20])[0].conclusion is Conclusion.UNDECIDED


def test_one_bad_instance_among_good_ones_decides(table):
    bad = table[table.sketch == "uniform"].assign(sketch="leverage")
    verdict = judged(table, table, bad)[1]
    assert verdict.conclusion is Conclusion.VIOLATED
    assert verdict.counterexample.run.run_id == "run-2"
    assert verdict.cases == 3


def test_what_is_kept_is_the_failing_instance_with_its_sample(measured):
    table, kept = measured
    A, D, at = kept["A"], kept["diagonal"], kept["index"]
    sampled = A[at].T @ ((D[at] * kept["weight"])[:, None] * A[at])
    exact = A.T @ (D[:, None] * A)
    root = np.linalg.inv(np.linalg.cholesky(exact))
    error = np.abs(np.linalg.eigvalsh(root @ (sampled - exact) @ root.T)).max()
    own = table[(table.sketch == "leverage") & (table.rows == kept["rows"])]
    assert error == pytest.approx(own.error.max(), rel=1e-6)


def timed(power, exact=1.0):
    """Seconds that grow like nnz d^power, beside those of a Gram matrix of all rows."""
    n, d = (axis.ravel() for axis in np.meshgrid([5e4, 1e5, 2e5], [40.0, 160.0, 320.0]))
    rows = {"part": "time", "n": n, "d": d, "nnz": n * d}
    sketched = pd.DataFrame(rows | {"sketch": "leverage", "seconds": 1e-8 * n * d * d**power})
    full = pd.DataFrame(rows | {"sketch": "exact", "seconds": 1e-10 * n * d * d**exact})
    return pd.concat([sketched, full], ignore_index=True)


@pytest.mark.parametrize(
    ("power", "exact", "conclusion"),
    [
        (0.0, 1.0, Conclusion.HOLDS),
        (1.0, 1.0, Conclusion.VIOLATED),
        # The test does not tell the exact Gram matrix apart: it has no power.
        (0.0, 0.0, Conclusion.UNDECIDED),
    ],
)
def test_the_growth_of_time_decides_if_it_can(power, exact, conclusion):
    (verdict,) = judged(timed(power, exact))
    assert verdict.conclusion is conclusion
    assert verdict.author is Author.PAPER


@pytest.mark.parametrize("name", SKETCHES)
def test_every_sketch_is_unbiased(name):
    rng = np.random.default_rng(0)
    A, D = rng.standard_normal((400, 3)), rng.random(400) + 0.5
    matrix = as_matrix(A)
    mean = sum(reduced_gram(name, matrix, D, 100, rng)[0] for _ in range(300)) / 300
    exact = A.T @ (D[:, None] * A)
    assert np.linalg.norm(mean - exact) < 0.05 * np.linalg.norm(exact)


def test_times_are_of_the_sizes_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    few = ("n=300", "d=3", "experiment.repetitions=1", "experiment.multiples=[20]")
    sizes = ("experiment.timing.n=[2000,4000]", "experiment.timing.d=[5,10]")
    found = sparsifier.measure(context("experiment=quick/sparsifier", *few, *sizes))
    times = found[found.part == "time"]
    assert len(times) == 2 * 2 * 2 * 2
    assert (times.seconds > 0).all()


def test_figures_and_tables_come_from_runs_alone(table):
    runs = [logged(pd.concat([table, timed(0.0)]), **PARAMS)]
    figures, tables = sparsifier.draw(runs), sparsifier.CLAIM.tables(runs)
    assert set(figures) | set(tables) == set(sparsifier.CAPTIONS)
    assert not tables["rates"].empty
