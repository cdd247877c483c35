"""Lemma 7.1: two-sided bounds on the curvature's parts, and the weight that makes H >= l I."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.claims.bounds.bounded import (
    LOOSENESS,
    draw_looseness,
    judge_bounds,
    legend_in_columns,
    matrices,
    row_at,
    table,
)
from experiments.claims.bounds.psd_measure import measure
from experiments.kit.claim import Author, Claim, Conclusion, Counterexample, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.style import look, new_figure
from experiments.kit.verdicts import command, undecided
from softres.theory.curvature_bounds import PARTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM"]

CAPTIONS = {
    "psd": f"{LOOSENESS}. B1 = F^T F is the Gauss-Newton part of B, B2 the diagonal part by the "
    "residual and B3 its two outer products (Definition 5.1), each by its spectral norm; -B by its "
    "largest eigenvalue; w^2 is the smallest with H >= l I",
    "psd_weight": "The w^2 that H >= l I needs, the largest found, and what the proven "
    "bound and the recalled constant C = 100 offer, by R and beta",
}

#: The parts, and the smallest w^2 with H >= l I.
ALL = (*PARTS, "w^2")
#: Relative to |B1|: how far below 0 rounding may put the smallest eigenvalue of B1.
ROUNDING_B1 = 1e-10


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the parts, B1 >= 0, and whether the recalled C is enough."""
    what = dict.fromkeys(PARTS, "spectral norm") | {"-B": "largest eigenvalue"}
    what["w^2"] = "w^2 = K + l / sigma_min^2 gives H >= l I, smallest"
    verdicts = judge_bounds(runs, ALL, what)
    # The last one, "recalled", is about C and deserves its own words.
    return [_judge_gram(runs), *verdicts[:-1], _judge_constant(runs)]


def _judge_gram(runs: Sequence[LoggedRun]) -> Verdict:
    data = table(runs)
    statement = "B1 = F^T F >= 0 (Lemma 7.1)"
    paper = Author.PAPER
    if data.empty:
        return undecided(statement, bound="0", author=paper)
    worst = row_at(data, int(data["lowest_B1"].to_numpy().argmin()))
    lowest = float(worst["lowest_B1"])
    holds = lowest >= -ROUNDING_B1
    run = runs[int(worst["run"])]
    return Verdict(
        statement,
        Conclusion.HOLDS if holds else Conclusion.VIOLATED,
        f"lambda_min / |B1| = {lowest:.1e}",
        f">= -{ROUNDING_B1:.0e} (rounding)",
        matrices(data),
        "Computed as diagonal plus rank two at every point that the search ended at; F has a null "
        "space, so 0 is attained."
        if holds
        else "A negative eigenvalue beyond rounding.",
        counterexample=None if holds else Counterexample(run, command(run)),
        author=paper,
    )


def _judge_constant(runs: Sequence[LoggedRun]) -> Verdict:
    """Judge a constant C in the theorem's weight, w^2 >= C + l / sigma_min^2.

    Put together here: the papers have C where f is a probability vector, and nobody states it for
    soft-residual regression with alpha >= beta alone.
    """
    data = table(runs)
    statement = "a constant C is enough: w^2 = C + l / sigma_min^2 gives H >= l I whatever beta is"
    cases = data[data["part"] == "w^2"]
    if cases.empty:
        return undecided(statement)
    gap = cases["recalled"] - cases["measured"]
    nearest = row_at(cases, int(gap.to_numpy().argmin()))
    run = runs[int(nearest["run"])]
    broken = cases[gap < -1e-9]
    # C itself against -lambda_min(B - W^2), both without l / sigma_min^2.
    bare = data[data["part"] == "-B"]
    factor = float((bare["recalled"] - bare["measured"]).min())
    measured = (
        f"w^2 = 10^{nearest['measured']:.2f} needed ({nearest['kind']} A, R={nearest['R']}, "
        f"beta={nearest['experiment.beta']})"
    )
    bound = f"10^{nearest['recalled']:.2f}"
    looseness = 10.0 ** float(gap.min())
    if broken.empty:
        reason = f"C is larger than the largest -lambda_min(B - W^2) found by 10^{factor:.1f}."
        return Verdict(
            statement, Conclusion.HOLDS, measured, bound, len(cases), reason, looseness=looseness
        )
    settings = sorted({f"R={r}, beta={t}" for r, t in broken[["R", "experiment.beta"]].to_numpy()})
    example = Counterexample(run, command(run), "worst_recalled.npz")
    reason = (
        f"Too small in {len(broken)} of {len(cases)} cases ({'; '.join(settings)}): near the pole "
        "of the loss the curvature grows with 1/beta, which a constant cannot follow. Nobody "
        "states this: C is recalled from the softmax papers, where f is a probability vector, and "
        "the rest is ours."
    )
    return Verdict(
        statement, Conclusion.VIOLATED, measured, bound, len(cases), reason, looseness, example
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the looseness of every part, and the weight that is needed against those offered."""
    return {"psd": draw_looseness(runs, ALL), "psd_weight": _draw_weight(runs)}


def _draw_weight(runs: Sequence[LoggedRun]) -> Figure:
    data = table(runs)
    data = data[data["part"] == "w^2"].astype({"R": float, "experiment.beta": float})
    figure, axes = new_figure(height=2.7)
    axis = axes[0]
    for k, (beta, cases) in enumerate(data.groupby("experiment.beta")):
        style = look("", k)
        highest = 10.0 ** cases.groupby("R")[["measured", "bound"]].max()
        axis.plot(highest.index, highest["measured"], **style, label=rf"needed, $\beta$ = {beta:g}")
        style |= {"linewidth": 0.8, "alpha": 0.6, "markerfacecolor": "none"}
        axis.plot(highest.index, highest["bound"], **style, label=rf"own bound, $\beta$ = {beta:g}")
    recalled = 10.0 ** data.groupby("R")["recalled"].max()
    axis.plot(recalled.index, recalled, **look("bound"), label="recalled, C = 100")
    axis.set_yscale("log")
    axis.set_xlabel("$R$, the norm of $A$ and the radius of $x$")
    axis.set_ylabel(r"$w^2$ for $H \succeq l I$")
    legend_in_columns(figure)
    return figure


CLAIM = Claim(
    id="psd",
    place="Lemma 7.1 (4 parts)",
    statement="B1 is positive semidefinite, B1, B2 and B3 are bounded on both sides, and H >= l I "
    "once w^2 is large enough.",
    judge=judge,
    draw=draw,
    measure=measure,
    order=4,
)
