"""Definition 5.1, Lemmas 5.3 and 5.4: the curvature is a diagonal plus rank two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments._bounded import command, row_at
from experiments._closed_forms import MODELS
from experiments._points import Point, matrix_parts
from experiments._references import cases, relative_error
from experiments.claim import Claim, Conclusion, Counterexample, Verdict
from experiments.runs import LoggedRun
from experiments.style import look, new_figure
from softres.harness.probe import ProbeContext

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM"]

#: Eigenvalues below this, over the largest, are rounding.
TOLERANCE = 1e-11
#: Eigenvalues of the rank-two part that are kept, by their size.
KEPT = 6
#: What is judged: a column of the table, and the statement.
STATEMENTS = {
    "rank": "B - diag(D) has rank 2: its third eigenvalue over its first",
    "signs": "one eigenvalue of B - diag(D) is positive and one negative: 1 where not",
    "formula": "the two eigenvalues are <v,h> +- |v||h|: relative error",
    "sum": "B1 + B2 + B3 + W^2 of Definition 5.1 is diag(D) + v h^T + h v^T: relative error",
}


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return, one row a point, how far B - diag(D) is from rank two and from its closed form.

    B is not the library's: it is the Hessian in z that automatic differentiation gives.
    """
    rows: list[dict[str, Any]] = []
    worst = -1.0
    for model in ("softres", "softmax"):
        for number, case in enumerate(cases(context, model)):
            curvature = case.problem.at(case.x).curvature
            B = _by_autodiff(model, case.A @ case.x, case.b, case.w)
            assert curvature.v is not None
            assert curvature.h is not None
            v, h = np.asarray(curvature.v), np.asarray(curvature.h)
            values = np.linalg.eigvalsh(B - np.diag(curvature.diagonal))
            by_size = np.sort(np.abs(values))[::-1]
            inner, lengths = v @ h, np.linalg.norm(v) * np.linalg.norm(h)
            expected = np.array([inner - lengths, inner + lengths])
            row: dict[str, Any] = {"model": model, "case": number}
            row["rank"] = by_size[2] / by_size[0]
            tiny = TOLERANCE * by_size[0]
            row["signs"] = float(not (values[0] < -tiny and values[-1] > tiny))
            row["formula"] = relative_error(values[[0, -1]], expected)
            row["sum"] = np.nan
            if model == "softres":
                parts = _definition(case.A @ case.x, case.b) + np.diag(case.w**2)
                row["sum"] = relative_error(parts, B)
            row |= {f"eigenvalue_{k}": by_size[k] / by_size[0] for k in range(KEPT)}
            rows.append(row)
            largest = float(np.nanmax([row[name] for name in STATEMENTS]))
            if largest > worst:
                worst = largest
                context.keep("worst", **case.arrays)
    return pd.DataFrame(rows)


def _by_autodiff(model: str, z: Any, b: Any, w: Any) -> Any:
    import torch

    b, w = torch.tensor(b), torch.tensor(w)

    def loss(z: Any) -> Any:
        u = MODELS[model](torch, z)
        c = u / u.sum() - b
        return 0.5 * (c @ c + ((w * z) ** 2).sum())

    hessian: Any = torch.autograd.functional.hessian
    return hessian(loss, torch.tensor(z)).numpy()


def _definition(z: Any, b: Any) -> Any:
    """Return B1 + B2 + B3 as matrices, without W^2."""
    import torch

    point = Point(torch.tensor(z), torch.tensor(b))
    return sum(matrix_parts(point, name).numpy() for name in ("B1", "B2", "B3"))


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge rank, signs, eigenvalues and the sum of the parts."""
    bound = f"{TOLERANCE:.0e}"
    if not runs:
        none = "No finished run."
        return [
            Verdict(statement, Conclusion.UNDECIDED, "-", bound, 0, none)
            for statement in STATEMENTS.values()
        ]
    data = pd.concat([run.table.assign(run=k) for k, run in enumerate(runs)], ignore_index=True)
    return [_judge(runs, data, column) for column in STATEMENTS]


def _judge(runs: Sequence[LoggedRun], data: pd.DataFrame, column: str) -> Verdict:
    # Only soft-residual regression has the paper's split.
    cases = data[data["model"] == "softres"] if column == "sum" else data
    errors = cases[column].fillna(np.inf)
    worst = row_at(cases, int(errors.to_numpy().argmax()))
    largest = float(errors.max())
    holds = largest <= TOLERANCE
    run = runs[int(worst["run"])]
    second = float(cases["eigenvalue_1"].min())
    reason = "Against the Hessian in z from automatic differentiation, at points alpha >= 0.1 n."
    if column == "rank":
        reason += f" The second eigenvalue is at least {second:.1e} of the first: not rank one."
    return Verdict(
        statement=STATEMENTS[column],
        conclusion=Conclusion.HOLDS if holds else Conclusion.VIOLATED,
        measured=f"{largest:.1e} ({worst['model']}, n={run.params.get('n')})",
        bound=f"{TOLERANCE:.0e}",
        cases=len(cases),
        reason=reason,
        looseness=TOLERANCE / largest if 0 < largest < np.inf else None,
        counterexample=None
        if holds
        else Counterexample(run, command(run, "experiment.cases"), "worst.npz"),
    )


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the sizes of the eigenvalues of B - diag(D): two, then rounding."""
    data = pd.concat([run.table.assign(n=run.params["n"]) for run in runs], ignore_index=True)
    figure, axes = new_figure()
    axis = axes[0]
    index = np.arange(1, KEPT + 1)
    columns = [f"eigenvalue_{k}" for k in range(KEPT)]
    for model, points in data.groupby("model", sort=False):
        values = np.maximum(points[columns].to_numpy(), 1e-20)
        style = look(str(model))
        axis.plot(index, np.median(values, axis=0), label=f"{model}, {len(points)} points", **style)
        axis.fill_between(
            index, values.min(axis=0), values.max(axis=0), color=style["color"], alpha=0.2, lw=0
        )
    axis.set_yscale("log")
    axis.set_xlabel("eigenvalue of B - diag(D), by size")
    axis.set_ylabel("size over the largest")
    axis.legend(fontsize=7, frameon=False)
    return {"low_rank_plus_diagonal": figure}


CLAIM = Claim(
    id="low_rank_plus_diagonal",
    place="Definition 5.1, Lemmas 5.3 and 5.4, Definition 6.1",
    statement="The curvature B is a diagonal plus a low-rank matrix; sharper: plus rank two, with "
    "eigenvalues <v,h> +- |v||h| of opposite signs.",
    judge=judge,
    draw=draw,
    measure=measure,
    sources=("_bounded", "_closed_forms", "_points", "_references"),
)
