"""The closed forms of several layers: a small measurement holds, and an error is seen."""

from __future__ import annotations

import pytest
from logged import context, logged

from experiments.claims.multi_layer import multi_layer_closed_forms as claim
from experiments.claims.multi_layer.multi_layer_closed_forms_measure import COLUMNS, measure
from experiments.kit.claim import Conclusion


@pytest.fixture(scope="module")
def table():
    small = ("n=6", "d=2", "experiment.cases=1", "experiment.depths=[1,2,4]")
    return measure(context("experiment=quick/multi_layer_closed_forms", *small))


def test_they_hold_and_can_be_drawn(table):
    runs = [logged(table)]
    assert set(table["depth"]) == {1, 2, 4}
    assert {verdict.conclusion for verdict in claim.judge(runs)} == {Conclusion.HOLDS}
    assert set(claim.draw(runs)) | set(claim.tables(runs)) == set(claim.CAPTIONS)
    assert "4 layers" in claim.headline(runs)


@pytest.mark.parametrize("column", COLUMNS)
def test_an_error_beyond_rounding_is_a_violation(table, column):
    wrong = table.copy()
    wrong.loc[3, column] = 1e-9
    found = {verdict.statement: verdict for verdict in claim.judge([logged(wrong)])}
    verdict = found.pop(claim.STATEMENTS[column])
    assert verdict.conclusion is Conclusion.VIOLATED
    assert verdict.counterexample is not None
    assert {other.conclusion for other in found.values()} == {Conclusion.HOLDS}
