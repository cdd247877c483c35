"""Lemma A.11: whole runs hold in the H-norm and fail in l2; both verdicts can turn."""

from __future__ import annotations

import pytest
from logged import context, logged

from experiments.claims.contraction import induction
from experiments.claims.contraction.induction_measure import BASIN
from experiments.claims.contraction.near_minimiser import LARGEST_EPS0
from experiments.kit.claim import Author, Conclusion

SMALL = ("experiment=quick/induction", "n=1500", "d=4", "data.condition=100")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTRES_CACHE", str(tmp_path_factory.mktemp("cache")))
    found = {
        weights: induction.measure(context(*SMALL, f"weights={weights}"))
        for weights in ("theorem", "relative")
    }
    patch.undo()
    return found


@pytest.fixture(scope="module")
def table(tables):
    return tables["theorem"]


def run_of(table, weights="theorem"):
    facts = {"problem": "softres", "n": 1500, "d": 4, "seed": 0, "data__condition": 100}
    return logged(table, weights=weights, **facts)


def judged(table, norm, how="worst", weights="theorem"):
    (verdict,) = (
        verdict
        for verdict in induction.judge([run_of(table, weights)])
        if norm in verdict.statement and how in verdict.statement
    )
    return verdict


def test_the_h_norm_contracts_and_l2_does_not_within_the_hypotheses(table):
    ours, euclidean = judged(table, "H-norm"), judged(table, "Euclidean")
    assert (ours.conclusion, ours.author, ours.derived) == (Conclusion.HOLDS, Author.OURS, True)
    assert (euclidean.conclusion, euclidean.author) == (Conclusion.VIOLATED, Author.PAPER)
    assert "outside" not in euclidean.statement
    assert euclidean.counterexample.artifact == "made_l2_inside.npz"


def test_practical_weights_are_outside_the_hypotheses(tables):
    verdict = judged(tables["relative"], "Euclidean", weights="relative")
    assert (verdict.conclusion, verdict.author) == (Conclusion.VIOLATED, Author.OURS)
    assert "outside the hypotheses" in verdict.statement


@pytest.mark.parametrize("weights", ["theorem", "relative"])
def test_runs_start_within_the_basin_and_at_its_edge_where_x_may_go_there(tables, weights):
    table = tables[weights]
    first = table[(table.step == 1) & (table.norm == "l2")]
    before = first.basin_l2 / first.contraction_l2
    assert before.max() <= BASIN * (1 + 1e-9)
    assert before.max() > 0.5 * BASIN


def test_a_run_is_no_longer_the_lemmas_once_a_hessian_was_too_far_off(table):
    for _, run in table.groupby(["norm", "direction", "eps0", "kind"]):
        assert run.inside.is_monotonic_decreasing
    assert table.inside.any()
    assert not table[table.eps0 > LARGEST_EPS0].inside.any()


def test_a_slow_step_and_a_lost_basin_are_seen(table):
    at = (table.norm == "H") & (table.kind == "shrink")
    slow = table.assign(contraction_H=table.contraction_H.mask(at, 0.41))
    lost = table.assign(basin_H=table.basin_H.mask(at, 0.11))
    for wrong in (slow, lost):
        assert judged(wrong, "H-norm").conclusion is Conclusion.VIOLATED


def test_steps_beyond_four_forty_fifths_are_not_held_against_the_lemma(table):
    beyond = table.eps0 > LARGEST_EPS0
    assert beyond.any()
    worse = table.assign(contraction_H=table.contraction_H.mask(beyond, 9.0))
    assert judged(worse, "H-norm").conclusion is Conclusion.HOLDS


def test_steps_with_a_hessian_that_was_drawn_too_far_off_are_left_out(table):
    drawn = table.kind == "sampled"
    far = table.assign(
        within=table.within & ~drawn, contraction_H=table.contraction_H.mask(drawn, 9.0)
    )
    assert all(v.conclusion is Conclusion.HOLDS for v in induction.judge([run_of(far)])
               if "H-norm" in v.statement)  # fmt: skip


def test_figures_and_tables_come_from_runs_alone(table):
    runs = [run_of(table)]
    assert list(induction.draw(runs)) == ["induction"]
    assert not induction.tables(runs)["induction"].empty
