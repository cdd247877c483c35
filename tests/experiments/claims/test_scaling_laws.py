"""Scaling laws: exponents are found from figures that follow one, and every statement can fail."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from logged import context, logged

from experiments.claims.theorems import scaling_laws
from experiments.claims.theorems.scaling_laws_measure import measure
from experiments.kit.claim import Author, Conclusion
from softres.theory.bounds import Region

pytestmark = pytest.mark.usefixtures("one_thread")


def made(M, w2, noise=0.05):
    """Figures that grow with R^2, log n and log 1/beta by given exponents."""
    rng, rows = np.random.default_rng(0), []
    for n, R, beta in product((20, 40, 80), (4.0, 5.0, 6.0, 8.0), (0.1, 1.0, 10.0)):
        least = Region.worst(n, R, beta).beta
        for figure, (a, b, c) in (("M", M), ("w^2", w2)):
            value = a * R**2 + b * np.log(n) - c * np.log(least) + noise * rng.standard_normal()
            rows.append(
                {"n": n, "R": R, "beta": beta, "figure": figure, "log10": value / np.log(10)}
            )
    return pd.DataFrame(rows)


def judged(table):
    recalled, family, weight, needed = scaling_laws.judge([logged(table, seed=0)])
    return {"recalled": recalled, "family": family, "weight": weight, "needed": needed}


def test_the_exponents_are_found_with_their_intervals():
    law = scaling_laws.exponents(made((2.0, 1.0, 1.5), (0.0, 0.0, 0.0)))["M"]
    for term, exact in (("R^2", 2.0), ("log n", 1.0), ("log 1/beta", 1.5), ("log R", 0.0)):
        width = law[term].high - law[term].low
        assert law[term].low - width <= exact <= law[term].high + width
        assert width < 1.0


def test_figures_below_what_is_claimed_hold_and_the_exponential_may_be_needed():
    found = judged(made((2.0, 1.0, 1.5), (-0.5, -0.5, -0.5)))
    assert {one.conclusion for one in found.values()} == {Conclusion.HOLDS}
    assert [one.author for one in found.values()] == [
        Author.RECALLED,
        Author.FAMILY,
        Author.RECALLED,
        Author.OURS,
    ]


def test_every_statement_can_fail():
    found = judged(made((41.0, 3.0, 3.0), (0.5, 0.5, 0.5)))
    assert found.pop("needed").conclusion is Conclusion.HOLDS
    assert {one.conclusion for one in found.values()} == {Conclusion.VIOLATED}
    assert (
        judged(made((0.0, 1.0, 1.5), (0.0, 0.0, 0.5)))["needed"].conclusion is Conclusion.VIOLATED
    )


def test_too_few_cells_decide_nothing():
    few = made((2.0, 1.0, 1.5), (0.0, 0.0, 0.0)).iloc[:4]
    assert {one.conclusion for one in judged(few).values()} == {Conclusion.UNDECIDED}


def test_a_small_measurement_has_every_figure_and_is_drawn():
    job = context(
        "experiment=quick/scaling_laws",
        "experiment.rows=[10,20]",
        "experiment.sizes=[3.0,4.0,5.0]",
        "experiment.starts=3",
        "experiment.iterations=2",
    )
    table = measure(job)
    assert len(table) == 3 * 12
    assert set(table["figure"]) == {"M", "K", "w^2"}
    runs = [logged(table, seed=0)]
    assert set(scaling_laws.draw(runs)) == {"scaling_laws"}
    assert len(scaling_laws.tables(runs)["exponents"]) % 4 == 0
    assert "R^2" in scaling_laws.headline(runs)
