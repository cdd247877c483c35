"""What a run was, in a few words of markdown that people read beside its figures."""

from __future__ import annotations

from softres.harness.settings import Settings
from softres.harness.terminal.console import error_text
from softres.solvers import Result

__all__ = ["describe"]


def describe(settings: Settings, command: str, result: Result | None = None) -> str:
    """Return the description of a run.

    Parameters
    ----------
    settings
        The run.
    command
        The command that repeats it.
    result
        How a solve ended; ``None`` before its end, and for a measurement.
    """
    claim = settings.experiment.get("id")
    what = (
        f"Problem `{settings.problem}`, solver `{settings.solver.name}`"
        if claim is None
        else f"Measurement of `{claim}`"
    )
    weights = settings.weights
    rule = f"`{weights.name}`"
    if weights.name in ("relative", "absolute"):
        rule += f" ({weights.value:g})"
    radius = "as it comes" if settings.R is None else f"R = {settings.R:g}"
    lines = [
        f"{what}, {settings.n} x {settings.d}.",
        "",
        f"- data `{settings.tree['data']['name']}`, {radius}, seed {settings.seed}; weights {rule}",
        f"- goal: eps = {settings.eps:g} within {settings.max_steps} steps",
    ]
    if result is not None:
        error = error_text(result.rows[-1].get("relative_error_l2"))
        lines.append(
            f"- end: **{result.status.value}** after {result.steps} steps, "
            f"{result.seconds['solve']:.3g} s of solver time, relative error {error}"
        )
    return "\n".join([*lines, "", "```", command, "```"])
