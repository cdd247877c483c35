"""What a report has to download before its sweeps can run, and what it can do without."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from experiments.kit.registry import claim
from experiments.report.runner import FIGURES_ONLY, arguments, has_sweep

__all__ = ["Downloads", "downloads"]

#: Megabytes a second of a connection that times are told for.
SPEED = 10.0


@dataclass(frozen=True)
class Downloads:
    """The real data of some sweeps.

    Attributes
    ----------
    here
        By claim: the data sets that are built in or were fetched before.
    missing
        By claim: the others.
    megabytes
        Of the packages that the missing ones come from, each counted once.
    """

    here: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    megabytes: float = 0.0

    @property
    def told(self) -> str:
        """What is said before anything runs; empty where nothing is to be downloaded."""
        if not self.missing:
            return ""
        names = dict.fromkeys(name for part in self.missing.values() for name in part)
        return (
            f"downloads {self.megabytes:.0f} MB once, about {self.megabytes / SPEED:.0f} s at "
            f"{SPEED:.0f} MB/s; --no-download does without\n  {', '.join(names)}"
        )


def downloads(names: Iterable[str], profile: str) -> Downloads:
    """Return which data the sweeps of some claims go through, and which of them are missing.

    Only claims that measure whatever data they are given go through real data sets.
    """
    from softres.common.presets import conf_folder
    from softres.config.sweeps import jobs_of
    from softres.data.registry import published

    found, packages = Downloads(), set()
    for name in names:
        if name in FIGURES_ONLY or not claim(name).any_data or not has_sweep(name, profile):
            continue
        jobs = jobs_of(conf_folder(), *arguments(name, profile)[1:])
        words = (text for job in jobs for text in job.overrides if text.startswith("data="))
        for data in dict.fromkeys(word.removeprefix("data=") for word in words):
            kind = published().get(data)
            made = kind() if kind is not None else None
            path = made.arrays_path() if made is not None else None
            if made is None or made.source is None or path is None or path.exists():
                found.here.setdefault(name, []).append(data)
            else:
                found.missing.setdefault(name, []).append(data)
                packages |= set(made.source.packages)
    total = sum(package.megabytes for package in packages)
    return Downloads(found.here, found.missing, total)
