"""The theorems of the family side by side: which lemmas hold, are empty, break, and how soon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.claims.theorems.theorems_measure import measure
from experiments.kit.cells import sight
from experiments.kit.claim import Author, Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest, undecided
from softres.theory.predictions import CONTRACTION
from softres.theory.registry import THEOREMS, make_theorem
from softres.theory.theorem import LEMMAS, Origin, Theorem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "comparison"]

#: Lemmas on a constant: log10 of it is measured, and claimed.
CONSTANTS = ("convexity", "lipschitz", "sandwich")
#: log10 of the factor by which rounding may carry a sharp case over its bound.
ROUNDING = 1e-9
#: Below this share of the loss, nothing was left to solve.
FITTED = 1e-3
#: What is asked of a run, by the lemma; the first to fail as the weights fall is what breaks first.
ASKED: Mapping[str, tuple[str, Callable[[pd.DataFrame], pd.Series[Any]]]] = {
    "convexity": ("H >= l I at x*", lambda runs: runs["convex"].astype(bool)),
    "contraction_H": ("0.4 a step, H-norm", lambda runs: runs["factor_H"] <= CONTRACTION),
    "contraction": ("0.4 a step, l2", lambda runs: runs["factor_l2"] <= CONTRACTION),
    "steps": ("eps within T", lambda runs: ~runs["failed"].astype(bool)),
}
#: Where the first page takes its table from.
TABLE = "theorems"
CAPTIONS = {
    TABLE: "The theorems of the family side by side, each for its own problem, weights and "
    "constants: its lemmas by what the runs say; what breaks first as w^2 falls from the theorem's "
    "(the largest share of it at which a run fails, Algorithm 1 to the letter); steps to eps, the "
    "most of all runs at the theorem's w^2, against the T that is claimed",
    "theorems_frontier": "The largest factor of a step of Algorithm 1 to the letter in the H-norm, "
    "from M |x0 - x*| = 0.1 l, M measured, against w^2 over the theorem's; at the top where the "
    "method has no step",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge every lemma of every theorem that there are runs of."""
    table = joined(runs, "n", "R", "seed")
    found = []
    for name in _named(table):
        theorem, cases = make_theorem(name), table[table["theorem"] == name]
        cases = cases[cases["speaks"].astype(bool)]
        for lemma, source in theorem.lemmas.items():
            found.append(_lemma(runs, cases, theorem, lemma, source))
    return found


def _named(table: pd.DataFrame) -> list[str]:
    """Return the theorems that a table has, in their order; one that is not there is left out."""
    return [name for name in THEOREMS if name in set(table["theorem"])] if len(table) else []


def _lemma(
    runs: Sequence[LoggedRun], cases: pd.DataFrame, theorem: Theorem, lemma: str, source: Origin
) -> Verdict:
    author = Author(source.value)
    statement = f"{theorem.name} ({theorem.place}): {LEMMAS[lemma]}{_constant(theorem, lemma)}"
    if lemma in CONSTANTS:
        return _bounded(runs, cases[cases["part"] == lemma], statement, author, lemma)
    return _held(runs, cases[cases["part"] == "run"], statement, author, lemma)


def _constant(theorem: Theorem, lemma: str) -> str:
    constants = theorem.constants()
    letter = {"convexity": "w^2", "lipschitz": "M", "sandwich": "w^2 (sandwich)", "steps": "T"}
    if lemma not in letter:
        return ""
    formula, source = constants[letter[lemma]]
    return f"; {letter[lemma].partition(' ')[0]} = {formula} ({source.value})"


def _bounded(
    runs: Sequence[LoggedRun], cases: pd.DataFrame, statement: str, author: Author, lemma: str
) -> Verdict:
    """Judge a constant against the largest that an adversary found."""
    derived = author is Author.OURS and lemma != "sandwich"
    if cases.empty:
        return undecided(statement, "No run with so large an R.", author=author, derived=derived)
    worst = row_of_largest(cases, cases["measured"] - cases["claimed"])
    gap = float(worst["claimed"] - worst["measured"])
    broken = gap < -ROUNDING
    what = "M" if lemma == "lipschitz" else "share of the claimed w^2 that is needed"
    return Verdict(
        statement=statement,
        conclusion=Conclusion.VIOLATED if broken else Conclusion.HOLDS,
        measured=f"{what}: 10^{worst['measured']:.2f} (R = {worst['R']})",
        bound=f"10^{worst['claimed']:.2f}",
        cases=len(cases),
        reason=f"The adversary gives a lower bound only. {sight(len(cases))}",
        looseness=10.0 ** min(gap, 300.0),
        counterexample=counterexample(
            runs, str(worst["run"]), f"{lemma}.npz" if lemma != "sandwich" else ""
        )
        if broken
        else None,
        author=author,
        derived=derived,
    )


def _held(
    runs: Sequence[LoggedRun], cases: pd.DataFrame, statement: str, author: Author, lemma: str
) -> Verdict:
    """Judge what is asked of runs at the theorem's own weights."""
    cases = cases[(cases["certified"].astype(bool)) & (cases["level"] == 0)]
    if cases.empty:
        return undecided(statement, "No certified run with so large an R.", author=author)
    failing = cases[~ASKED[lemma][1](cases)]
    column = {"contraction": "factor_l2", "contraction_H": "factor_H"}.get(lemma, "steps")
    worst = row_of_largest(
        failing if len(failing) else cases,
        (failing if len(failing) else cases)[column].clip(upper=1e300),
    )
    fall = float(cases["loss_fall"].max())
    conclusion = Conclusion.EMPTY if fall < FITTED else Conclusion.HOLDS
    if len(failing):
        conclusion = Conclusion.VIOLATED
    T = int(worst["T"])
    return Verdict(
        statement=statement,
        conclusion=conclusion,
        measured=f"{int(worst['steps'])} steps ({worst['status']})"
        if lemma == "steps"
        else f"factor {worst[column]:.2g}",
        bound=f"T = {T}" if lemma == "steps" else f"{CONTRACTION}",
        cases=len(cases),
        reason=f"{len(failing)} of {len(cases)} runs fail, R = {worst['R']} the worst. Algorithm 1 "
        "to the letter, from a start with M |x0 - x*| = 0.1 l, M measured there. From x = 0 to x* "
        f"the loss falls by at most {fall:.1g} of itself. {sight(len(cases))}",
        looseness=None,
        counterexample=counterexample(runs, str(worst["run"])) if len(failing) else None,
        author=author,
    )


def comparison(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    """Return a row for each theorem: its lemmas by conclusion, what breaks first, and T."""
    table, rows = joined(runs, "n", "R", "seed"), []
    for name in _named(table):
        theorem = make_theorem(name)
        own = [run for run in runs if (run.table["theorem"] == name).all()]
        found = dict(zip(theorem.lemmas, judge(own), strict=True))

        def lemmas(kind: Conclusion, found: Mapping[str, Verdict] = found) -> str:
            return ", ".join(key for key, one in found.items() if one.conclusion is kind)

        cases = table[(table["theorem"] == name) & (table["part"] == "run")]
        cases = cases[cases["speaks"].astype(bool)]
        cases = cases[cases["certified"].fillna(False).astype(bool)]
        stated = cases[cases["level"] == 0]
        most = f"{int(stated['steps'].max())}" if len(stated) else "-"
        rows.append(
            {
                "theorem": name,
                "place": theorem.place,
                "holds": lemmas(Conclusion.HOLDS),
                "empty": lemmas(Conclusion.EMPTY),
                "violated": lemmas(Conclusion.VIOLATED),
                "not decided": lemmas(Conclusion.UNDECIDED),
                "breaks first": _first(cases),
                "T measured": most,
                "T claimed": f"{int(stated['T'].max())}" if len(stated) else "-",
            }
        )
    return pd.DataFrame(rows)


def _first(cases: pd.DataFrame) -> str:
    """Return what fails at the largest share of the theorem's weights."""
    if cases.empty:
        return "-"
    ends = {
        words: float(failing["log10_share"].max())
        for words, asked in ASKED.values()
        if len(failing := cases[~asked(cases)])
    }
    if not ends:
        return f"nothing down to 10^{cases['log10_share'].min():.0f} of w^2"
    words = max(ends, key=lambda key: ends[key])
    return f"{words}, at 10^{ends[words]:.1f} of w^2"


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the theorems side by side."""
    return {TABLE: comparison(runs)}


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the factor of a step against the weights, a line a theorem."""
    table = joined(runs)
    cases = table[(table["part"] == "run") & table["certified"].fillna(False).astype(bool)]
    figure, (axis,) = new_figure()
    for index, name in enumerate(_named(table)):
        own = cases[cases["theorem"] == name]
        top = own.groupby("level").agg(share=("log10_share", "median"), factor=("factor_H", "max"))
        factor = np.clip(top["factor"].to_numpy(float), 1e-4, 1e2)
        axis.plot(top["share"], factor, label=name, **look("", index))
    axis.axhline(CONTRACTION, **(look("bound") | {"marker": None}))
    axis.set(xlabel="log10 of w^2 over the theorem's", ylabel="largest factor, H-norm")
    axis.set_yscale("log")
    axis.legend(fontsize=7)
    return {"theorems_frontier": figure}


CLAIM = Claim(
    id="theorems",
    place="The family's theorems",
    statement="For each theorem of the family its lemmas hold for its own problem, with its own "
    "constants.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    uses=("eps",),
    order=17,
    theorem=True,
)
