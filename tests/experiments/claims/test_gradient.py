"""The claim on the gradient holds for the closed forms, and a wrong one is found."""

from __future__ import annotations

import pytest
from probing import probed

from experiments.claims.closed_forms import gradient, gradient_measure
from experiments.claims.closed_forms.formulas import MODELS
from experiments.kit.claim import Conclusion
from softres.problems.evaluation import Evaluation

SIZE = ("n=6", "d=2", "R=2", "experiment.cases=2", "experiment.exact=1")


def test_the_closed_forms_hold(tmp_path, one_thread):
    run, _ = probed("gradient", tmp_path, *SIZE)
    verdicts = gradient.judge([run])
    assert len(verdicts) == len(MODELS) + 1  # every problem, and the chain
    assert {v.conclusion for v in verdicts} == {Conclusion.HOLDS}
    assert set(gradient.draw([run])) == {"gradient"}


def test_a_wrong_formula_of_the_library_is_found(tmp_path, monkeypatch, one_thread):
    right = Evaluation.gradient.func
    monkeypatch.setattr(Evaluation, "gradient", property(lambda point: 1.0001 * right(point)))
    run, context = probed("gradient", tmp_path, *SIZE)
    *losses, chain = gradient.judge([run])
    assert {v.conclusion for v in losses} == {Conclusion.VIOLATED}
    assert chain.conclusion is Conclusion.HOLDS
    example = losses[0].counterexample
    assert example is not None
    assert example.command.startswith("python run.py experiment=quick/gradient n=6 d=2")
    assert set(context.kept["worst"]) == {"A", "b", "w", "x"}


@pytest.mark.parametrize("part", ["u", "1/alpha", "f", "v A_j"])
def test_a_wrong_link_of_the_chain_is_found(tmp_path, monkeypatch, part, one_thread):
    from experiments.claims.closed_forms import formulas as _closed_forms

    def wrong(*arrays):
        forms = _closed_forms.first_derivatives(*arrays)
        return forms | {part: 1.001 * forms[part]}

    measure = gradient_measure.measure_errors
    monkeypatch.setattr(
        gradient_measure,
        "measure_errors",
        lambda context, chain, second: measure(context, wrong, second=second),
    )
    monkeypatch.setattr(
        "experiments.claims.closed_forms.derivative_errors.MODELS", {"softres": None}
    )
    run, _ = probed("gradient", tmp_path, *SIZE)
    assert gradient.judge([run])[-1].conclusion is Conclusion.VIOLATED


def test_a_part_that_was_not_measured_is_not_decided(tmp_path, monkeypatch, one_thread):
    monkeypatch.setattr(gradient, "LEMMA_PARTS", (*gradient.LEMMA_PARTS, "missing"))
    run, _ = probed("gradient", tmp_path, *SIZE)
    assert gradient.judge([run])[-1].conclusion is Conclusion.UNDECIDED
    assert {v.conclusion for v in gradient.judge([])} == {Conclusion.UNDECIDED}
