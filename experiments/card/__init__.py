"""What a card does with the library: its tests there, and seconds over the floor."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["card"]


def card(arguments: Sequence[str] | None = None) -> int:
    """Test and time the library on a CUDA device; return the exit status."""
    from experiments.card.command import card_command

    return card_command(arguments)
