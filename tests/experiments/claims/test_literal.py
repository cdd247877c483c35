"""Algorithm 1 to the letter, claimed: what holds inside the sandwich, what fails, and where."""

from __future__ import annotations

import numpy as np
import pytest
from logged import context, logged

from experiments.claims.algorithm import literal
from experiments.claims.algorithm.literal_map import failure_map, outside
from experiments.claims.algorithm.literal_measure import SANDWICH, STATED, measure
from experiments.claims.algorithm.step_factors import step_factors
from experiments.kit.claim import Author, Conclusion

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = (
    "experiment=quick/literal",
    "n=3000",
    "d=3",
    "R=10",
    "experiment.eps0=0.2",
    "experiment.levels=[1.0,1e-2,1e-4]",
    "experiment.draws={stated:20,sandwich:20,outside:3}",
    "experiment.runs={stated:6,outside:1}",
    "experiment.structures=[{rows:gaussian,condition:1000.0},{rows:gaussian,condition:10.0,n:60}]",
)


@pytest.fixture(scope="module")
def measured():
    """The table of a small job, and what it kept."""
    job = context(*SMALL)
    return measure(job), job.kept


def judged(table):
    verdicts = literal.judge([logged(table, seed=0, d=3, experiment__delta=0.05)])
    return dict(zip(("stated l2", "stated H", "l2", "H", "runs", "below"), verdicts, strict=True))


def test_the_factors_are_the_norms_of_the_error_matrix():
    rng = np.random.default_rng(0)
    half = rng.standard_normal((2, 6, 4))
    H, used = (A.T @ A for A in half)
    change = np.eye(4) - np.linalg.solve(used, H)
    values, vectors = np.linalg.eigh(H)
    root, inverse = ((vectors * values**power) @ vectors.T for power in (0.5, -0.5))
    expected = np.linalg.norm(root @ change @ inverse, 2), np.linalg.norm(change, 2)
    np.testing.assert_allclose(step_factors(used, H), expected, rtol=1e-9)
    assert step_factors(-used, H) == (np.inf, np.inf)


def test_the_sandwich_holds_from_the_weight_that_it_needs(measured):
    table = measured[0]
    assert (table["certified"]).all()
    tight = table[table["level"] == SANDWICH]
    assert (tight["needed"] <= tight["w2"]).all()
    assert (tight["w2"] <= 1.2 * tight["needed"]).all()
    stated = table[table["level"] == STATED]
    assert (stated["needed"] < 1e-3 * stated["w2"]).all()


def test_inside_the_sandwich_steps_contract_in_the_h_norm_and_not_in_l2(measured):
    draws = measured[0][measured[0]["part"] == "draw"]
    for level in (STATED, SANDWICH):
        part = draws[draws["level"] == level]
        assert (part["factor_H"] <= 0.4).mean() >= 0.99
        assert part["factor_l2"].max() > 1.0  # the condition of A is 1000
    runs = measured[0][(measured[0]["part"] == "run") & (measured[0]["level"] == STATED)]
    assert (runs["steps"] <= runs["T"]).all()
    assert (runs["failed"] == 0).all()


def test_a_negative_diagonal_is_a_step_that_is_not_to_be_had(measured):
    table = measured[0]
    gone = table[(table["part"] == "draw") & (table["negative_minimiser"] > 0)]
    assert len(gone)
    assert np.isinf(gone["factor_H"]).all()
    refused = table[(table["part"] == "run") & (table["negative_start"] > 0)]
    assert set(refused["status"]) == {"linear solve failed"}


def test_the_verdicts_name_their_authors_and_say_what_was_left_to_solve(measured):
    table = measured[0]
    many = table.loc[table.index.repeat(np.where(table["level"] == STATED, 30, 1))]
    found = judged(many)
    authors = {key: verdict.author for key, verdict in found.items()}
    assert authors.pop("stated l2") is authors.pop("runs") is Author.PAPER
    assert set(authors.values()) == {Author.OURS}
    assert found["stated l2"].conclusion is Conclusion.VIOLATED
    assert found["stated l2"].counterexample.artifact == "stated_l2.npz"
    assert "stated_l2" in measured[1]
    # It holds, and the loss hardly falls: nothing was left to solve.
    assert found["stated H"].conclusion is Conclusion.EMPTY
    assert found["runs"].conclusion is Conclusion.EMPTY
    fitted = judged(many.assign(loss_fall=0.5))
    assert fitted["stated H"].conclusion is fitted["runs"].conclusion is Conclusion.HOLDS
    assert all("variant=paper" in verdict.statement for verdict in found.values())


def test_every_statement_can_fail_and_few_draws_decide_nothing(measured):
    table = measured[0]
    worse = table.assign(factor_H=0.5, factor_l2=0.5, failed=1)
    assert {v.conclusion for v in judged(worse).values()} == {Conclusion.VIOLATED}
    few = table.assign(factor_H=0.1, factor_l2=0.1, negative_start=0, negative_minimiser=0)
    found = judged(few)
    assert found.pop("below").conclusion is Conclusion.HOLDS
    assert {v.conclusion for v in found.values()} == {Conclusion.UNDECIDED}


def test_the_map_has_the_largest_weight_of_each_failure(measured):
    table = measured[0]
    steep = table["level"].isin(("1", "0.01")) & (table["n"] == 60) & (table["part"] == "draw")
    changed = table.assign(
        factor_H=table["factor_H"].where(~steep, 2.0).where(table["n"] == 60, 0.1),
        negative_start=0,
        negative_minimiser=0,
        d=3,
    )
    small, large = (row for _, row in failure_map(changed).iterrows())
    assert (small["n"], large["n"]) == (60, 3000)
    assert small["diverges from"] == small["factor above 0.4 from"] == pytest.approx(1.0)
    assert np.isnan(large["diverges from"])
    assert (outside(table)["w2"] < outside(table)["needed"]).all()


def test_uncertified_cases_are_left_out(measured):
    found = judged(measured[0].assign(certified=False))
    assert {v.conclusion for v in found.values()} == {Conclusion.UNDECIDED}


def test_the_figure_and_the_table_cover_every_kind_of_instance(measured):
    runs = [logged(measured[0], seed=0, d=3, experiment__delta=0.05)]
    assert set(literal.draw(runs)) == {"literal"}
    assert len(literal.tables(runs)["literal_map"]) == 2
