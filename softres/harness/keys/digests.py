"""Digests of the code that results depend on: of a solve, and of a measurement."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import softres
from softres.common.discovery import catalogue
from softres.harness.keys.code import code_digest
from softres.harness.keys.sources import imported, module_name, used_files
from softres.harness.probe import Probe
from softres.harness.settings import Settings
from softres.problems import PROBLEMS
from softres.solvers import Solver

__all__ = [
    "class_files",
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
_SOLVE = _PACKAGE / "solvers" / "solve.py"
#: Modules that hand out classes by name, with the kind of class: no import tells which.
_BY_NAME = {
    _PACKAGE / "solvers" / "registry.py": "solver",
    _SOLVE: "solver",
    _PACKAGE / "problems" / "registry.py": "problem",
    _PACKAGE / "data" / "registry.py": "data",
    _PACKAGE / "theory" / "registry.py": "theorem",
}


def run_digest(settings: Settings, probe: Probe | None = None) -> str:
    """Return the digest of the code of a run, that of its problem and its data included."""
    kinds = (PROBLEMS[settings.problem], type(settings.data))
    if probe is not None:
        return measurement_digest(probe.measure, *kinds)
    return solver_digest(type(settings.solver), *kinds)


def solver_digest(solver: type[Solver], *kinds: type) -> str:
    """Return the digest of the code that a solve uses: a change of another solver leaves it.

    It covers what the solver's own modules import, how an instance is made and solved, and the
    modules of some classes, a problem's and a data set's.
    """
    return _solve_digest(frozenset({_PREPARE, _SOLVE}.union(*map(class_files, (solver, *kinds)))))


@cache
def _solve_digest(start: frozenset[Path]) -> str:
    return files_digest(used_files(start, _is_of_one_method))


def measurement_digest(measure: Callable[..., Any], *kinds: type) -> str:
    """Return the digest of the code that a measurement uses, see :func:`measurement_files`."""
    return _measurement_digest(_measurement_start(measure, kinds))


@cache
def _measurement_digest(start: frozenset[Path]) -> str:
    return files_digest(_measurement_files(start))


def _measurement_start(measure: Callable[..., Any], kinds: Sequence[type]) -> frozenset[Path]:
    own = {Path(inspect.getfile(measure)), _PREPARE, _PROBE}
    return frozenset(own.union(*map(class_files, kinds)))


def class_files(kind: type) -> set[Path]:
    """Return the files of a class and of those that it inherits from, Python's own left out."""
    return {
        Path(inspect.getfile(one))
        for one in kind.__mro__
        if one.__module__.partition(".")[0] not in sys.stdlib_module_names
    }


def measurement_files(measure: Callable[..., Any], *kinds: type) -> set[Path]:
    """Return the files with the code that a measurement uses.

    They are all that the module of the function imports, in its own package and in softres, and
    what makes an instance, the modules of some classes included. A measurement that asks for
    solvers, problems or data by their names may use any that softres has: it has all of them.
    """
    return _measurement_files(_measurement_start(measure, kinds))


def _measurement_files(start: frozenset[Path]) -> set[Path]:
    files = used_files(start, _is_of_one_method)
    callers = [path for path in files if _PACKAGE not in path.parents]
    asked = {_BY_NAME[file] for path in callers for file in imported(path) if file in _BY_NAME}
    if not asked:
        return files
    named = {one.path for kind in asked for one in catalogue(kind).values()}
    start |= {path for path in named if _PACKAGE in path.parents}
    return used_files(start, _is_numerical if "solver" in asked else _is_of_one_method)


def files_digest(files: Iterable[Path]) -> str:
    """Return the digest of the code in some files, 16 hexadecimal digits."""
    return code_digest((module_name(path), path) for path in files)[:16]


def _is_of_one_method(importer: Path, file: Path) -> bool:
    # What prepares an instance hands a solver of its own to solve, never a name.
    many = importer == _SOLVE and file.parent.name == "many"
    return not many and _is_numerical(importer, file)


def _is_numerical(importer: Path, file: Path) -> bool:
    if _PACKAGE not in file.parents or file in (_PREPARE, _PROBE):
        return True
    return file.relative_to(_PACKAGE).parts[0] not in NOT_NUMERICAL
