"""The basin: scans, measured Lipschitz constants, and the judge on made-up runs."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from experiments import basin
from experiments._basin import Near, largest_radius, local_radius
from experiments.claim import Conclusion
from experiments.runs import LoggedRun
from softres.certify import find_minimiser
from softres.problems import make_problem
from softres.solvers.approx_newton import ApproxNewton


def logged(table, folder):
    path = folder / "run.parquet"
    table.to_parquet(path)
    tags = {"status": "measured", "command": "python run.py +experiment=basin R=4 force=true"}
    return LoggedRun("id", "basin", {}, tags, {}, lambda name: path)


def row(radius=0.1, recalled=-140.0, local=-3.0, **changes):
    tests = dict.fromkeys(basin.TESTS, radius)
    tests |= {f"{name}_open": False for name in basin.TESTS}
    facts = {
        "R": 4.0, "rows": "gaussian", "level": "0.01", "inside": False, "kind": "random",
        "log10_recalled": recalled, "log10_local": local, "log10_spacing": -16.0,
        "certified": True, "norm_x": 1.0, "l": 1e-8, "M": 1e-6,
    }  # fmt: skip
    return facts | tests | changes


def conclusions(folder, *rows):
    verdicts = basin.judge([logged(pd.DataFrame(rows), folder)])
    return [v.conclusion for v in verdicts], verdicts


def test_a_proven_start_that_doubles_cannot_tell_from_the_minimiser_is_empty(tmp_path):
    found, verdicts = conclusions(tmp_path, row())
    assert found == [Conclusion.EMPTY] * 5 + [Conclusion.HOLDS] * 5
    assert verdicts[0].looseness == pytest.approx(1e139)
    assert "10^139.0 in the median" in verdicts[0].reason


def test_a_proven_start_that_can_be_told_holds(tmp_path):
    found, _ = conclusions(tmp_path, row(recalled=-5.0))
    assert found == [Conclusion.HOLDS] * 10


def test_a_practical_basin_below_the_proven_one_violates(tmp_path):
    found, verdicts = conclusions(tmp_path, row(), row(level="1.0", exact_H=1e-4))
    assert found[5] is Conclusion.VIOLATED
    assert found[6:] == [Conclusion.HOLDS] * 4
    assert verdicts[5].counterexample.artifact == "worst.npz"


def test_a_failure_at_every_distance_violates(tmp_path):
    found, _ = conclusions(tmp_path, row(approx_l2=0.0))
    assert found[3] is found[8] is Conclusion.VIOLATED


def test_a_scan_without_failure_is_no_failure(tmp_path):
    found, _ = conclusions(tmp_path, row(local=5.0, **{f"{n}_open": True for n in basin.TESTS}))
    assert found[5:] == [Conclusion.HOLDS] * 5


def test_scans_end_at_the_first_failure():
    found = largest_radius(lambda r: r <= 0.37 or r > 5, scale=1.0)
    assert not found.open
    assert found.value == pytest.approx(0.37, rel=0.01)
    assert largest_radius(lambda r: True, 1.0).open
    assert largest_radius(lambda r: False, 1.0).value == 0.0


@pytest.fixture(scope="module")
def near():
    rng = np.random.default_rng(1)
    A = rng.standard_normal((200, 3)) / 8
    z = A @ np.array([1.0, -0.5, 0.7])
    b = np.exp(z) + z
    b = np.maximum(b, 0) * np.exp(0.3 * rng.standard_normal(200))
    problem = make_problem("softres", A, b / b.sum(), 1e-3)
    x, _ = find_minimiser(problem, problem.zeros())
    return Near(problem, x, ApproxNewton(), seed=0)


def test_exact_steps_contract_near_the_minimiser_and_a_wrong_hessian_does_not(near, monkeypatch):
    p = np.array([1.0, 0.0, 0.0])
    assert near.contracts(p, 1e-3, "H", exact=True)
    assert near.contracts(p, 1e-3, "l2", exact=True)
    monkeypatch.setattr(type(near), "_sampled", lambda self, point: 2.0 * point.hessian())
    assert not near.contracts(p, 1e-3, "H", exact=False)  # halves the error: 0.5 > 0.4


def test_the_measured_radius_meets_its_own_definition(near):
    directions = [p for _, p in near.directions(3, np.random.default_rng(0))]
    l = float(np.linalg.eigvalsh(near.H)[0])  # noqa: E741
    radius, M = local_radius(near, directions, 1.0, l)
    assert 0 < radius <= 0.1 * l / M * (1 + 1e-12)
    assert math.isfinite(M)
    for p in directions:
        r = 0.5 * radius
        change = np.linalg.norm(near.problem.at(near.x + r * p).hessian() - near.H, 2)
        assert change <= 1.05 * M * r


def test_the_figure_and_the_sentence(tmp_path):
    runs = [logged(pd.DataFrame([row(), row(level="theorem", inside=True)]), tmp_path)]
    assert set(basin.draw(runs)) | set(basin.tables(runs)) == set(basin.CAPTIONS)
    assert "R = 4: 10^139" in basin.headline(runs)
