"""The exponents of M and of the smallest w^2 in R^2, n and beta, against those that proofs use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from experiments.claims.theorems.scaling_laws_measure import measure
from experiments.kit.claim import Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import Interval
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import counterexample, joined, undecided
from softres.theory.bounds import Region

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "exponents"]

#: What a figure grows with. R itself beside R^2: |A|^3 is in M, and no exponential.
TERMS = ("R^2", "log R", "log n", "log 1/beta")
#: Exponents that are claimed, by term: of the figure, whose they are, and in words.
CLAIMED = (
    ("M", Author.RECALLED, "M = beta^-2 n^1.5 exp(20 R^2)", (20.0, 1.5, 2.0)),
    ("M", Author.FAMILY, "M = n^2 exp(40 R^2), stated for softmax regression", (40.0, 2.0, None)),
    ("w^2", Author.RECALLED, "w^2 = C + l / sigma_min^2 with a constant C", (0.0, 0.0, 0.0)),
)
#: The terms that CLAIMED has exponents of.
JUDGED = ("R^2", "log n", "log 1/beta")
#: Growth a nat of R^2 from which on an exponential counts as one.
EXPONENTIAL = 1.0
CAPTIONS = {
    "scaling_laws": "The largest change of the Hessian over |x - y|, and the w^2 that H >= 0 "
    "needs, that an adversary finds, against R, by n and beta",
    "exponents": "Exponents of the largest figure found, by least squares of its logarithm on R^2, "
    "log R, log n and log 1/beta, with 95% intervals, beside those claimed (recalled)",
}


def exponents(table: pd.DataFrame) -> dict[str, dict[str, Interval]]:
    """Return each figure's exponents by term with 95% intervals, by least squares.

    beta is the least that alpha can be: the assumed one, or what R leaves of n where that is more.
    The intervals take the cells as independent and their scatter about the law as alike.
    """
    found = {}
    for figure, cells in table[table["log10"] > -300.0].groupby("figure", sort=False):
        x = np.column_stack(
            [
                cells["R"] ** 2,
                np.log(cells["R"]),
                np.log(cells["n"].astype(float)),
                [
                    -log(Region.worst(int(n), R, beta).beta)
                    for n, R, beta in zip(cells["n"], cells["R"], cells["beta"], strict=True)
                ],
                np.ones(len(cells)),
            ]
        )
        y = cells["log10"].to_numpy(float) * log(10.0)
        free = len(y) - x.shape[1]
        if free < 1 or np.linalg.matrix_rank(x) < x.shape[1]:
            continue
        fitted = np.linalg.lstsq(x, y, rcond=None)[0]
        spread = float(((y - x @ fitted) ** 2).sum()) / free
        reach = float(stats.t.ppf(0.975, free)) * np.sqrt(
            spread * np.linalg.inv(x.T @ x).diagonal()
        )
        found[str(figure)] = {
            term: Interval(float(value), float(value - off), float(value + off))
            for term, value, off in zip(TERMS, fitted, reach, strict=False)
        }
    return found


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the exponents that are claimed, and whether the exponential is needed."""
    table = joined(runs)
    laws = exponents(table) if len(table) else {}
    verdicts = [_claimed(runs, table, laws, *claimed) for claimed in CLAIMED]
    return [*verdicts, _needed(runs, table, laws)]


def _claimed(
    runs: Sequence[LoggedRun],
    table: pd.DataFrame,
    laws: Mapping[str, Mapping[str, Interval]],
    figure: str,
    author: Author,
    words: str,
    claimed: Sequence[float | None],
) -> Verdict:
    """Judge that no exponent exceeds what is claimed."""
    statement = f"{figure} grows no faster than {words}: exponents in R^2, n and 1/beta"
    if figure not in laws:
        return undecided(statement, author=author)
    law = laws[figure]
    pairs = [
        (law[term], most) for term, most in zip(JUDGED, claimed, strict=True) if most is not None
    ]
    above = [found for found, most in pairs if found.low > most]
    unsure = [found for found, most in pairs if found.low <= most < found.high]
    conclusion = Conclusion.UNDECIDED if unsure else Conclusion.HOLDS
    if above:
        conclusion = Conclusion.VIOLATED
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured="; ".join(f"{term} {law[term]:.2g}" for term in JUDGED),
        bound=", ".join("-" if most is None else f"{most:g}" for most in claimed),
        cases=int((table["figure"] == figure).sum()),
        reason="Least squares on the largest that an adversary finds, a lower bound on the worst "
        "case, over R^2, log R, log n and log 1/beta, beta the least that alpha can be. An "
        "exponent above the claimed one is no case above the bound: exp(R^2) exceeds it.",
        counterexample=counterexample(runs, str(table.iloc[0]["run"])) if above else None,
        author=author,
    )


def _needed(
    runs: Sequence[LoggedRun],
    table: pd.DataFrame,
    laws: Mapping[str, Mapping[str, Interval]],
) -> Verdict:
    statement = f"M needs an exponential: log M grows with R^2, by {EXPONENTIAL:g} at least"
    if "M" not in laws:
        return undecided(statement)
    found = laws["M"]["R^2"]
    conclusion = Conclusion.UNDECIDED
    if found.high < EXPONENTIAL:
        conclusion = Conclusion.VIOLATED
    elif found.low >= EXPONENTIAL:
        conclusion = Conclusion.HOLDS
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured=f"{found:.2g} a unit of R^2, {laws['M']['log R']:.2g} in log R",
        bound=f"{EXPONENTIAL:g}",
        cases=int((table["figure"] == "M").sum()),
        reason="A power of R, n and 1/beta is enough for soft-residual regression, as is proven "
        "in softres.theory.lipschitz.",
        counterexample=counterexample(runs, str(table.iloc[0]["run"]))
        if conclusion is Conclusion.VIOLATED
        else None,
    )


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say how M and w^2 grow."""
    laws = exponents(joined(runs))
    told = [
        f"{figure} by {law['R^2']:.2g} a unit of R^2, with n to {law['log n']:.2g} and with 1/beta "
        f"to {law['log 1/beta']:.2g}"
        for figure, law in laws.items()
        if figure != "K"
    ]
    return "The largest found by an adversary grows: " + "; ".join(told) + "." if told else ""


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw M and w^2 against R, a line for each n at the least and the largest beta."""
    table = joined(runs)
    figure, axes = new_figure(columns=2)
    for axis, name in zip(axes, ("M", "w^2"), strict=True):
        part = table[(table["figure"] == name) & (table["log10"] > -300.0)]
        for index, ((n, beta), line) in enumerate(part.groupby(["n", "beta"])):
            best = line.groupby("R")["log10"].max()
            axis.plot(best.index, best, label=f"n = {n}, beta = {beta:g}", **look("", index))
        axis.set(xlabel="R", ylabel=f"log10 {name}")
        axis.set_xscale("log")
    axes[0].legend(fontsize=5)
    return {"scaling_laws": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the exponents with their intervals, beside those claimed."""
    claimed = {
        figure: dict(zip(JUDGED, most, strict=True))
        for figure, who, _, most in CLAIMED
        if who is Author.RECALLED
    }
    rows = [
        {
            "figure": figure,
            "term": term,
            "exponent": found.value,
            "low": found.low,
            "high": found.high,
            "claimed": claimed.get(figure, {}).get(term),
        }
        for figure, law in exponents(joined(runs)).items()
        for term, found in law.items()
    ]
    return {"exponents": pd.DataFrame(rows)}


CLAIM = Claim(
    id="scaling_laws",
    place="Lemmas 7.1 and 8.1, Theorem 9.1",
    statement="M and w^2 grow with R^2, n and 1/beta as the proofs' constants do.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=8,
)
