"""Lemma A.10: the bound fails in l2 within its hypotheses, holds in the H-norm, and can fail there.

A has few rows here, and a drawn Hessian most of them: how many it takes is tested by itself.
"""

from __future__ import annotations

import numpy as np
import pytest
from logged import context, logged

from experiments.claims.contraction import inexact as _inexact
from experiments.claims.contraction import shrinking
from experiments.claims.contraction.inexact import inexact_hessian, proven_size
from experiments.claims.contraction.near_minimiser import LARGEST_EPS0, Neighbourhood
from experiments.claims.contraction.shrinking_measure import bound
from experiments.kit.claim import Author, Conclusion
from softres.problems import make_problem
from softres.sketching import sample_size

SMALL = ("experiment=quick/shrinking", "n=2000", "d=4", "data.condition=100")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Tables and arrays by the rule of the weights."""
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTRES_CACHE", str(tmp_path_factory.mktemp("cache")))
    found = {}
    for weights in ("theorem", "relative"):
        job = context(*SMALL, f"weights={weights}")
        found[weights] = (shrinking.measure(job), job.kept)
    patch.undo()
    return found


def run_of(table, weights="theorem", number=0, condition=100):
    facts = {"problem": "softres", "n": 2000, "d": 4, "seed": number}
    return logged(table, number, weights=weights, data__condition=condition, **facts)


def made(norm, *runs, where="theorem's"):
    """The verdict on made Hessians, within the hypotheses or outside."""
    (verdict,) = (
        verdict
        for verdict in shrinking.judge(runs)
        if norm in verdict.statement and where in verdict.statement and "worst" in verdict.statement
    )
    return verdict


def test_the_papers_statement_fails_inside_its_hypotheses_and_ours_holds(measured):
    table, kept = measured["theorem"]
    euclidean, ours = (made(norm, run_of(table)) for norm in ("Euclidean", "H-norm"))
    assert (euclidean.author, euclidean.conclusion) == (Author.PAPER, Conclusion.VIOLATED)
    assert (ours.author, ours.conclusion, ours.derived) == (Author.OURS, Conclusion.HOLDS, True)
    assert euclidean.counterexample.artifact == "made_l2_inside.npz"
    arrays = kept["made_l2_inside"]
    away, after = arrays["x"] - arrays["minimiser"], arrays["x_next"] - arrays["minimiser"]
    factor = np.linalg.norm(after) / np.linalg.norm(away)
    inside = table[table.inside & (table.kind != "sampled")]
    assert factor == pytest.approx((inside.factor_l2).max(), rel=1e-6)
    assert arrays["diagonal_used"].min() > 0


def test_the_lemma_speaks_of_its_own_problem_weights_and_accuracy_alone(measured):
    table = measured["theorem"][0]
    inside = table[table.inside]
    assert (inside.eps0 <= LARGEST_EPS0).all()
    assert (inside.error <= inside.eps0 * (1 + 1e-9)).all()
    assert (inside.diagonal_ratio >= 0).all()
    assert (inside.share < 1).all()
    assert (table.eps0 > LARGEST_EPS0).any()
    assert not measured["relative"][0].inside.any()


def test_a_failure_outside_the_hypotheses_is_not_the_papers(measured):
    far = measured["theorem"][0].assign(inside=False)
    verdicts = shrinking.judge([run_of(far)])
    assert {v.author for v in verdicts} == {Author.OURS, Author.RECALLED}
    assert made("Euclidean", run_of(far), where="outside").conclusion is Conclusion.VIOLATED


def test_the_counterexample_is_of_the_best_conditioned_instance_that_fails(measured):
    table = measured["theorem"][0]
    worse = run_of(table.assign(factor_l2=3 * table.factor_l2), number=1, condition=1000)
    for runs in ((worse, run_of(table)), (run_of(table), worse)):
        verdict = made("Euclidean", *runs)
        assert verdict.counterexample.run.params["data.condition"] == "100"
        assert verdict.cases == 2


def test_a_two_by_two_example_of_the_counterexample(measured):
    # Condition 1e4 and eps0 = 0.08: a stiff error turns into a soft one, eps0 sqrt(1e4) times it.
    table = measured["theorem"][0]
    part = table[(table.kind == "reflect") & (table.direction == "stiff") & (table.eps0 == 0.08)]
    near = part.share.idxmin()
    expected = 0.08 * np.sqrt(table.condition[near]) / (1 - 0.08**2)
    assert table.factor_l2[near] == pytest.approx(expected, rel=0.05)


def test_a_factor_above_the_bound_in_the_h_norm_is_seen(measured):
    table = measured["theorem"][0]
    first = table.index[table.inside & (table.kind == "shrink")][0]
    worse = table.assign(factor_H=table.factor_H.where(table.index != first, 2 * table.bound))
    assert made("H-norm", run_of(worse)).conclusion is Conclusion.VIOLATED


def test_a_hessian_outside_the_band_is_seen_where_it_is_claimed_to_be_inside(measured):
    # H~ = 0.3 H claimed as eps0 = 0.08: a wrong sketch must not pass.
    table = measured["theorem"][0]
    wrong = table.assign(factor_H=1 / 0.3 - 1, error=table.eps0)
    assert made("H-norm", run_of(wrong)).conclusion is Conclusion.VIOLATED


def test_a_draw_outside_the_band_is_counted_and_not_held_against_the_lemma(measured):
    table = measured["theorem"][0]
    drawn = table.kind == "sampled"
    far = table.assign(
        error=table.error.mask(drawn, 2 * table.eps0), factor_H=table.factor_H.mask(drawn, 9.0)
    )
    verdicts = shrinking.judge([run_of(far), run_of(table, number=1)])
    (verdict,) = (
        v
        for v in verdicts
        if "H-norm" in v.statement and v.statement.endswith("D~ >= 0; H~ as drawn")
    )
    assert verdict.conclusion is Conclusion.HOLDS
    assert "off by more than eps0 in 50.0%" in verdict.reason


def test_the_recalled_constant_leaves_nothing(measured):
    last = shrinking.judge([run_of(measured["theorem"][0])])[-1]
    assert (last.conclusion, last.author) == (Conclusion.EMPTY, Author.RECALLED)
    assert "10^" in last.measured


def test_the_bound_of_the_proof_is_at_most_the_lemmas_factor():
    eps0, share = np.meshgrid(np.linspace(0, 3 / 8, 60), np.linspace(0, 0.99, 60))
    proof = (eps0 * (1 + share) + share / 2) / ((1 - eps0) * (1 - share))
    assert (proof <= bound(eps0, share) * (1 + 1e-12)).all()


def test_the_proven_number_of_rows_is_chernoffs():
    # Both tails of Tropp's bound, with L = kappa d / s, come to at most delta together.
    for d, eps0, delta, kappa in ((5, 0.08, 0.01, 1.0), (20, 0.3, 0.1, 1.6), (1, 0.5, 0.05, 1.0)):
        s = proven_size(d, eps0, delta, kappa)
        upper = (1 + eps0) * np.log(1 + eps0) - eps0
        lower = eps0 + (1 - eps0) * np.log(1 - eps0)
        tails = [d * np.exp(-rate * s / (kappa * d)) for rate in (upper, lower)]
        assert sum(tails) <= delta


def test_as_many_rows_as_are_proven_are_enough_where_the_recalled_constant_is_not():
    # Many rows to an axis is the structure that needs the most of them.
    d, eps0, delta = 5, 0.3, 0.1
    A = np.repeat(np.eye(d), 800, axis=0)
    problem = make_problem("softres", A, np.full(len(A), 1 / len(A)), 10.0)
    point = problem.at(np.full(d, 1e-3))
    found = {}
    for name, s in (("proven", None), ("C = 1", sample_size(d, eps0, delta, 1.0))):
        with pytest.MonkeyPatch.context() as patch:
            if s is not None:
                patch.setattr(_inexact, "proven_size", lambda *_, s=s: s)
            errors = [
                inexact_hessian(
                    "sampled", point, point.x, eps0, np.random.default_rng(k), delta
                ).error
                for k in range(100)
            ]
        found[name] = np.mean(np.array(errors) > eps0)
    assert found["proven"] <= delta < found["C = 1"]


@pytest.mark.parametrize("kind", ["reflect", "shrink", "sampled"])
def test_the_reweighted_rows_give_the_hessian_that_is_used(kind):
    job = context(*SMALL)
    near = Neighbourhood.of(job)
    rng = np.random.default_rng(0)
    away = 1e-3 * near.direction("stiff", rng)
    point = near.problem.at(near.x + away)
    found = inexact_hessian(kind, point, away, 0.08, rng, 0.01)
    matrix = near.problem.matrix
    again = point.curvature.hessian(matrix, matrix.gram(found.diagonal))
    np.testing.assert_allclose(again, found.matrix, rtol=0, atol=1e-9 * np.abs(again).max())
    H = np.asarray(point.hessian())
    values, vectors = np.linalg.eigh(H)
    whiten = vectors / np.sqrt(values)
    error = np.abs(np.linalg.eigvalsh(whiten.T @ (found.matrix - H) @ whiten)).max()
    assert error == pytest.approx(found.error, rel=1e-6, abs=1e-9)


def test_figures_and_tables_come_from_runs_alone(measured):
    runs = [run_of(measured["theorem"][0]), run_of(measured["relative"][0], "relative", 1)]
    assert list(shrinking.draw(runs)) == ["shrinking"]
    assert not shrinking.tables(runs)["shrinking"].empty
