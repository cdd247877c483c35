"""The landscape: intervals that enclose, certificates that hold and fail, and the verdicts."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logged import context, logged

from experiments.claims.landscape import landscape
from experiments.claims.landscape.critical_points import PoledLoss, _certified, critical_points
from experiments.claims.landscape.intervals import Intervals
from experiments.claims.landscape.landscape_measure import THREE_ROWS, measure
from experiments.kit.claim import Author, Conclusion
from softres import SoftResidualRegression

numbers = st.floats(-20, 20).filter(lambda value: value == 0 or abs(value) > 1e-100)


@given(a=numbers, b=numbers, c=numbers)
@settings(max_examples=200, deadline=None)
def test_intervals_hold_the_true_value(a, b, c):
    x, y, z = (Intervals.of(np.array([value])) for value in (a, b, c))
    with mpmath.workdps(60):
        p, q, r = map(mpmath.mpf, (a, b, c))
        cases = [(x + y, p + q), (x - y * z, p - q * r), ((x * y).exp(), mpmath.exp(p * q))]
        if b != 0:
            cases.append((x / y + z, p / q + r))
        cases = [case for case in cases if abs(case[1]) < 1e300]
        for found, exact in cases:
            assert mpmath.mpf(float(found.low[0])) <= exact <= mpmath.mpf(float(found.high[0]))


def test_to_divide_by_an_interval_with_zero_is_refused():
    with pytest.raises(ZeroDivisionError):
        Intervals.of(np.ones(1)) / Intervals(np.array([-1.0]), np.array([1.0]))


def test_derivatives_and_enclosures_are_those_of_the_library():
    rng = np.random.default_rng(0)
    A, b, x = rng.standard_normal((8, 3)), rng.dirichlet(np.ones(8)), 0.3 * rng.standard_normal(3)
    loss, problem = PoledLoss(A, b, 0.04), SoftResidualRegression(A, b, 0.2)
    assert loss.value(x) == pytest.approx(problem.value(x))
    g, H = loss.derivatives(x)
    np.testing.assert_allclose(g, problem.gradient(x), rtol=1e-12)
    np.testing.assert_allclose(H, problem.hessian(x), rtol=1e-12)
    gradient, hessian = loss.enclosures(Intervals.around(x, 1e-3 * np.ones(3)))
    for _ in range(20):
        near = x + 1e-3 * rng.uniform(-1, 1, 3)
        for held, exact in zip((gradient, hessian), loss.derivatives(near), strict=True):
            assert (held.low <= exact).all()
            assert (exact <= held.high).all()
    assert (hessian.high - hessian.low).max() < 1.0


def three_rows(w2):
    return PoledLoss(THREE_ROWS, np.full(3, 1 / 3), w2)


@pytest.mark.parametrize("w2", [1e-2, 1.0, 1e4])
def test_there_is_a_minimiser_on_both_sides_of_the_pole_for_every_w(w2):
    starts = np.linspace(-25, 5, 61)[:, None]
    found = critical_points(three_rows(w2), [*starts, [-1.15]])
    assert all(point.certified for point in found)
    least = [point for point in found if point.negative == 0]
    assert {point.positive_side for point in least} == {True, False}
    (across,) = (float(point.x[0]) for point in least if not point.positive_side)
    assert -17.1 < across < -1.07


def test_a_point_beside_a_critical_one_is_not_certified():
    loss = three_rows(1.0)
    (point,) = critical_points(loss, [[-2.0]])
    x = point.x + 1e-3
    _, H = loss.derivatives(x)
    assert not any(_certified(loss, x, H, np.linalg.eigvalsh(H), r) for r in (1e-10, 1e-8, 1e-6))


@pytest.fixture(scope="module")
def table():
    job = context(
        "experiment=quick/landscape",
        "experiment.dimensions=[1]",
        "experiment.sizes=[1.0]",
        "experiment.starts=10",
        "experiment.three_rows=[1.0]",
    )
    return measure(job)


def judged(table):
    found = landscape.judge([logged(table, seed=0)])
    return dict(zip(landscape.STATEMENTS, found, strict=True))


def test_the_verdicts_say_what_was_counted(table):
    found = judged(table)
    assert found["unique"].conclusion is Conclusion.HOLDS
    assert found["across"].conclusion is Conclusion.VIOLATED
    assert found["certified"].conclusion is Conclusion.HOLDS
    assert found["lowest"].conclusion is Conclusion.UNDECIDED  # one case
    assert {verdict.author for verdict in found.values()} == {Author.OURS}


def test_every_statement_can_fail_and_hold(table):
    many = table.loc[table.index.repeat(100)].reset_index(drop=True)
    worse = many.assign(minimisers=2, found=many["lowest_here"] + 0.1, certified=0)
    assert {one.conclusion for one in judged(worse).values()} == {Conclusion.VIOLATED}
    assert judged(worse)["lowest"].counterexample.artifact == "not_lowest.npz"
    better = many.assign(minimisers_across=0, minimisers=1)
    assert {one.conclusion for one in judged(better).values()} == {Conclusion.HOLDS}


def test_figure_and_table_are_drawn(table):
    runs = [logged(table, seed=0)]
    assert set(landscape.draw(runs)) == {"landscape"}
    assert len(landscape.tables(runs)["landscape_counts"]) == 3
    assert "minimiser" in landscape.headline(runs)
