"""Which modules of the package a module uses, read from their import statements."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

import softres

__all__ = ["used_files"]

_PACKAGE = Path(softres.__file__).parent


def used_files(
    start: Iterable[Path], *, without: Collection[Path], folders: Collection[str]
) -> set[Path]:
    """Return the files of the package that some of its files import, at once or through others.

    Imports within functions count. Nothing is imported here.

    Parameters
    ----------
    start
        Where to begin; these files are part of the result.
    without
        Files that are left out, with what only they import.
    folders
        Folders of the package that are left out likewise.
    """
    found = set(start)
    todo = list(found)
    while todo:
        for path in _imports(todo.pop()):
            left_out = path in without or path.relative_to(_PACKAGE).parts[0] in folders
            if path not in found and not left_out:
                found.add(path)
                todo.append(path)
    return found


@cache
def _imports(path: Path) -> frozenset[Path]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(file for name in names for file in _files(name))


def _files(name: str) -> Iterator[Path]:
    """Return the file of a module of the package; of a name within a module there is none."""
    first, *rest = name.split(".")
    if first != _PACKAGE.name:
        return
    place = _PACKAGE.joinpath(*rest)
    yield from filter(Path.is_file, (place.with_suffix(".py"), place / "__init__.py"))
