"""Jobs of a sweep that no run stands for are named."""

from __future__ import annotations

import pandas as pd
from logged import logged

from experiments._gaps import missing, with_gaps
from experiments.claim import Conclusion, Verdict


def runs_of(*jobs, profile="full"):
    facts = {"experiment__id": "regime", "experiment__profile": profile}
    return [logged(pd.DataFrame(), k, **facts, seed=seed, R=R) for k, (seed, R) in enumerate(jobs)]


ALL = [(seed, R) for seed in (0, 1, 2) for R in (1.0, 4.0, 10.0)]


def test_a_whole_sweep_has_no_gap():
    assert missing(runs_of(*ALL)) == ([], 9)
    assert missing(runs_of(*ALL[:3], profile="quick")) == ([], 3)


def test_the_jobs_that_are_not_there_are_named_in_every_verdict():
    runs = runs_of(*ALL[:5], *ALL[6:8])
    assert missing(runs) == (["seed=1 R=10", "seed=2 R=10"], 9)
    (verdict,) = with_gaps([Verdict("s", Conclusion.HOLDS, "", "", 1, "Why.")], runs)
    assert verdict.reason == (
        "Why. Of the sweep's 9 jobs 2 have no finished run: seed=1 R=10; seed=2 R=10."
    )


def test_of_many_the_rest_is_counted():
    (verdict,) = with_gaps([Verdict("s", Conclusion.HOLDS, "", "", 1, "")], runs_of(ALL[0]))
    assert verdict.reason.endswith("and 4 more.")


def test_runs_of_no_sweep_have_no_gap():
    assert missing([logged(pd.DataFrame())]) == ([], 0)
    assert missing([]) == ([], 0)
