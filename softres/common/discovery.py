"""What solvers, problems, data, theorems and claims there are: read from files, not imported.

One file is enough for a new one, in its folder, given as ``plugins=[FILE]``, or in a package that
names its module under an entry point. What a file declares - its name, its options with their
defaults and what they mean - is read from its source, so that listing all there is imports nothing;
the file is imported when what it declares is used.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from softres.common.declarations import KINDS, Declaration, declared
from softres.common.errors import InputError
from softres.common.paths import expanded

__all__ = ["Catalogue", "add_plugins", "catalogue", "find", "module_of", "plugin_files"]

#: Where each kind's own files are, and under which entry points others name theirs. Own files need
#: no entry point: what is installed may be older than the files.
FOLDERS = {
    "solver": "softres.solvers",
    "problem": "softres.problems",
    "data": "softres.data.sets",
    "theorem": "softres.theory.theorems",
    "claim": "experiments.claims",
}
ENTRY_POINTS = {
    "solver": "softres.solvers",
    "problem": "softres.problems",
    "data": "softres.data",
    "theorem": "softres.theorems",
    "claim": "softres.claims",
}
#: What the files given as plug-ins declare, by kind and name.
_plugins: dict[str, dict[str, Declaration]] = {kind: {} for kind in KINDS}


def catalogue(kind: str) -> dict[str, Declaration]:
    """Return all that there is of a kind, by name, the plug-ins last.

    Parameters
    ----------
    kind
        ``"solver"``, ``"problem"``, ``"data"``, ``"theorem"`` or ``"claim"``.
    """
    return _installed(kind) | _plugins[kind]


def find(kind: str, name: str) -> Any:
    """Import and return the class, or the claim, of that name.

    Raises
    ------
    InputError
        If there is none; names those there are.
    """
    module = module_of(kind, name)
    return getattr(module, catalogue(kind)[name].symbol)


def module_of(kind: str, name: str) -> ModuleType:
    """Import and return the module that has the class, or the claim, of that name.

    Raises
    ------
    InputError
        If there is none; names those there are.
    """
    found = catalogue(kind)
    if name not in found:
        key = "experiment.id" if kind == "claim" else kind
        raise InputError(f"{key}={name}: allowed are {', '.join(found)}")
    return _module(found[name])


class Catalogue(Mapping[str, Any]):
    """The classes, or claims, of a kind by name, each imported when it is looked up."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __getitem__(self, name: str) -> Any:
        if name not in catalogue(self._kind):
            raise KeyError(name)
        return find(self._kind, name)

    def __contains__(self, name: object) -> bool:
        return name in catalogue(self._kind)

    def __iter__(self) -> Iterator[str]:
        return iter(catalogue(self._kind))

    def __len__(self) -> int:
        return len(catalogue(self._kind))


def plugin_files(given: Any) -> list[str]:
    """Return the value of ``plugins`` as a list of files, absolute.

    Raises
    ------
    InputError
        If it is no path or list of paths, or a file is not there.
    """
    paths = [given] if isinstance(given, str) else given or []
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        raise InputError(f"plugins={given}: allowed is a list of Python files, plugins=[FILE]")
    files = []
    for path in paths:
        file = expanded(path, "plugins").resolve()
        if file.suffix != ".py" or not file.is_file():
            raise InputError(f"plugins={path}: no such Python file")
        files.append(str(file))
    return files


def add_plugins(given: Any) -> list[Declaration]:
    """Add what files declare to what there is; a file that was added before changes nothing.

    Raises
    ------
    InputError
        As :func:`plugin_files` does; or if a file declares nothing, or a name that is taken.
    """
    added = []
    for file in plugin_files(given):
        known = [one for kind in FOLDERS for one in catalogue(kind).values()]
        found = declared([Path(file)], lambda path: "", known)
        if not found:
            raise InputError(
                f"plugins={file}: holds no Solver, Problem, DataSet or Theorem with a name, and no "
                "CLAIM"
            )
        for one in found:
            taken = catalogue(one.kind).get(one.name)
            if taken is not None and taken.path != one.path:
                raise InputError(
                    f"plugins={file}: {one.kind}={one.name} is taken by {taken.path}; rename it"
                )
            _plugins[one.kind][one.name] = one
        added += found
    return added


@cache
def _installed(kind: str) -> dict[str, Declaration]:
    """Return what is in the folders of this package and of those with an entry point."""
    places = [FOLDERS[kind]]
    places += sorted(point.value for point in entry_points(group=ENTRY_POINTS[kind]))
    found: dict[str, Declaration] = {}
    for place in places:
        modules = dict(_modules(place))
        for one in declared(list(modules), modules.__getitem__):
            if one.kind == kind:
                found.setdefault(one.name, one)
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))


def _modules(place: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of a module or of a package and its folders, with their dotted names."""
    try:
        spec = find_spec(place)
    except ModuleNotFoundError:  # its package is not there
        return
    if spec is None or spec.origin is None:
        return
    if spec.submodule_search_locations is None:
        yield Path(spec.origin), place
        return
    root = Path(spec.origin).parent
    for path in sorted(root.rglob("*.py")):
        if path.name != "__init__.py":
            yield path, ".".join([place, *path.relative_to(root).with_suffix("").parts])


def _module(one: Declaration) -> ModuleType:
    """Import the file of a declaration.

    Raises
    ------
    InputError
        If a plug-in's file cannot be imported.
    """
    if one.module:
        return import_module(one.module)
    digest = hashlib.sha256(str(one.path).encode()).hexdigest()[:8]
    name = f"softres_plugin_{one.path.stem}_{digest}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, one.path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise InputError(f"plugins={one.path}: {type(error).__name__}: {error}") from error
    return sys.modules[name]
