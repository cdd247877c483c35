"""The contestants by name: ours, exact Newton by hand, and the packages one would reach for.

Not among them is rlaopt 0.1 (randomised linear algebra in torch): its randomised methods
(SAPPHIRE, preconditioned proximal gradient) take a loss of its list of generalised linear models,
a mean over rows that are drawn at random. Here the sum alpha = <u, 1> ties all rows together, so
that no such mean exists.
"""

from __future__ import annotations

from experiments.race.contestants.base import Contestant
from experiments.race.contestants.hand_newton import HAND_NEWTON
from experiments.race.contestants.jax_methods import JAX
from experiments.race.contestants.ours import ours
from experiments.race.contestants.scipy_methods import SCIPY
from experiments.race.contestants.torch_methods import TORCH

__all__ = ["CONTESTANTS", "Contestant"]

CONTESTANTS: dict[str, Contestant] = {
    contestant.name: contestant
    for contestant in (
        HAND_NEWTON,
        ours("preconditioned_newton"),
        ours("exact_newton"),
        ours("approx_newton"),
        *SCIPY,
        *TORCH,
        *JAX,
    )
}
