"""What each tuned constant of the fast solver is worth."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.race.threads import pin_environment

__all__ = ["ablation"]


def ablation(arguments: Sequence[str] | None = None) -> int:
    """Solve a dozen instances with each constant at its value, at others, and switched off."""
    pin_environment()
    from experiments.ablation.command import ablation_command

    return ablation_command(arguments)
