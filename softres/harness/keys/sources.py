"""Which files a module uses, read from import statements; nothing is imported here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import softres
from softres.harness.keys.code import Import, source

__all__ = ["imported", "module_name", "used_files"]

_HERE = Path(softres.__file__).parents[1]


def used_files(
    start: Iterable[Path], followed: Callable[[Path, Path], bool] = lambda importer, file: True
) -> set[Path]:
    """Return the files that some files import, at once or through others, in their own packages.

    Imports within functions count, those for type checkers do not. A name that a package passes on
    from one of its modules stands for that module, not for all that the package passes on.

    Parameters
    ----------
    start
        Where to begin; these files are part of the result.
    followed
        Of the file that imports and the one that is imported: whether this import counts.
    """
    found = set(start)
    todo = list(found)
    while todo:
        importer = todo.pop()
        for file in imported(importer):
            if file not in found and followed(importer, file):
                found.add(file)
                todo.append(file)
    return found


def module_name(path: Path) -> str:
    """Return a file's path from the folder that its package lies in, with slashes."""
    return path.relative_to(_home(path)[0]).as_posix()


@cache
def imported(path: Path) -> frozenset[Path]:
    """Return the files of the softres package, and of a file's own, that a file itself imports."""
    used = [line for line in source(path).imports if not line.typing]
    return frozenset(file for line in used for file in _files(path, line))


def _files(path: Path, line: Import) -> Iterator[Path]:
    module = _absolute(path, line)
    file = _module(path, module)
    if file is None:
        return
    if line.name in ("", "*"):  # what is taken from it is not said
        yield file
        yield from _passed_on(file, "*")
        return
    homes = set(_passed_on(file, line.name)) if file != path else set()
    inner = _module(path, f"{module}.{line.name}")
    if inner is not None:
        homes.add(inner)
    # What no other module has is the module's own.
    yield from homes or {file}


def _passed_on(package: Path, name: str) -> Iterator[Path]:
    """Return the files from which a package takes a name, or all its names, to pass them on."""
    if package.name != "__init__.py":
        return
    for line in source(package).imports:  # for type checkers too: softres takes names when asked
        if line.name and name in (line.bound, "*"):
            yield from _files(package, line)


def _absolute(path: Path, line: Import) -> str:
    if not line.level:
        return line.module
    package = path.relative_to(_home(path)[0]).parent.parts
    kept = package[: len(package) - line.level + 1]
    return ".".join([*kept, *filter(None, [line.module])])


@cache
def _home(path: Path) -> tuple[Path, str]:
    """Return the folder that the outermost package of a file lies in, and the package's name."""
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder, path.relative_to(folder).parts[0]


def _module(path: Path, name: str) -> Path | None:
    """Return the file of a module of softres or of a file's own package."""
    folder, own = _home(path)
    first = name.partition(".")[0]
    if first == own:
        return _find(folder, name)
    return _find(_HERE, name) if first == softres.__name__ else None


@cache
def _find(root: Path, name: str) -> Path | None:
    place = root.joinpath(*name.split("."))
    candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next(filter(Path.is_file, candidates), None)
