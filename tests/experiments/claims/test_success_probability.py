"""Failures against delta: too few rows are found out, enough rows hold, instance by instance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from logged import context, logged

from experiments.claims.sampling import success_probability
from experiments.claims.sampling.failure_rates import FailureRates
from experiments.claims.sampling.sampled_gram import Errors
from experiments.kit.claim import Author, Conclusion

pytestmark = pytest.mark.usefixtures("one_thread")

HOLDS, VIOLATED, UNDECIDED = Conclusion.HOLDS, Conclusion.VIOLATED, Conclusion.UNDECIDED


def draws(failures, trials, C=1.0, draw="approximate", sampling="independent"):
    return pd.DataFrame(
        {
            "part": "sparsifier", "draw": draw, "sampling": sampling, "regime": "own", "C": C,
            "failed": [1] * failures + [0] * (trials - failures), "measured": 0.5,
            "factor_H": 0.2, "factor_l2": 0.3, "left": 0.9,
        }
    )  # fmt: skip


def whole(failures, trials, regime="theorem", **changes):
    table = draws(failures, trials).assign(part="run", regime=regime, status="converged")
    return table.assign(fitted=0.5, moved=1e-9, factor_exact=0.1).assign(**changes)


def run(table, seed=0, rows="gaussian"):
    params = {"experiment__delta": 0.01, "data": "synthetic", "data__rows": rows, "seed": seed}
    return logged(table, seed, **params)


def judged(*tables):
    verdicts = success_probability.judge([run(table, k) for k, table in enumerate(tables)])
    return {verdict.statement: verdict for verdict in verdicts}


def found(verdicts, start):
    (verdict,) = (v for s, v in verdicts.items() if s.startswith(start))
    return verdict


@pytest.mark.parametrize(
    ("failures", "trials", "conclusion"),
    [(0, 400, HOLDS), (0, 100, UNDECIDED), (10, 1000, UNDECIDED), (30, 1000, VIOLATED)],
)
def test_the_exact_interval_decides(failures, trials, conclusion):
    verdict = found(judged(draws(failures, trials)), "C = 1 is enough")
    assert verdict.conclusion is conclusion
    assert verdict.author is Author.OURS
    assert verdict.cases == 1  # an instance, however often it was tried


def test_one_instance_that_fails_too_often_decides_whatever_the_others_do():
    many = [draws(0, 2000) for _ in range(9)]
    assert found(judged(*many), "C = 1").conclusion is HOLDS
    # Of all trials together 0.3% fail.
    verdict = found(judged(*many, draws(60, 2000)), "C = 1")
    assert verdict.conclusion is VIOLATED
    assert verdict.cases == 10
    assert verdict.counterexample.run.run_id == "run-9"
    assert verdict.counterexample.artifact == "worst_1.npz"


def test_intervals_hold_together():
    # 0 of 400 is enough for one instance and not for each of ten.
    assert found(judged(*[draws(0, 400)] * 10), "C = 1").conclusion is UNDECIDED


def test_a_constant_that_is_too_small_does_not_refute_a_lemma_that_leaves_it_open():
    few = judged(draws(50, 1000))
    assert found(few, "C = 1").conclusion is VIOLATED
    assert found(few, "Lemma A.8").conclusion is UNDECIDED
    both = judged(pd.concat([draws(50, 1000), draws(0, 1000, 2.25)]))
    assert found(both, "Lemma A.8").conclusion is HOLDS
    assert found(both, "Lemma A.8").author is Author.PAPER


def test_what_is_proven_is_marked_so_and_counts_both_schemes():
    cells = [draws(0, 900, np.nan, "proven", scheme) for scheme in ("independent", "replacement")]
    verdict = found(judged(pd.concat(cells)), "s = (2 + 2 eps0/3)")
    assert (verdict.conclusion, verdict.derived, verdict.cases) == (HOLDS, True, 1)


def test_runs_are_judged_by_their_weights():
    holds = judged(pd.concat([draws(0, 400), whole(0, 400), whole(30, 400, "own")]))
    assert found(holds, "Theorem 9.1").conclusion is HOLDS
    assert found(holds, "Theorem 9.1").author is Author.PAPER
    assert found(holds, "At practical weights").conclusion is VIOLATED
    assert found(holds, "At practical weights").counterexample.artifact == "run_own.npz"


def test_what_exact_newton_fails_at_too_is_no_matter_of_chance():
    lost = pd.concat([draws(0, 400), whole(400, 400, "own", factor_exact=0.41)])
    plain = pd.concat([draws(0, 400), whole(0, 400, "own")])
    verdict = found(judged(lost, plain, plain.assign(failed=0)), "At practical weights")
    assert verdict.conclusion is UNDECIDED  # 0 of 400 on each of two is not enough
    assert verdict.cases == 2
    assert "1 instances are left out" in verdict.reason
    assert not any(s.startswith("At practical") for s in judged(lost))


def test_weights_that_leave_nothing_to_fit_make_it_empty():
    table = pd.concat([draws(0, 400), whole(0, 400, fitted=1e-9)])
    assert found(judged(table), "Theorem 9.1").conclusion is Conclusion.EMPTY


def test_rates_say_what_they_could_have_seen():
    rates = FailureRates.of(pd.DataFrame({"run": "a", "failed": [0] * 300}), "run", 0.01)
    assert rates.conclusion is UNDECIDED
    assert "0 failures in 300 trials on 1 instances" in rates.told()
    assert "from a rate of 0.0099 on" in rates.told()


def measured(tmp_path, monkeypatch, *overrides):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    job = context("experiment=quick/success_probability", *overrides)
    return job, success_probability.measure(job)


def test_rows_along_axes_need_more_than_the_bare_formula(tmp_path, monkeypatch):
    few = ["experiment.sparsifiers=300", "experiment.runs={theorem: 1, own: 3}"]
    few += ["experiment.constants=[1]"]
    job, table = measured(tmp_path, monkeypatch, "data.rows=axes", *few)
    verdicts = judged(table)
    assert found(verdicts, "C = 1").conclusion is VIOLATED
    # What is kept is the failing instance itself: its sampled rows give the error that was seen.
    kept = job.kept["worst_1"]
    A, D, at = kept["A"], kept["diagonal"], kept["index"]
    sampled = A[at].T @ ((D[at] * kept["weight"])[:, None] * A[at])
    np.testing.assert_allclose(sampled, kept["sampled"], rtol=1e-9, atol=1e-12 * D.max())
    exact = A.T @ (D[:, None] * A)
    root = np.linalg.inv(np.linalg.cholesky(exact))
    error = np.abs(np.linalg.eigvalsh(root @ (sampled - exact) @ root.T)).max()
    cell = table[(table.part == "sparsifier") & (table.C == 1)]
    assert error / 0.25 == pytest.approx(cell.measured.max(), rel=1e-6)
    assert error > 0.25
    # The constant vector lies in the range of A: the rank-two part takes almost all of A^T D A.
    assert table.left.max() < 0.02
    own = table[table.regime == "own"]
    assert own[own.part == "run"].factor_H.max() > 0.4
    runs = [run(table, rows="axes")]
    assert set(success_probability.draw(runs)) <= set(success_probability.CAPTIONS)
    assert len(success_probability.CLAIM.tables(runs)["failures"]) == 5


def test_a_matrix_that_lacks_rank_is_measured_in_its_row_space(tmp_path, monkeypatch):
    few = [f"experiment.{key}" for key in ("constants=[1]", "sparsifiers=5")]
    few += ["experiment.runs={theorem: 2, own: 2}"]
    job, table = measured(tmp_path, monkeypatch, "data=digits", "n=null", "d=null", *few)
    assert job.prepared.certificate.rank == 61
    assert list(table.part) == 15 * ["sparsifier"] + 4 * ["run"]
    near = (table.part == "sparsifier") | (table.regime == "theorem")
    assert (table[near].failed == 0).all()
    assert table.measured.between(0, 1).all()


def test_the_factor_is_that_of_the_worst_step(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    prepared = context("experiment=quick/success_probability", "n=200", "d=3").prepared
    errors = Errors.at(prepared.problem.at(prepared.minimiser))
    off = np.array([[0.0, 0.2, 0.0], [0.2, 0.1, -0.1], [0.0, -0.1, -0.2]])
    low = np.linalg.cholesky(errors.exact)
    gram = errors.exact + low @ off @ low.T
    assert errors.spectral(gram) == pytest.approx(np.linalg.norm(off, 2), rel=1e-8)
    H = errors.hessian
    near = H + gram - errors.exact
    change = np.eye(3) - np.linalg.solve(near, H)
    root = np.linalg.cholesky(H).T
    in_H, in_l2 = errors.factors(gram)
    assert in_l2 == pytest.approx(np.linalg.norm(change, 2), rel=1e-8)
    in_root = np.linalg.norm(root @ change @ np.linalg.inv(root), 2)
    assert in_H == pytest.approx(in_root, rel=1e-8)
