"""Source files as the code in them: a digest that no comment changes, and what they import.

The digest is of the syntax tree, without docstrings and what is there for type checkers only. The
tree is written out here: what ``ast.dump`` writes differs between Python 3.11, 3.12 and 3.13, and
so would every key. Reading 80 files so takes a third of a second; what was read is kept in the
cache folder by the bytes of the file, and reading it again takes milliseconds.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from softres.common.cache import cache_folder

__all__ = ["Import", "SourceFile", "canonical", "code_digest", "source"]

#: What was read is kept up to so many files; then what this process has not used is dropped.
MOST_KEPT = 2000
#: Fields of a syntax tree that say nothing, or what another field says already.
_SILENT = frozenset({"ctx", "kind", "type_comment"})
_TYPING = "TYPE_CHECKING"


class Import(NamedTuple):
    """One imported name.

    Attributes
    ----------
    module
        The module that is named; empty in ``from . import name``.
    name
        The name taken from it; empty in ``import module``.
    bound
        What the name is called in the importing file.
    level
        Dots before the module.
    typing
        Whether it stands under ``if TYPE_CHECKING``, and so never happens.
    """

    module: str
    name: str
    bound: str
    level: int
    typing: bool


class SourceFile(NamedTuple):
    """A file read.

    Attributes
    ----------
    digest
        Of its code: 64 hexadecimal digits.
    imports
        Its imports, those within functions too.
    """

    digest: str
    imports: tuple[Import, ...]


def code_digest(files: Iterable[tuple[str, Path]]) -> str:
    """Return a digest of the code of files and their names, 64 hexadecimal digits.

    Raises
    ------
    OSError, SyntaxError
        If a file cannot be read.
    """
    state = hashlib.sha256()
    for name, path in sorted(files):
        state.update(f"{name} {source(path).digest}\n".encode())
    _keep()
    return state.hexdigest()


@cache
def source(path: Path) -> SourceFile:
    """Return what a file says, read once in a process: later edits are not what runs."""
    content = read(path)
    key = hashlib.sha256(content).hexdigest()
    found = _kept().get(key)
    if found is None:
        tree = ast.parse(content)
        text = canonical(tree)
        found = SourceFile(hashlib.sha256(text.encode()).hexdigest(), tuple(_imports(tree, False)))
        _new[key] = found
    _used.add(key)
    return found


def read(path: Path) -> bytes:
    """Return a file's content."""
    return path.read_bytes()


def canonical(tree: ast.AST) -> str:
    """Return a syntax tree as text, the same in Python 3.11 to 3.13.

    Left out are docstrings, other texts that stand alone, positions, and the body of
    ``if TYPE_CHECKING``.
    """
    words: list[str] = []
    _write(tree, words)
    return " ".join(words)


def _write(node: Any, words: list[str]) -> None:
    if isinstance(node, ast.AST):
        words.append(f"({type(node).__name__}")
        values = _joined(node.values) if isinstance(node, ast.JoinedStr) else None
        for field in node._fields:
            value = getattr(node, field, None) if values is None else values
            # Python 3.13 makes fields of empty lists where 3.11 has no such field.
            if field not in _SILENT and not _is_empty(value):
                words.append(field)
                _write(value, words)
        words.append(")")
    elif isinstance(node, list):
        words.append("[")
        for item in node:
            if not _is_silent(item):
                _write(item, words)
        words.append("]")
    else:
        words.append(ascii(node))


def _joined(values: list[Any]) -> list[Any]:
    """Return the parts of an f-string with neighbouring texts as one: versions split otherwise."""
    parts: list[Any] = []
    text = ""
    for value in [*values, None]:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
            continue
        if text:
            parts.append(ast.Constant(text))
        text = ""
        if value is not None:
            parts.append(value)
    return parts


def _is_empty(value: Any) -> bool:
    """Whether a field is as good as absent; ``{x:}`` has an empty format in some versions only."""
    return value is None or value == [] or (isinstance(value, ast.JoinedStr) and not value.values)


def _is_silent(statement: Any) -> bool:
    """Whether a statement does nothing when it is run."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    return _is_typing(statement) and not statement.orelse


def _is_typing(node: Any) -> bool:
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return (test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")) == _TYPING


def _imports(node: ast.AST, typing: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, "", alias.asname or alias.name, 0, typing)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            bound = alias.asname or alias.name
            yield Import(node.module or "", alias.name, bound, node.level, typing)
    elif _is_typing(node):
        assert isinstance(node, ast.If)
        for place, never in ((node.body, True), (node.orelse, typing)):
            for statement in place:
                yield from _imports(statement, never)
    else:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):
                yield from _imports(child, typing)


#: What this process has read itself, and what it has used, by the digest of a file's bytes.
_new: dict[str, SourceFile] = {}
_used: set[str] = set()


def _file() -> Path:
    # Another way to read files is another file.
    rules = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    return cache_folder() / "code" / f"{rules}.json"


@cache
def _kept() -> dict[str, SourceFile]:
    """Return what earlier processes read; nothing where the file is not there or damaged."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        return {
            key: SourceFile(digest, tuple(Import(*each) for each in imports))
            for key, (digest, imports) in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep() -> None:
    """Add what was read to the file; a process that adds at the same time may undo it."""
    if not _new:
        return
    _kept().update(_new)
    _new.clear()
    kept = _kept()
    if len(kept) > MOST_KEPT:
        kept = {key: kept[key] for key in _used}
    path = _file()
    part = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with suppress(OSError):  # without it all is read again: a cache is no reason to fail
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(json.dumps(kept), encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
