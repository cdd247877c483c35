"""A claim in one file: the loss at the minimiser is small.

python run.py -m plugins=[examples/residual.py] experiment=residual
python scripts/report.py --plugins examples/residual.py --claims residual
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from experiments.kit.claim import Claim, Conclusion, Counterexample, Verdict
from experiments.kit.runs import LoggedRun
from experiments.kit.style import new_figure
from experiments.kit.verdicts import command
from softres.harness.probe import ProbeContext

LARGEST = 1e-3


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the loss at x*."""
    point = context.prepared.problem.at(context.prepared.minimiser)
    context.keep("worst", x=point.x)
    return pd.DataFrame({"loss": [point.value]})


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge the largest one."""
    worst = max(runs, key=lambda run: run.table["loss"].max())
    loss, why = float(worst.table["loss"].max()), "The largest loss at a minimiser."
    found, example = Conclusion.HOLDS, None
    if loss > LARGEST:
        found, example = Conclusion.VIOLATED, Counterexample(worst, command(worst), "worst.npz")
    figures = (f"{loss:.2g}", f"{LARGEST:g}", len(runs))
    return [Verdict(f"L(x*) <= {LARGEST:g}", found, *figures, why, LARGEST / loss, example)]


def draw(runs: Sequence[LoggedRun]) -> dict[str, Figure]:
    """Draw them by R."""
    figure, (axes,) = new_figure()
    axes.plot([run.number("R") for run in runs], [run.table["loss"].max() for run in runs], "o")
    axes.set(xlabel="R", ylabel="loss at the minimiser", yscale="log")
    return {"residual": figure}


CLAIM = Claim(
    id="residual",
    place="ours",
    statement="The loss at x* is small.",
    judge=judge,
    draw=draw,
    measure=measure,
    uses=("problem", "problem.beta", "problem.branch"),
    full={"seed": "range(3)", "R": "1,4,10"},
    quick={"seed": "0", "R": "1,10"},
)
