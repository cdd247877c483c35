"""The contestants by name: ours, exact Newton by hand, and the packages one would reach for.

Every module of the folder with ``CONTESTANTS`` brings some.

Not among them is rlaopt 0.1 (randomised linear algebra in torch): its randomised methods
(SAPPHIRE, preconditioned proximal gradient) take a loss of its list of generalised linear models,
a mean over rows that are drawn at random. Here the sum alpha = <u, 1> ties all rows together, so
that no such mean exists.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from experiments.race.contestants.base import Contestant

__all__ = ["CONTESTANTS", "Contestant"]

#: Every contestant by its name.
CONTESTANTS: dict[str, Contestant] = {
    contestant.name: contestant
    for module in iter_modules(__path__, f"{__name__}.")
    for contestant in getattr(import_module(module.name), "CONTESTANTS", ())
}
