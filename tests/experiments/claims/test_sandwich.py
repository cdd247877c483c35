"""The sandwich: the smallest w^2 is sharp, whose constant is judged on what, and each can fail."""

from __future__ import annotations

import numpy as np
import pytest
from logged import conclusions, logged
from probing import probed

from experiments.claims.algorithm import sandwich
from experiments.claims.algorithm.sandwich_measure import PROBLEMS, proven
from experiments.claims.algorithm.sandwich_weights import needed, stated
from experiments.claims.bounds.regions import matrix
from experiments.kit.claim import Author, Conclusion
from softres.problems import make_problem
from softres.theory.bounds import Region

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The table of a short search where soft-residual regression comes near to its pole."""
    small = ("R=2", "experiment.beta=0.1", "experiment.starts=8", "experiment.iterations=20")
    run, context = probed("sandwich", tmp_path_factory.mktemp("run"), *small)
    return run.table, context.kept


def judged(table):
    run = logged(table, n=24, R=2.0, experiment__beta=0.1)
    return sandwich.judge([run])


def holds(problem, x, w2):
    """Whether 9/10 (B + W^2) <= W^2 <= 11/10 (B + W^2), by the definition."""
    B = np.stack([problem.at(x).curvature.apply(y) for y in np.eye(problem.n)])
    W = w2 * np.eye(problem.n)
    rounding = 1e-9 * np.linalg.norm(B + W, 2)
    lower, upper = (np.linalg.eigvalsh(M)[0] for M in (W - 0.9 * (B + W), 1.1 * (B + W) - W))
    return min(lower, upper) >= -rounding


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_smallest_weight_is_sharp(name):
    rng = np.random.default_rng(0)
    both = set()
    for _ in range(10):
        A = matrix("gaussian", 9, 3, 4.0, rng)
        problem = make_problem(name, A, rng.dirichlet(0.1 * np.ones(9)))
        x = rng.standard_normal(3)
        point = problem.at(x)
        if not point.inside:
            continue
        w2 = needed(point)
        assert holds(problem, x, w2)
        assert not holds(problem, x, 0.999 * w2)
        B = np.stack([point.curvature.apply(y) for y in np.eye(9)])
        both.add(bool(np.isclose(w2, 9 * np.linalg.eigvalsh(B)[-1])))
        if name == "softres":
            assert w2 <= proven(Region.of(A, 4.0, min(1.0, point.alpha)))
    assert True in both


def test_the_stated_weight_is_the_familys_formula():
    assert stated(2.0, 0.1, 3.0) == pytest.approx(200 * np.exp(4.0) + 300.0)


def test_what_is_found_near_the_pole_breaks_the_constant_and_not_our_bounds(measured):
    table, kept = measured
    family, ours, *derived = judged(table)
    assert (family.author, family.conclusion) == (Author.FAMILY, Conclusion.HOLDS)
    assert (ours.author, ours.conclusion, ours.derived) == (Author.OURS, Conclusion.VIOLATED, False)
    assert [(v.derived, v.conclusion) for v in derived] == [(True, Conclusion.HOLDS)] * 3
    # The counterexample is one, by the definition.
    assert ours.counterexample.artifact == "nearest_softres.npz"
    case = kept["nearest_softres"]
    problem = make_problem("softres", case["A"], case["b"])
    assert problem.at(case["x"]).alpha >= 0.1
    assert np.linalg.norm(case["x"]) <= 2.0
    assert not holds(problem, case["x"], case["w2"])
    assert sandwich.tables([logged(table, n=24, R=2.0, experiment__beta=0.1)])["sandwich"].shape[0]


def test_every_statement_can_fail(measured):
    table = measured[0]
    assert "VIOLATED" not in list(conclusions(judged(table.assign(stated=50.0))).values())
    larger = table.assign(measured=60.0)
    assert set(conclusions(judged(larger)).values()) == {"VIOLATED"}


def test_without_cases_nothing_is_decided(measured):
    assert set(conclusions(judged(measured[0].iloc[:0])).values()) == {"UNDECIDED"}
