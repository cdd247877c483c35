"""Rank two holds for the library's curvature, and each wrong part of it is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from probing import probed

from experiments.claims.closed_forms import low_rank_plus_diagonal, low_rank_plus_diagonal_measure
from experiments.kit.claim import Conclusion
from softres.problems.evaluation import Evaluation

SIZE = ("n=8", "d=2", "R=2", "experiment.cases=4")


def test_rank_two_holds(tmp_path, one_thread):
    run, _ = probed("low_rank_plus_diagonal", tmp_path, *SIZE)
    verdicts = low_rank_plus_diagonal.judge([run])
    assert [v.conclusion for v in verdicts] == [Conclusion.HOLDS] * 4
    assert set(low_rank_plus_diagonal.draw([run])) == {"low_rank_plus_diagonal"}


@pytest.mark.parametrize(("part", "statements"), [("diagonal", {0, 2}), ("h", {2})])
def test_a_wrong_curvature_is_found(tmp_path, monkeypatch, part, statements, one_thread):
    right = Evaluation.curvature.func

    def wrong(point):
        curvature = right(point)
        return replace(curvature, **{part: 1.001 * getattr(curvature, part)})

    monkeypatch.setattr(Evaluation, "curvature", property(wrong))
    run, context = probed("low_rank_plus_diagonal", tmp_path, *SIZE)
    verdicts = low_rank_plus_diagonal.judge([run])
    found = {k for k, v in enumerate(verdicts) if v.conclusion is Conclusion.VIOLATED}
    assert found == statements
    assert all(verdicts[k].counterexample for k in found)
    assert "x" in context.kept["worst"]


def test_a_wrong_part_of_the_definition_is_found(tmp_path, monkeypatch, one_thread):
    right = low_rank_plus_diagonal_measure.matrix_parts
    monkeypatch.setattr(
        low_rank_plus_diagonal_measure,
        "matrix_parts",
        lambda point, name: (-1.0 if name == "B3" else 1.0) * right(point, name),
    )
    run, _ = probed("low_rank_plus_diagonal", tmp_path, *SIZE)
    assert low_rank_plus_diagonal.judge([run])[3].conclusion is Conclusion.VIOLATED


def test_nothing_measured_is_not_decided():
    verdicts = low_rank_plus_diagonal.judge([])
    assert {v.conclusion for v in verdicts} == {Conclusion.UNDECIDED}
