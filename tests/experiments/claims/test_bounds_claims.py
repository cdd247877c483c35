"""Claims that this is at most that: a right bound holds, one that is too small is found."""

from __future__ import annotations

from math import e, log10

import numpy as np
import pytest
from probing import probed

from experiments.claims.bounds.family import EXP_LIPSCHITZ, EXP_NORM, HESSIAN_LIPSCHITZ
from experiments.claims.bounds.regions import MATRIX_SHAPES
from experiments.kit.claim import Author, Conclusion
from experiments.kit.registry import claim

SIZE = (
    "n=6",
    "d=2",
    "R=2",
    "experiment.instances=1",
    "experiment.starts=6",
    "experiment.iterations=15",
)
BOUNDS = {
    "basic_bounds": ("basic_bounds", 10),
    "basic_lipschitz": ("basic_lipschitz", 12),
    "hessian_lipschitz": ("hessian_lipschitz", 4),
    "psd": ("curvature_bounds", 5),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_the_own_bounds_hold(tmp_path, name, one_thread):
    run, context = probed(name, tmp_path, *SIZE)
    verdicts = claim(name).judge([run])
    own = [v for v in verdicts if v.derived]
    assert len(own) == BOUNDS[name][1] + 1  # and the instance-wise ones together
    assert {v.conclusion for v in own} == {Conclusion.HOLDS}
    assert all(v.cases and (v.looseness is None or v.looseness >= 1 - 1e-9) for v in own)
    assert {"A", "x", "b"} <= set(context.kept["worst"])
    assert name in claim(name).draw([run])


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_that_is_too_small_is_found(tmp_path, monkeypatch, name, one_thread):
    function, _ = BOUNDS[name]
    module = claim(name).measure.__module__
    right = getattr(__import__(module, fromlist=[function]), function)

    def wrong(*arguments):
        # Sharp enough to be beaten, whatever the bound: a thousandth of a millionth of it.
        return {key: 1e-9 * value for key, value in right(*arguments).items()}

    monkeypatch.setattr(f"{module}.{function}", wrong)
    run, context = probed(name, tmp_path, *SIZE)
    parts = [v for v in claim(name).judge([run]) if v.derived]
    violated = [v for v in parts if v.conclusion is Conclusion.VIOLATED]
    assert len(violated) >= len(parts) - 1  # l / sigma_min^2 is not scaled
    example = violated[0].counterexample
    assert example is not None
    command = " ".join(["python run.py", f"experiment=quick/{name}", *SIZE, "force=true"])
    assert example.command == command
    assert example.artifact.removesuffix(".npz") in context.kept


@pytest.mark.parametrize(
    ("name", "authors"),
    [
        # B1 >= 0 is the paper's; that a constant C is enough is nobody's but ours.
        ("psd", [Author.PAPER, Author.OURS]),
        ("basic_bounds", [Author.FAMILY, Author.RECALLED]),
        ("hessian_lipschitz", [Author.FAMILY, Author.RECALLED]),
    ],
)
def test_what_is_not_proven_here_has_another_author(tmp_path, name, authors, one_thread):
    run, _ = probed(name, tmp_path, *SIZE)
    rest = [v for v in claim(name).judge([run]) if not v.derived]
    assert [v.author for v in rest] == authors
    for verdict in rest:
        assert ("recalled" in verdict.statement) == (verdict.author is Author.RECALLED)


def test_a_matrix_counts_once(tmp_path, one_thread):
    run, _ = probed("basic_bounds", tmp_path, *SIZE)
    verdicts = claim("basic_bounds").judge([run])
    assert {v.cases for v in verdicts} == {
        len(MATRIX_SHAPES)
    }  # one instance of each kind, ten norms of each


@pytest.mark.parametrize(
    ("stated", "n", "R", "bound"),
    [
        (EXP_NORM, 4, 1, 2 * e),
        (EXP_LIPSCHITZ, 9, 2, 12 * e**4),
        (HESSIAN_LIPSCHITZ, 10, 1, 100 * e**40),
    ],
)
def test_the_familys_constants(stated, n, R, bound):
    assert stated.log10_bound(n, R) == pytest.approx(log10(bound))


def test_a_constant_that_is_too_small_near_the_pole_is_found(tmp_path, one_thread):
    run, _ = probed("psd", tmp_path, *SIZE, "weights.constant=1e-6")
    constant = claim("psd").judge([run])[-1]
    assert constant.conclusion is Conclusion.VIOLATED
    run, _ = probed("psd", tmp_path, *SIZE, "weights.constant=1e30")
    assert claim("psd").judge([run])[-1].conclusion is Conclusion.HOLDS


def test_a_negative_gauss_newton_part_is_found(tmp_path, monkeypatch, one_thread):
    from softres.problems.curvature import Curvature
    from softres.problems.evaluation import Evaluation

    monkeypatch.setattr(
        Evaluation, "gauss_newton", property(lambda point: Curvature(point.z - point.z.mean()))
    )
    run, _ = probed("psd", tmp_path, *SIZE)
    assert claim("psd").judge([run])[0].conclusion is Conclusion.VIOLATED


@pytest.mark.parametrize("name", BOUNDS)
def test_nothing_measured_is_not_decided(name):
    assert {v.conclusion for v in claim(name).judge([])} == {Conclusion.UNDECIDED}


def test_the_search_stays_where_it_may(tmp_path, one_thread):
    run, context = probed("basic_lipschitz", tmp_path, *SIZE, "experiment.beta=3")
    assert len(run.table)
    for kept in context.kept.values():
        A, b = kept["A"], kept["b"]
        assert np.linalg.norm(A, 2) == pytest.approx(2)
        assert b.min() >= 0
        assert b.sum() <= 1 + 1e-12
        for x in (kept["x"], kept["y"]):
            assert np.linalg.norm(x) <= 2 * (1 + 1e-12)
            assert np.sum(np.exp(A @ x) + A @ x) >= 3
    assert (run.table["measured"] >= run.table["at_random"]).all()
