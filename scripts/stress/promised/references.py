"""A cached x* is looked at before it is believed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import run

from promised.base import ended, promise, told

JOB = ("n=60", "d=4", "tracking=none")


def _changed(folder: Path, change: Callable[[Path], None]) -> None:
    """Change the file of an x*, and see that it is set aside and found again."""
    ended(run(folder, *JOB), 0)
    (file,) = (folder / "cache").rglob("reference-*.npz")
    change(file)
    done = run(folder, *JOB)
    ended(done, 2)
    told(done, "set aside", most=1)
    assert "certified" not in done.stdout, done.stdout
    again = run(folder, *JOB)
    ended(again, 0)
    assert "converged after" in again.stdout, again.stdout


def _with(**values: object) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        from softres.common.cache import load_arrays, save_arrays

        stored = load_arrays(file)
        assert stored is not None
        save_arrays(file, **(stored | {name: np.asarray(new) for name, new in values.items()}))

    return change


@promise("NaN in the cache is no x*")
def not_a_number(folder: Path) -> None:
    _changed(folder, _with(x=np.full(4, np.nan)))


@promise("an x* of another length is set aside")
def other_length(folder: Path) -> None:
    _changed(folder, _with(x=np.zeros(5)))


@promise("an x* that is not the minimiser is set aside")
def other_point(folder: Path) -> None:
    _changed(folder, _with(x=np.full(4, 0.3)))


@promise("another instance's x* is set aside")
def other_instance(folder: Path) -> None:
    def change(file: Path) -> None:
        ended(run(folder, *JOB, "seed=1"), 0)
        (other,) = set(file.parent.glob("reference-*.npz")) - {file}
        shutil.copyfile(other, file)

    _changed(folder, change)
