"""The largest distance from x* at which Newton's method still works, against the proven one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from experiments._basin_figures import draw
from experiments._verdicts import counterexample, joined
from experiments.basin_measure import measure
from experiments.claim import Claim, Conclusion, Verdict
from experiments.runs import LoggedRun
from softres.theory.predictions import CONTRACTION

__all__ = ["CAPTIONS", "CLAIM", "headline"]

CAPTIONS = {
    "radii": "Distance from x* up to which a start still does what the lemma says, smallest and "
    "median over directions, against the proven radius 0.1 l / M: with M measured by finite "
    "differences of the Hessian, and with M recalled (written at the foot)",
    "radii_table": "Medians over instances of log10 of the radii; 'at least' where the scan ended "
    "before the first failure",
}
#: The least R of the theorem (recalled).
RADIUS = 4.0
#: The tests of a start, by the column of its radius.
TESTS = {
    "exact_H": "one exact step contracts by 0.4 in the H-norm",
    "exact_l2": "one exact step contracts by 0.4 in l2",
    "approx_H": "one approximate step contracts by 0.4 in the H-norm",
    "approx_l2": "one approximate step contracts by 0.4 in l2",
    "converges": "undamped exact Newton converges",
}


def smallest(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row an instance: its smallest radius over directions, for every test."""
    keys = ["run", "R", "rows", "level"]
    first = ["log10_recalled", "log10_local", "log10_spacing", "inside"]
    how = dict.fromkeys(TESTS, "min") | dict.fromkeys(first, "first")
    how |= {f"{name}_open": "min" for name in TESTS}
    return table.groupby(keys, sort=False).agg(how).reset_index()


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge every test against the recalled radius, then against the one of a measured M."""
    instances = smallest(joined(runs))
    verdicts = [_against(instances, runs, name, "recalled") for name in TESTS]
    return [*verdicts, *(_against(instances, runs, name, "local") for name in TESTS)]


def _against(instances: pd.DataFrame, runs: Sequence[LoggedRun], name: str, radius: str) -> Verdict:
    proven = instances[f"log10_{radius}"]
    # A radius of 0 failed at the least distance tried: it may still hold nearer than that.
    margin = np.log10(instances[name].replace(0.0, np.nan)) - proven
    # Where the scan found no failure there is none to compare with.
    short = (margin < -1e-9) & ~instances[f"{name}_open"].astype(bool)
    failed = instances[(instances[name] == 0.0) | short]
    # The theorem assumes R >= 4: that is where its start has to mean something.
    assumed = instances["R"] >= RADIUS if (instances["R"] >= RADIUS).any() else instances["R"] > 0
    empty = bool((proven < instances["log10_spacing"])[assumed].all())
    M = "M recalled" if radius == "recalled" else "M measured near x*"
    if len(failed):
        conclusion = Conclusion.VIOLATED
    else:
        conclusion = Conclusion.EMPTY if empty else Conclusion.HOLDS
    beyond = int((proven < instances["log10_spacing"]).sum())
    opened = int(instances[f"{name}_open"].astype(bool).sum())
    typical = float(margin.median())
    reason = (
        f"The practical radius exceeds the proven one by 10^{typical:.1f} in the median, "
        f"10^{margin.min():.1f} at least. The proven start is x* itself in doubles in {beyond} "
        f"of {len(instances)} instances (empty if in all with R >= {RADIUS:g}, as assumed); in "
        f"{opened} the scan found no failure."
    )
    if len(failed):
        reason += f" It fails in {len(failed)} instances, at the least distance tried in "
        reason += f"{int((instances[name] == 0.0).sum())}."
    return Verdict(
        statement=f"From |x0 - x*| <= 0.1 l / M, {M}, {TESTS[name]}",
        conclusion=conclusion,
        measured=f"radius >= 10^{np.log10(instances[name].replace(0.0, np.nan)).min():.1f}"
        if not len(failed)
        else f"fails in {len(failed)} of {len(instances)} instances",
        bound=f"10^{proven.min():.1f} to 10^{proven.max():.1f}",
        cases=len(instances),
        reason=reason,
        looseness=10.0 ** min(typical, 300.0) if np.isfinite(typical) else None,
        counterexample=counterexample(runs, failed.iloc[0]["run"], "worst.npz")
        if len(failed)
        else None,
    )


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say by how many powers of ten the practical basin exceeds the proven one."""
    instances = smallest(joined(runs))
    texts = []
    for R, part in instances.groupby("R"):
        recalled = (np.log10(part["exact_H"]) - part["log10_recalled"]).median()
        local = (np.log10(part["exact_H"]) - part["log10_local"]).median()
        texts.append(f"R = {R:g}: 10^{recalled:.0f} (with a measured M 10^{local:.1f})")
    return (
        f"One exact Newton step contracts by {CONTRACTION} in the H-norm from a distance that "
        f"exceeds the proven 0.1 l / M, M recalled, by a factor of {'; '.join(texts)}, medians "
        f"over {len(instances)} instances of the smallest radius over directions."
    )


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return medians of log10 of the radii by R and weights."""
    instances = smallest(joined(runs))
    logs = instances.assign(
        **{name: np.log10(instances[name].clip(lower=1e-300)) for name in TESTS}
    )
    columns = ["log10_recalled", "log10_local", *TESTS]
    grouped = logs.groupby(["R", "level"], sort=False)[columns].median().reset_index()
    return {"radii_table": grouped.round(2)}


CLAIM = Claim(
    id="basin",
    place="Lemma A.11 and Theorem 9.1, the start M |x0 - x*| <= 0.1 l (our question)",
    statement="From every start with M |x0 - x*| <= 0.1 l Newton's method contracts by 0.4 a step.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
)
