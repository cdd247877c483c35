"""The repaired theorem: it holds with its closed forms, the unrepaired one fails, each can fail."""

from __future__ import annotations

import pytest
from logged import context, logged

from experiments.claims.algorithm import repaired
from experiments.claims.algorithm.repaired_measure import measure
from experiments.kit.claim import Author, Conclusion
from softres.theory.euclidean_factor import largest_condition

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = ("experiment=quick/repaired", "weights=theorem", "n=500", "d=3")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Tables by the condition of A, and what the last job kept."""
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTRES_CACHE", str(tmp_path_factory.mktemp("cache")))
    found = {}
    for condition in (4, 5, 100):
        job = context(*SMALL, f"data.condition={condition}")
        found[condition] = measure(job), job.kept
    patch.undo()
    return found


def runs_of(tables):
    return [
        logged(table, number, seed=0, n=500, d=3, data__condition=condition)
        for number, (condition, table) in enumerate(tables.items())
    ]


def judged(tables):
    names = ("repaired", "phi", "H", "plain")
    return dict(zip(names, repaired.judge(runs_of(tables)), strict=True))


def test_the_repaired_theorem_holds_where_the_papers_fails(measured):
    found = judged({condition: table for condition, (table, _) in measured.items()})
    assert {found[key].conclusion for key in ("repaired", "phi", "H")} == {Conclusion.HOLDS}
    assert all(found[key].derived for key in ("repaired", "phi", "H"))
    plain = found["plain"]
    assert (plain.author, plain.conclusion) == (Author.PAPER, Conclusion.VIOLATED)
    assert set(measured[100][1]["worst"]) == {"x", "hessian", "direction"}


def test_the_closed_forms_are_attained(measured):
    for table, _ in measured.values():
        single = table[table["part"] == "single"]
        assert (single["factor_l2"] / single["phi"]).max() == pytest.approx(1.0, rel=1e-6)
        assert (single["factor_H"] / single["bound_H"]).max() == pytest.approx(1.0, rel=1e-6)


def test_the_euclidean_factor_leaves_0_4_at_the_condition_that_the_closed_form_says(measured):
    # eps0 = 0.08: between the squares of 4 and 5.
    assert 16 < largest_condition(0.08) < 25
    largest = {
        condition: table.loc[table["eps0"] == 0.08, "factor_l2"].max()
        for condition, (table, _) in measured.items()
    }
    assert largest[4] < 0.4 < largest[5] < largest[100]


def test_every_statement_can_fail(measured):
    table = measured[4][0]
    for column in ("left", "basin"):
        worse = judged({4: table.assign(**{column: 10.0})})
        assert worse["repaired"].conclusion is Conclusion.VIOLATED
    for column, key in (("factor_l2", "phi"), ("factor_H", "H"), ("left", "plain")):
        assert judged({4: table.assign(**{column: 10.0})})[key].conclusion is Conclusion.VIOLATED
    assert judged({4: table})["plain"].conclusion is Conclusion.HOLDS  # well enough conditioned


def test_without_cases_of_the_theorem_nothing_is_decided(measured):
    table = measured[4][0]
    for none in (table.iloc[:0], table.assign(proven=False)):
        found = judged({4: none})
        assert {verdict.conclusion for verdict in found.values()} == {Conclusion.UNDECIDED}


def test_the_figure_and_the_table_show_every_condition(measured):
    runs = runs_of({condition: table for condition, (table, _) in measured.items()})
    assert set(repaired.draw(runs)) == {"repaired"}
    assert len(repaired.tables(runs)["repaired_factors"]) == 2 * len(measured)
