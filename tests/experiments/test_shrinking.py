"""Lemma A.10: the bound fails in l2 by construction, holds in the H-norm, and can fail there."""

from __future__ import annotations

import numpy as np
import pytest
from logged import context, logged

from experiments import shrinking
from experiments._contraction import Neighbourhood, inexact_hessian
from experiments.claim import Conclusion

SMALL = ("+experiment=quick/shrinking", "n=2000", "d=4", "data.condition=100")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTRES_CACHE", str(tmp_path_factory.mktemp("cache")))
    job = context(*SMALL)
    table = shrinking.measure(job)
    patch.undo()
    return table, job.kept


def run_of(table):
    return logged(table, weights="relative", data__condition=100)


def verdicts_by_norm(table):
    found = shrinking.judge([run_of(table)])
    return {
        norm: verdict
        for verdict in found
        for norm in ("Euclidean", "H-norm")
        if norm in verdict.statement and "within eps0 of H" in verdict.statement
    }


def test_the_spectral_band_bounds_the_h_norm_but_not_l2(measured):
    table, kept = measured
    found = verdicts_by_norm(table)
    assert found["H-norm"].conclusion is Conclusion.HOLDS
    assert found["Euclidean"].conclusion is Conclusion.VIOLATED
    example = found["Euclidean"].counterexample
    assert example.command == "python run.py seed=0 force=true"
    assert example.artifact.removesuffix(".npz") in kept


def test_a_two_by_two_example_of_the_counterexample(measured):
    # Condition 1e4 and eps0 = 0.08: a stiff error turns into a soft one, eps0 sqrt(1e4) times it.
    table, _ = measured
    part = table[(table.kind == "reflect") & (table.direction == "stiff") & (table.eps0 == 0.08)]
    near = part.share.idxmin()
    expected = 0.08 * np.sqrt(table.condition[near]) / (1 - 0.08**2)
    assert table.factor_l2[near] == pytest.approx(expected, rel=0.05)


def test_a_factor_above_the_bound_in_the_h_norm_is_seen(measured):
    table, _ = measured
    worse = table.assign(factor_H=table.factor_H.where(table.index != 3, 2 * table.bound))
    assert verdicts_by_norm(worse)["H-norm"].conclusion is Conclusion.VIOLATED


def test_a_hessian_outside_the_band_is_seen_where_it_is_claimed_to_be_inside(measured):
    # H~ = 0.3 H claimed as eps0 = 0.08: a wrong sketch must not pass.
    table, _ = measured
    wrong = table.assign(factor_H=1 / 0.3 - 1, error=table.eps0)
    assert verdicts_by_norm(wrong)["H-norm"].conclusion is Conclusion.VIOLATED


def test_the_recalled_constant_leaves_nothing(measured):
    table, _ = measured
    last = shrinking.judge([run_of(table)])[-1]
    assert last.conclusion is Conclusion.EMPTY
    assert "10^" in last.measured


@pytest.mark.parametrize("kind", ["reflect", "shrink", "sampled"])
def test_the_reweighted_rows_give_the_hessian_that_is_used(kind):
    job = context(*SMALL)
    near = Neighbourhood.of(job)
    rng = np.random.default_rng(0)
    away = 1e-3 * near.direction("stiff", rng)
    point = near.problem.at(near.x + away)
    options = {"delta": 0.01, "constant": 1.0}
    found = inexact_hessian(kind, point, away, 0.08, rng, options)
    matrix = near.problem.matrix
    again = point.curvature.hessian(matrix, matrix.gram(found.diagonal))
    np.testing.assert_allclose(again, found.matrix, rtol=0, atol=1e-9 * np.abs(again).max())
    H = np.asarray(point.hessian())
    values, vectors = np.linalg.eigh(H)
    whiten = vectors / np.sqrt(values)
    error = np.abs(np.linalg.eigvalsh(whiten.T @ (found.matrix - H) @ whiten)).max()
    assert error == pytest.approx(found.error, rel=1e-6, abs=1e-9)


def test_figures_and_tables_come_from_runs_alone(measured):
    runs = [run_of(measured[0])]
    assert list(shrinking.draw(runs)) == ["shrinking"]
    assert not shrinking.tables(runs)["shrinking"].empty
