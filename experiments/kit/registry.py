"""The claims by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softres.common.discovery import catalogue, find

if TYPE_CHECKING:
    from experiments.kit.claim import Claim

__all__ = ["claim", "claim_ids"]


def claim_ids() -> tuple[str, ...]:
    """Return the ids of all claims there are, in the order of the report."""
    return tuple(catalogue("claim"))


def claim(name: str) -> Claim:
    """Return the claim of that id.

    Raises
    ------
    InputError
        If there is none.
    """
    found: Claim = find("claim", name)
    return found
