"""Lemma 7.1: two-sided bounds on the curvature's parts, and the weight that makes H >= l I."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments._adversary import Bounds, measure_bounded
from experiments._bounded import (
    SEARCH,
    command,
    draw_looseness,
    judge_bounds,
    legend_above,
    log,
    row_at,
    table,
)
from experiments._points import Point, matrix_parts
from experiments._regions import Setting
from experiments._search import Found
from experiments.claim import Claim, Conclusion, Counterexample, Verdict
from experiments.runs import LoggedRun
from experiments.style import look, new_figure
from softres.harness.probe import ProbeContext
from softres.problems import make_problem
from softres.theory.bounds import Region
from softres.theory.definiteness import (
    PARTS,
    curvature_bounds,
    smallest_weight,
    sufficient_weight,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]

#: The parts, and the smallest w^2 with H >= l I.
ALL = (*PARTS, "w^2")
#: Relative to |B1|: how far below 0 rounding may put the smallest eigenvalue of B1.
ROUNDING_B1 = 1e-10


def _figures(setting: Setting) -> dict[str, Callable[[Point], Any]]:
    import torch

    Q = torch.linalg.qr(torch.tensor(setting.A))[0]

    def eigenvalues(point: Point, name: str, frame: Any = None) -> Any:
        return torch.linalg.eigvalsh(torch.nan_to_num(matrix_parts(point, name, frame)))

    def size(name: str) -> Callable[[Point], Any]:
        return lambda point: eigenvalues(point, name).abs().amax(-1)

    # "w^2": only the pencil of A^T (B - W^2) A with A^T A counts, B - W^2 on the range of A.
    return {
        "B1": size("B1"),
        "B2": size("B2"),
        "B3": size("B3"),
        "-B": lambda point: -eigenvalues(point, "H")[..., 0],
        "w^2": lambda point: -eigenvalues(point, "H", Q)[..., 0],
    }


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest figure found of each part, one row a part and matrix."""
    weights = context.settings.weights

    def weight_for(setting: Setting) -> Callable[[float], float]:
        sigma_min = float(np.linalg.svd(setting.A, compute_uv=False)[-1])
        return lambda lowest: sufficient_weight(-lowest, sigma_min, weights.l)

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        weight = weight_for(setting)
        worst = curvature_bounds(Region.worst(n, R, beta))
        instance = curvature_bounds(Region.of(setting.A, R, beta))
        return (
            worst | {"w^2": weight(worst["-B"])},
            instance | {"w^2": weight(instance["-B"])},
            {"-B": weights.constant, "w^2": weight(weights.constant)},
        )

    def complete(setting: Setting, case: Found, row: dict[str, Any]) -> None:
        row.update(_at_point(setting, case, row, weight_for(setting), weights.l))

    return measure_bounded(context, 1, _figures, bounds, complete)


def _at_point(
    setting: Setting,
    case: Found,
    row: Mapping[str, Any],
    weight: Callable[[float], float],
    l: float,  # noqa: E741
) -> dict[str, float]:
    """Return what the library says at the point: B1's and H's eigenvalues, and the sharp w^2."""
    problem = make_problem("softres", setting.A, case.b, beta=setting.beta)
    point = problem.at(case.x)
    n = problem.n
    gauss_newton = np.stack([point.gauss_newton.apply(y) for y in np.eye(n)])
    values = np.linalg.eigvalsh(gauss_newton)
    result = {"lowest_B1": float(values[0] / values[-1])}
    if row["part"] == "w^2":
        needed, pencil = smallest_weight(setting.A, np.asarray(point.hessian()), l)
        result |= {"measured": log(needed), "certain": log(max(0.0, weight(-pencil)))}
    return result


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the parts, B1 >= 0, and whether the recalled C is enough."""
    what = dict.fromkeys(PARTS, "spectral norm") | {"-B": "largest eigenvalue"}
    what["w^2"] = "w^2 = K + l / sigma_min^2 gives H >= l I, smallest"
    verdicts = judge_bounds(runs, ALL, what)
    # The last one, "recalled", is about C and deserves its own words.
    return [_judge_gram(runs), *verdicts[:-1], _judge_constant(runs)]


def _judge_gram(runs: Sequence[LoggedRun]) -> Verdict:
    data = table(runs)
    statement = "B1 = F^T F >= 0"
    if data.empty:
        return Verdict(statement, Conclusion.UNDECIDED, "-", "0", 0, "No case was measured.")
    worst = row_at(data, int(data["lowest_B1"].to_numpy().argmin()))
    lowest = float(worst["lowest_B1"])
    holds = lowest >= -ROUNDING_B1
    run = runs[int(worst["run"])]
    return Verdict(
        statement,
        Conclusion.HOLDS if holds else Conclusion.VIOLATED,
        f"lambda_min / |B1| = {lowest:.1e}",
        f">= -{ROUNDING_B1:.0e} (rounding)",
        len(data),
        "Computed as diagonal plus rank two at every point that the search ended at; F has a null "
        "space, so 0 is attained."
        if holds
        else "A negative eigenvalue beyond rounding.",
        counterexample=None if holds else Counterexample(run, command(run, *SEARCH)),
    )


def _judge_constant(runs: Sequence[LoggedRun]) -> Verdict:
    """Judge the constant C of the theorem's weight, w^2 >= C + l / sigma_min^2."""
    data = table(runs)
    statement = "the recalled C: w^2 = C + l / sigma_min^2 gives H >= l I whatever beta is"
    cases = data[data["part"] == "w^2"]
    if cases.empty:
        return Verdict(statement, Conclusion.UNDECIDED, "-", "-", 0, "No case was measured.")
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
    example = Counterexample(run, command(run, *SEARCH), "worst_recalled.npz")
    reason = (
        f"Too small in {len(broken)} of {len(cases)} cases ({'; '.join(settings)}): near the pole "
        "of the loss the curvature grows with 1/beta, which a constant cannot follow. C is "
        "recalled from the softmax papers, where f is a probability vector, and not quoted."
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
        highest = cases.groupby("R")[["measured", "bound"]].max()
        axis.plot(highest.index, highest["measured"], **style, label=f"needed, beta={beta:g}")
        style |= {"linewidth": 0.8, "alpha": 0.6, "markerfacecolor": "none"}
        axis.plot(highest.index, highest["bound"], **style, label=f"own bound, beta={beta:g}")
    recalled = data.groupby("R")["recalled"].max()
    axis.plot(recalled.index, recalled, **look("bound"), label="recalled, C = 100")
    axis.set_xlabel("R, the norm of A and the radius of x")
    axis.set_ylabel("log10 of w^2 for H >= l I")
    legend_above(figure)
    return figure


CLAIM = Claim(
    id="psd",
    place="Lemma 7.1 (4 parts)",
    statement="B1 is positive semidefinite, B1, B2 and B3 are bounded on both sides, and H >= l I "
    "once w^2 is large enough.",
    judge=judge,
    draw=draw,
    measure=measure,
    sources=("_adversary", "_bounded", "_points", "_regions", "_search"),
)
