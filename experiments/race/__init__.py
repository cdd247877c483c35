"""The race: every solver's time to a given accuracy, on one grid of instances."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.race.threads import pin_environment

__all__ = ["benchmark", "step_cost"]


def benchmark(arguments: Sequence[str] | None = None) -> int:
    """Race the solvers."""
    pin_environment()
    from experiments.race.command import benchmark_command

    return benchmark_command(arguments)


def step_cost(arguments: Sequence[str] | None = None) -> int:
    """Compare a step of Algorithm 1 (safeguarded) with one of exact Newton."""
    pin_environment()
    from experiments.race.steps.command import step_cost_command

    return step_cost_command(arguments)
