"""The growth of the condition with depth: slopes by cell, verdicts, and a small measurement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import context, logged

from experiments.claims.multi_layer import multi_layer_conditioning as claim
from experiments.claims.multi_layer.multi_layer_conditioning_measure import measure
from experiments.kit.claim import Conclusion


def runs(skip=0.1, plain=0.5, seeds=6, spread=0.05, **columns):
    """Return runs in which log10 of the condition grows with these slopes, about."""
    rng = np.random.default_rng(0)
    made = []
    for seed in range(seeds):
        slopes = {True: skip + spread * rng.standard_normal(), False: plain}
        rows = [
            {
                "R": 1.0, "weight": 1e-2, "skip": kind, "depth": depth,
                "log_condition": 2.0 + slope * depth, "certified": True, "data_loss": 0.5,
            }
            for kind, slope in slopes.items()
            for depth in (1, 2, 4, 8)
        ]  # fmt: skip
        made.append(logged(pd.DataFrame(rows).assign(**columns), seed))
    return made


@pytest.mark.parametrize(
    ("skip", "conclusion"),
    [
        (0.1, Conclusion.HOLDS),
        (0.9, Conclusion.VIOLATED),
        (0.5, Conclusion.UNDECIDED),
    ],
)
def test_the_intervals_of_slopes_and_levels_decide(skip, conclusion):
    verdicts = claim.judge(runs(skip))
    assert [verdict.statement for verdict in verdicts] == list(claim.STATEMENTS.values())
    for verdict in verdicts:  # all start from the same condition at depth 0
        assert verdict.conclusion is conclusion
        assert (verdict.counterexample is None) == (conclusion is not Conclusion.VIOLATED)


def test_slopes_are_those_of_the_runs():
    found = claim.tables(runs(spread=0.0))["growth"].iloc[0]
    assert found["skip"] == pytest.approx(0.1)
    assert found["plain"] == pytest.approx(0.5)
    assert found["difference"] == pytest.approx(-0.4)


def test_what_was_not_certified_is_left_out():
    made = runs()
    made[0].table.loc[3, "certified"] = False
    made[0].table.loc[:, "log_condition"] = 99.0
    assert claim.CLAIM.tables(made)["growth"]["instances"].tolist() == [5]
    assert claim.judge(runs(certified=False)) == []


def test_a_small_measurement_has_a_row_a_case_and_can_be_drawn():
    made = []
    for seed in range(2):
        table = measure(
            context(
                "experiment=quick/multi_layer_conditioning",
                f"seed={seed}",
                "n=60",
                "d=3",
                "experiment.depths=[2,3]",
                "experiment.sizes=[1.0]",
            )
        )
        assert len(table) == 2 * 2 * 2
        assert table["certified"].all()
        made.append(logged(table, seed))
    assert set(claim.draw(made)) | set(claim.tables(made)) == set(claim.CAPTIONS)
    assert "skip" in claim.headline(made)
