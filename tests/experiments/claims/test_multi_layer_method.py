"""Several layers and the method: a small measurement, and that every statement can fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import context, logged

from experiments.claims.multi_layer import multi_layer_method as claim
from experiments.claims.multi_layer.multi_layer_method_measure import measure
from experiments.kit.claim import Author, Conclusion

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def table():
    return measure(
        context(
            "experiment=quick/multi_layer_method",
            "n=1500",
            "d=2",
            "experiment.sizes=[1.0]",
            "experiment.depths=[1,2]",
            "experiment.points=6",
            "experiment.draws=5",
        )
    )


def judged(*tables):
    runs = [logged(one, number, seed=number) for number, one in enumerate(tables)]
    return dict(zip(claim.STATEMENTS, claim.judge(runs), strict=True))


def test_a_small_measurement_samples_blocks_and_is_drawn(table):
    draws = table[table["part"] == "draw"]
    assert len(draws) == 2 * 2 * 5
    assert draws["kept"].between(0.05, 0.95).all()
    assert (draws["factor_H"] < 0.4).all()
    constants = table[table["part"] == "constants"]
    assert (constants["needed"] < constants["stated"]).all()
    runs = [logged(table, seed=0)]
    assert set(claim.draw(runs)) == {"multi_layer_method"}
    assert len(claim.tables(runs)["multi_layer_constants"]) == 4


def test_few_cases_decide_only_what_they_can(table):
    found = judged(table)
    assert found["weight"].conclusion is Conclusion.HOLDS
    assert found["M"].conclusion is found["draws"].conclusion is Conclusion.UNDECIDED
    assert {one.author for one in found.values()} == {Author.OURS}


def grown(table, skip, plain, factor, needed):
    rng = np.random.default_rng(0)
    constants = table["part"] == "constants"
    growth = np.where(table["skip"], skip, plain) * (table["depth"] - 1)
    M = np.where(constants, 10.0 ** (growth + 0.01 * rng.standard_normal(len(table))), np.nan)
    changed = table.assign(M=M, factor_H=factor, needed=needed)
    many = changed.loc[changed.index.repeat(np.where(constants, 1, 60))]
    return [many.assign(M=many["M"] * rng.uniform(0.99, 1.01, len(many))) for _ in range(4)]


@pytest.mark.parametrize(
    ("skip", "plain", "factor", "needed", "conclusion"),
    [
        (0.1, 0.5, 0.2, 1.0, Conclusion.HOLDS),
        (0.9, 0.5, 0.6, 1e4, Conclusion.VIOLATED),
    ],
)
def test_every_statement_can_hold_and_fail(table, skip, plain, factor, needed, conclusion):
    found = judged(*grown(table, skip, plain, factor, needed))
    assert {one.conclusion for one in found.values()} == {conclusion}


def test_nothing_measured_decides_nothing():
    empty = pd.DataFrame({"part": [], "certified": [], "M": [], "skip": [], "R": [], "depth": []})
    assert {one.conclusion for one in judged(empty).values()} == {Conclusion.UNDECIDED}
