"""The theorems side by side: what is measured of one, and that every statement can fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from logged import context, logged

from experiments.claims.theorems import theorems
from experiments.claims.theorems.theorems_measure import measure
from experiments.kit.claim import Author, Conclusion
from experiments.report.collect import JudgedClaim
from experiments.report.page.front import side_by_side
from experiments.report.section import section
from softres.common import discovery

pytestmark = pytest.mark.usefixtures("one_thread")

EXAMPLE = Path(__file__).parents[3] / "examples" / "tanh_theorem.py"
SMALL = (
    "experiment=quick/theorems",
    "n=3000",
    "d=2",
    "experiment.rows=15",
    "experiment.points=3",
    "experiment.levels=4",
    "experiment.eps0=0.15",
)


def table_of(name, R=4):
    job = context(*SMALL, f"R={R}", f"experiment.theorem={name}")
    return measure(job), job.kept


def run_of(table, number=0, R=4):
    return logged(table, number, n=3000, R=R, seed=0, experiment__theorem=table["theorem"].iloc[0])


@pytest.fixture(scope="module")
def exp_and_rescaled():
    return table_of("exp")[0], table_of("rescaled")[0]


def judged(table):
    verdicts = theorems.judge([run_of(table)])
    return dict(zip(theorems.make_theorem(table["theorem"].iloc[0]).lemmas, verdicts, strict=True))


def test_proven_constants_hold_and_frontiers_have_an_end(exp_and_rescaled):
    for table in exp_and_rescaled:
        found = judged(table)
        for lemma in ("convexity", "lipschitz"):
            assert found[lemma].conclusion is Conclusion.HOLDS
        assert found["lipschitz"].author is Author.OURS
        assert found["lipschitz"].derived
        last = table[table["level"] == 3].iloc[0]
        assert last["failed"]  # at weights next to none, D has negative entries


def test_what_leaves_nothing_to_solve_is_empty(exp_and_rescaled):
    exp, rescaled = (judged(table) for table in exp_and_rescaled)
    assert rescaled["steps"].conclusion is Conclusion.EMPTY
    assert exp["steps"].conclusion is Conclusion.HOLDS  # its weights leave a fit


def test_every_statement_can_fail(exp_and_rescaled):
    table = exp_and_rescaled[0]
    worse = table.assign(
        measured=table["claimed"] + 0.1, factor_l2=0.5, factor_H=0.5, failed=True, steps=99.0
    )
    found = judged(worse)
    assert {one.conclusion for one in found.values()} == {Conclusion.VIOLATED}
    assert found["convexity"].counterexample.artifact == "convexity.npz"
    silent = judged(table.assign(speaks=False))
    assert {one.conclusion for one in silent.values()} == {Conclusion.UNDECIDED}


def test_too_small_a_weight_and_too_small_an_m_are_found(monkeypatch):
    from softres.theory.theorem import Constant, Origin
    from softres.theory.theorems.hyperbolic import SinhTheorem

    none = Constant("0", Origin.OURS, lambda s: 0.0)
    monkeypatch.setattr(SinhTheorem, "lipschitz", none)
    monkeypatch.setattr(SinhTheorem, "weights", lambda self, s, b: np.full(len(b), 1e-2))
    table, kept = table_of("sinh")
    found = judged(table)
    assert found["convexity"].conclusion is Conclusion.VIOLATED
    assert found["lipschitz"].conclusion is Conclusion.VIOLATED
    assert kept["convexity"]["A"].shape == (15, 2)


def test_the_first_page_sets_several_side_by_side(exp_and_rescaled, tmp_path):
    runs = [run_of(table, k) for k, table in enumerate(exp_and_rescaled)]
    beside = theorems.comparison(runs)
    assert list(beside["theorem"]) == ["exp", "rescaled"]
    assert (beside["T measured"].astype(int) <= beside["T claimed"].astype(int)).all()
    assert beside["breaks first"].str.contains("of w\\^2").all()
    both, one = (
        side_by_side([section(JudgedClaim("theorems", theorems.CLAIM, some), "quick", tmp_path)])
        for some in (runs, runs[:1])
    )
    assert one is None
    assert len(both.table) == 2


def test_a_theorem_of_ones_own_is_judged(monkeypatch):
    monkeypatch.setattr(discovery, "_plugins", {kind: {} for kind in discovery.KINDS})
    discovery.add_plugins([str(EXAMPLE)])
    found = judged(table_of("tanh")[0])
    for lemma in ("convexity", "lipschitz"):
        assert found[lemma].conclusion is Conclusion.HOLDS
    assert found["steps"].conclusion in (Conclusion.HOLDS, Conclusion.EMPTY)
