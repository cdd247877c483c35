"""Lemma A.11: whole runs hold in the H-norm and fail in l2; both verdicts can turn."""

from __future__ import annotations

import pytest
from logged import context, logged

from experiments import induction
from experiments.claim import Conclusion

SMALL = ("+experiment=quick/induction", "n=1500", "d=4", "data.condition=100")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTRES_CACHE", str(tmp_path_factory.mktemp("cache")))
    found = induction.measure(context(*SMALL))
    patch.undo()
    return found


def judged(table, norm, how="worst"):
    (verdict,) = (
        verdict
        for verdict in induction.judge([logged(table, weights="relative")])
        if norm in verdict.statement and how in verdict.statement
    )
    return verdict


def test_the_h_norm_contracts_and_l2_does_not(table):
    assert judged(table, "H-norm").conclusion is Conclusion.HOLDS
    euclidean = judged(table, "Euclidean")
    assert euclidean.conclusion is Conclusion.VIOLATED
    assert euclidean.counterexample.artifact == "worst_l2.npz"


def test_runs_start_at_the_edge_of_the_basin(table):
    first = table[(table.step == 1) & (table.norm == "l2")]
    before = first.basin_l2 / first.contraction_l2
    assert before.max() <= induction.BASIN * (1 + 1e-9)
    assert before.max() > 0.5 * induction.BASIN


def test_a_slow_step_and_a_lost_basin_are_seen(table):
    at = (table.norm == "H") & (table.kind == "shrink")
    slow = table.assign(contraction_H=table.contraction_H.mask(at, 0.41))
    lost = table.assign(basin_H=table.basin_H.mask(at, 0.11))
    for wrong in (slow, lost):
        assert judged(wrong, "H-norm").conclusion is Conclusion.VIOLATED


def test_steps_beyond_four_forty_fifths_are_not_held_against_the_lemma(table):
    beyond = table.eps0 > induction.LARGEST_EPS0
    assert beyond.any()
    worse = table.assign(contraction_H=table.contraction_H.mask(beyond, 9.0))
    assert judged(worse, "H-norm").conclusion is Conclusion.HOLDS


def test_figures_and_tables_come_from_runs_alone(table):
    runs = [logged(table, weights="relative")]
    assert list(induction.draw(runs)) == ["induction"]
    assert not induction.tables(runs)["induction"].empty
