"""The largest distance from x* at which Newton's method still works, against the proven one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from experiments.claims.contraction.basin_figures import draw
from experiments.claims.contraction.basin_measure import TESTS, array_file, measure
from experiments.kit.cells import count, lower_median, sight
from experiments.kit.claim import Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.verdicts import counterexample, joined, row_of_largest
from softres.theory.predictions import CONTRACTION

__all__ = ["CAPTIONS", "CLAIM", "headline"]

CAPTIONS = {
    "radii": "Distance from x* up to which a start still does what the lemma says, smallest and "
    "median over directions, against the radius 0.1 l / M: with M measured by finite differences "
    "of the Hessian (line), and, written at the foot, with M proven here and with M recalled. An "
    "arrow: from some directions the test fails at every distance tried",
    "radii_table": "log10 of the radii, each the smallest over directions, medians over instances "
    "(the lower one of two); below: it fails at every distance tried. Where a scan found no "
    "failure its end counts",
}
#: The tests of a start, by the column of their radius.
RADIUS_LABELS = {
    "exact_H": f"one exact step contracts by {CONTRACTION} in the H-norm",
    "exact_l2": f"one exact step contracts by {CONTRACTION} in l2",
    "approx_H": f"one approximate step contracts by {CONTRACTION} in the H-norm",
    "approx_l2": f"one approximate step contracts by {CONTRACTION} in l2",
    "converges": "undamped exact Newton converges",
}
#: What kinds of instances differ in, and with the seed what instances do.
CELL = ("n", "d", "R", "rows", "condition", "level")
INSTANCE = (*CELL, "seed")


def smallest(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row an instance: its smallest radius and its nearest failure over directions."""
    how = dict.fromkeys(("run", "inside", "eps0"), "first")
    how |= dict.fromkeys((f"log10_{name}" for name in _SHARED), "first")
    how |= dict.fromkeys(TESTS, "min")
    failures = table.assign(**{_failed(name): _nearest(table, name) for name in TESTS})
    how |= {_failed(name): "min" for name in TESTS}
    return failures.groupby(list(INSTANCE), sort=False).agg(how).reset_index()


_SHARED = ("recalled", "proven", "local", "ball", "floor")


def _failed(name: str) -> str:
    return f"{name}_failed"


def _nearest(table: pd.DataFrame, name: str) -> pd.Series[float]:
    """Return where a test was seen to fail; inf where the step is none that the lemma speaks of.

    An approximate step is one by a Hessian within eps0 of the exact one.
    """
    failed = table[_failed(name)].astype(float)
    error = f"{name}_error"
    return failed if error not in table else failed.mask(table[error] > table["eps0"], np.inf)


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the recalled radius, then every test within the proven and within a measured one."""
    table = smallest(joined(runs))
    inside = table["inside"].astype(bool)
    verdicts = [_recalled(table[inside])]
    for part in (table[inside], table[~inside]):
        verdicts += [_within(part, runs, name) for name in TESTS if len(part)]
    return verdicts


def _recalled(inside: pd.DataFrame) -> Verdict:
    """Judge whether the start that the theorem asks for can be told from x*, M as recalled."""
    radius, floor = inside["log10_recalled"], inside["log10_floor"]
    told = int((radius >= floor).sum())
    return Verdict(
        statement="From |x0 - x*| <= 0.1 l / M, M recalled, the theorem's weights: whatever is "
        "said of a step",
        conclusion=Conclusion.UNDECIDED if told or inside.empty else Conclusion.EMPTY,
        measured=f"radius, by instance, 10^{radius.min():.1f} to 10^{radius.max():.1f}",
        bound="rounding of x*, the nearest that a start can be: by instance "
        f"10^{floor.min():.1f} to 10^{floor.max():.1f}",
        cases=count(inside, INSTANCE),
        reason=f"In {told} of {len(inside)} instances doubles hold a start that is as near as "
        "that and not x* itself. M = beta^-2 n^1.5 exp(20 R^2) is recalled, not quoted; an A of "
        "norm below 4 is read with R = 4, the least that the theorem allows.",
        author=Author.RECALLED,
    )


def _within(part: pd.DataFrame, runs: Sequence[LoggedRun], name: str) -> Verdict:
    """Judge a test by the starts inside its ball, as far as doubles tell them from x*."""
    theorem = bool(part["inside"].iloc[0])
    told = part[part["log10_ball"] >= part["log10_floor"]]
    with np.errstate(divide="ignore"):
        failed = np.log10(told[_failed(name)].astype(float)) - told["log10_ball"]
        margin = np.log10(told[name].astype(float)) - told["log10_ball"]
    bad = told[failed <= 1e-9]
    if len(bad):
        conclusion = Conclusion.VIOLATED
    else:
        conclusion = Conclusion.HOLDS if len(told) else Conclusion.UNDECIDED
    M = "M proven here, the theorem's weights" if theorem else "M measured, practical weights"
    reason = f"Doubles tell the ball from x* in {len(told)} of {len(part)} instances."
    if len(told):
        ended = int(np.isinf(told[_failed(name)]).sum())
        nowhere = int(np.isinf(margin).sum())
        least = f"nowhere in {nowhere}" if nowhere else f"10^{margin.min():.1f} at least"
        reason += (
            f" The test holds as far as 10^{lower_median(margin):.1f} times the radius in the "
            f"median, {least}; in {ended} the scan found no failure."
        )
    if len(bad):
        worst = row_of_largest(bad, -failed[bad.index])
        reason += (
            f" It fails inside the ball in {len(bad)}: nearest, at 10^"
            f"{failed[bad.index].min():.1f} times the radius, with R = {worst['R']:g}, condition "
            f"{worst['condition']:g}, {worst['rows']} rows, level {worst['level']}, seed "
            f"{worst['seed']}."
        )
    elif len(told):
        reason += f" {sight(count(told, CELL))}"
    if not theorem:
        reason += " M measured is a lower bound: the ball may be larger than the lemma's."
    example = None
    if len(bad):
        artifact = f"{array_file(name, inside=theorem)}.npz"
        example = counterexample(runs, str(worst["run"]), artifact)
    return Verdict(
        statement=f"From |x0 - x*| <= 0.1 l / M, {M}: {RADIUS_LABELS[name]}",
        conclusion=conclusion,
        measured=f"fails in {len(bad)} of {len(told)} instances"
        if len(bad)
        else f"no failure within the radius in {len(told)} instances",
        bound=f"none within the radius, by instance 10^{part['log10_ball'].min():.1f} to "
        f"10^{part['log10_ball'].max():.1f}",
        cases=count(told, INSTANCE),
        reason=reason,
        looseness=float(10.0 ** lower_median(margin)) if len(told) and not len(bad) else None,
        counterexample=example,
        # Lemma A.11 is about l2 and the approximate step; an exact one is within any eps0.
        author=Author.PAPER if theorem and name == "approx_l2" else Author.OURS,
        derived=theorem and (name == "converges" or name.startswith("exact")),
    )


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say by how many powers of ten the practical basin exceeds the three radii."""
    table = smallest(joined(runs))
    inside = table["inside"].astype(bool)
    practical = [f"R = {R:g}: {_excess(part, 'local')}" for R, part in table[~inside].groupby("R")]
    theorem = table[inside]
    texts = [f"with practical weights and M measured ({'; '.join(practical)})"] if practical else []
    if len(theorem):
        texts.append(
            f"with the theorem's weights by at least {_excess(theorem, 'proven')}, M proven here, "
            f"and {_excess(theorem, 'recalled')}, M recalled"
        )
    return (
        f"One exact Newton step contracts by {CONTRACTION} in the H-norm from a distance that "
        f"exceeds 0.1 l / M {'; '.join(texts)}. Each a range over instances, {len(table)} in all, "
        "of the smallest radius over directions."
    )


def _excess(part: pd.DataFrame, radius: str) -> str:
    excess = np.log10(part["exact_H"]) - part[f"log10_{radius}"]
    return f"10^{excess.min():.1f} to 10^{excess.max():.1f} times"


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return medians of log10 of the radii by R and weights."""
    instances = smallest(joined(runs)).sort_values("R", kind="stable")
    with np.errstate(divide="ignore"):
        logs = instances.assign(**{name: np.log10(instances[name]) for name in TESTS})
    columns = ["log10_recalled", "log10_proven", "log10_local", *TESTS]
    grouped = logs.groupby(["R", "level"], sort=False)[columns].agg(lower_median)
    shown = grouped.map(lambda value: "below" if np.isinf(value) else f"{value:.2f}")
    return {"radii_table": shown.reset_index()}


CLAIM = Claim(
    id="basin",
    place="Lemma A.11 and Theorem 9.1, the start M |x0 - x*| <= 0.1 l (our question)",
    statement="From every start with M |x0 - x*| <= 0.1 l Newton's method contracts by 0.4 a step.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=15,
)
