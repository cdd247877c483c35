"""Digests of the code that results depend on: of a solve, and of a measurement."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import softres
from softres.harness.keys.code import code_digest
from softres.harness.keys.sources import imported, module_name, used_files
from softres.harness.probe import Probe
from softres.harness.settings import Settings
from softres.solvers import Solver

__all__ = [
    "files_digest",
    "measurement_digest",
    "measurement_files",
    "run_digest",
    "solver_digest",
]

_PACKAGE = Path(softres.__file__).parent
#: Folders of the package that show and record results and check what was asked for; no result
#: comes from them. What was asked for is in a run's key already.
NOT_NUMERICAL = ("tracking", "results", "harness", "config", "cli")
#: What of them results come from: w, x0 and x* of every run, random numbers of a measurement.
_PREPARE, _PROBE = _PACKAGE / "harness" / "prepare.py", _PACKAGE / "harness" / "probe.py"
#: Where :func:`softres.solve` is led to one of several methods by what it is given.
_SOLVE, _REGISTRY = _PACKAGE / "solvers" / "solve.py", _PACKAGE / "solvers" / "registry.py"


def run_digest(settings: Settings, probe: Probe | None = None) -> str:
    """Return the digest of the code of a run."""
    if probe is not None:
        return measurement_digest(probe.measure)
    return solver_digest(type(settings.solver))


@cache
def solver_digest(solver: type[Solver]) -> str:
    """Return the digest of the code that a solve uses: a change of another solver leaves it.

    It covers what the solver's own modules import, and how an instance is made and solved.
    """
    own = {Path(inspect.getfile(kind)) for kind in solver.__mro__ if kind.__module__ != "builtins"}
    start = {path for path in own if _PACKAGE in path.parents} | {_PREPARE, _SOLVE}
    return files_digest(used_files(start, _is_of_one_method))


@cache
def measurement_digest(measure: Callable[..., Any]) -> str:
    """Return the digest of the code that a measurement uses, see :func:`measurement_files`."""
    return files_digest(measurement_files(measure))


def measurement_files(measure: Callable[..., Any]) -> set[Path]:
    """Return the files with the code that a measurement uses.

    They are all that the module of the function imports, in its own package and in softres, and
    what makes an instance. A measurement that calls :func:`softres.solve`, or makes solvers by
    their names, may use any solver: it has all of them.
    """
    start = {Path(inspect.getfile(measure)), _PREPARE, _PROBE}
    files = used_files(start, _is_of_one_method)
    callers = [path for path in files if _PACKAGE not in path.parents]
    if any(imported(path) & {_SOLVE, _REGISTRY} for path in callers):
        return used_files(start, _is_numerical)
    return files


def files_digest(files: Iterable[Path]) -> str:
    """Return the digest of the code in some files, 16 hexadecimal digits."""
    return code_digest((module_name(path), path) for path in files)[:16]


def _is_of_one_method(importer: Path, file: Path) -> bool:
    # What prepares an instance hands a solver of its own to solve, never a name.
    many = importer == _SOLVE and file.parent.name == "many"
    return not many and importer != _REGISTRY and _is_numerical(importer, file)


def _is_numerical(importer: Path, file: Path) -> bool:
    if _PACKAGE not in file.parents or file in (_PREPARE, _PROBE):
        return True
    return file.relative_to(_PACKAGE).parts[0] not in NOT_NUMERICAL
