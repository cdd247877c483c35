"""Several layers and the theorem's method: is C enough, how M grows, 0.4 with block sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.claims.multi_layer.multi_layer_method_measure import measure
from experiments.kit.cells import count, sight
from experiments.kit.claim import Claim, Conclusion, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import clopper_pearson
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest, undecided
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "judge"]

#: Share of the draws that may leave the factor.
ALLOWED = 0.01
#: Cells with and without skip connections that an interval is made from.
FEWEST = 4
CELL = ("R", "depth", "skip")
STATEMENTS = {
    "weight": "At every depth w^2 = C + l / sigma_min^2, C = 100, gives H >= l I where |x| <= R",
    "M": "With skip connections M, the Lipschitz constant of the Hessian, grows no faster with "
    "depth than without (the mean of log10 M at the most layers over that at one)",
    "draws": "With blocks of rows sampled, the rank-two part exact, a step near x* contracts by "
    f"{CONTRACTION} in the H-norm at every depth, in 99% of draws",
}
CAPTIONS = {
    "multi_layer_method": "The least w^2 with H >= l I at points |x| <= R, over the stated one, "
    "and the largest change of the Hessian over |x - y|, against the number of layers, with and "
    "without skip connections",
    "multi_layer_constants": "By size, depth and skip connections: the least w^2 found, the stated "
    "one, the largest M found; and of steps near x* with blocks sampled the largest factor in the "
    "H-norm and the mean share of the rows that is kept",
}


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the weights, the growth of M, and the factor of sampled steps."""
    table = joined(runs, "seed")
    if table.empty:
        return [undecided(statement) for statement in STATEMENTS.values()]
    constants = table[table["part"] == "constants"]
    draws = table[(table["part"] == "draw") & table["certified"].fillna(False).astype(bool)]
    return [_weight(runs, constants), _growth(runs, constants), _draws(runs, draws)]


def _weight(runs: Sequence[LoggedRun], table: pd.DataFrame) -> Verdict:
    if table.empty:
        return undecided(STATEMENTS["weight"])
    worst = row_of_largest(table, table["needed"] / table["stated"])
    share = float(worst["needed"] / worst["stated"])
    return Verdict(
        statement=STATEMENTS["weight"],
        conclusion=Conclusion.VIOLATED if share > 1.0 else Conclusion.HOLDS,
        measured=f"{share:.2g} of it needed ({worst['depth']} layers, R = {worst['R']:g}, "
        f"{'skip' if worst['skip'] else 'no skip'})",
        bound="1",
        cases=count(table, [*CELL, "run"]),
        reason=f"At random points, a lower bound on the worst case. {sight(count(table, CELL))}",
        looseness=1.0 / share if share > 0 else None,
        counterexample=counterexample(runs, str(worst["run"])) if share > 1.0 else None,
    )


def _growth(runs: Sequence[LoggedRun], table: pd.DataFrame) -> Verdict:
    known = table[table["M"] > 0]
    growth: dict[bool, list[float]] = {True: [], False: []}
    for (_, _, skip), cell in known.groupby(["run", "R", "skip"]):
        by_depth = cell.set_index("depth")["M"]
        ends = by_depth.index.max(), by_depth.index.min()
        if ends[0] > ends[1]:
            growth[str(skip) == "True"].append(
                float(np.log10(by_depth[ends[0]] / by_depth[ends[1]]))
            )
    pairs = list(zip(growth[True], growth[False], strict=False))
    if len(pairs) < FEWEST:
        return undecided(STATEMENTS["M"], f"Fewer than {FEWEST} cells with both kinds.")
    gaps = np.array([skip - plain for skip, plain in pairs])
    reach = 2.0 * float(gaps.std(ddof=1)) / np.sqrt(len(gaps))
    mean = float(gaps.mean())
    conclusion = Conclusion.UNDECIDED
    if mean - reach > 0:
        conclusion = Conclusion.VIOLATED
    elif mean + reach <= 0:
        conclusion = Conclusion.HOLDS
    return Verdict(
        statement=STATEMENTS["M"],
        conclusion=conclusion,
        measured=f"10^{np.mean(growth[True]):.2g} with, 10^{np.mean(growth[False]):.2g} without; "
        f"difference {mean:.2g} +- {reach:.2g}",
        bound="difference at most 0",
        cases=len(pairs),
        reason="Means over sizes and seeds, with two standard errors.",
        counterexample=counterexample(runs, str(known.iloc[0]["run"]))
        if conclusion is Conclusion.VIOLATED
        else None,
    )


def _draws(runs: Sequence[LoggedRun], draws: pd.DataFrame) -> Verdict:
    if draws.empty:
        return undecided(STATEMENTS["draws"], "No certified minimiser.")
    bad = draws[~(draws["factor_H"] <= CONTRACTION)]
    share = clopper_pearson(len(bad), len(draws))
    worst = row_of_largest(draws, draws["factor_H"].clip(upper=1e300))
    conclusion = Conclusion.UNDECIDED
    if share.low > ALLOWED:
        conclusion = Conclusion.VIOLATED
    elif share.high <= ALLOWED:
        conclusion = Conclusion.HOLDS
    return Verdict(
        statement=STATEMENTS["draws"],
        conclusion=conclusion,
        measured=f"factor {worst['factor_H']:.3g} ({worst['depth']} layers); "
        f"{share.value:.2%} of draws leave {CONTRACTION}",
        bound=f"{CONTRACTION} in {1 - ALLOWED:.0%}",
        cases=count(draws, [*CELL, "run"]),
        reason=f"{len(bad)} of {len(draws)} draws leave it, a share of {share:.2g}; "
        f"{draws['kept'].mean():.0%} of the rows are kept. {sight(count(draws, CELL))}",
        looseness=CONTRACTION / float(worst["factor_H"]),
        counterexample=counterexample(runs, str(worst["run"]))
        if conclusion is Conclusion.VIOLATED
        else None,
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the share of w^2 that is needed, and M, against the depth."""
    table = joined(runs)
    table = table[table["part"] == "constants"]
    figure, axes = new_figure(columns=2)
    shares = table.assign(share=table["needed"] / table["stated"])
    for axis, column in zip(axes, ("share", "M"), strict=True):
        for index, ((R, skip), cell) in enumerate(shares.groupby(["R", "skip"])):
            by_depth = cell.groupby("depth")[column].max()
            label = f"R = {R:g}, {'skip' if str(skip) == 'True' else 'no skip'}"
            axis.plot(by_depth.index, by_depth.clip(lower=1e-12), label=label, **look("", index))
        axis.set(xlabel="layers", yscale="log")
    axes[0].set_ylabel("w^2 needed / stated")
    axes[1].set_ylabel("M")
    axes[0].legend(fontsize=6)
    return {"multi_layer_method": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the constants and factors by cell."""
    table = joined(runs)
    for column in ("factor_H", "kept"):
        table[column] = table.get(column, np.nan)
    found = table.groupby(list(CELL)).agg(
        needed=("needed", "max"),
        stated=("stated", "max"),
        M=("M", "max"),
        factor_H=("factor_H", "max"),
        kept=("kept", "mean"),
    )
    return {"multi_layer_constants": found.reset_index()}


CLAIM = Claim(
    id="multi_layer_method",
    place="Section 10, future work (our statements)",
    statement="The theorem's weights and method carry over to several layers.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=20,
)
