"""What a source file declares, read from its syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softres.common.errors import InputError

__all__ = ["KINDS", "REQUIRED", "Declaration", "declared", "meanings"]

#: The base classes that make a class one of its kind; a claim is a call of ``Claim``.
KINDS: Mapping[str, tuple[str, ...]] = {
    "solver": ("Solver",),
    "problem": ("Problem",),
    "data": ("DataSet", "PublishedData"),
    "theorem": ("Theorem",),
    "claim": (),
}
#: The default of an option that must be given.
REQUIRED = "???"
#: What a class may say of the keys beside its group, and the keys that it sets by that.
PRESETS = ("max_steps", "n", "d", "R")
#: Files without such a line declare nothing.
NAMED = re.compile(r"^(    name(: ClassVar\[str\])? = [\"']|CLAIM = Claim\()", re.M)


@dataclass(frozen=True)
class Declaration:
    """A solver, problem, data set, theorem or claim, as its file declares it.

    Attributes
    ----------
    kind, name
        Such as ``"solver"`` and ``"exact_newton"``.
    path, module, symbol
        The file; its dotted name, empty for a plug-in; and the class in it, or ``"CLAIM"``.
    summary
        First line of the docstring.
    options
        Options with their defaults.
    meaning
        What an option means, from the docstring, where it says so.
    presets
        Keys of the top level that it brings values for, such as ``max_steps``.
    sweeps
        Of a claim: its ``full`` and its ``quick`` sweep, where the file has them.
    order
        Where it stands in lists.
    """

    kind: str
    name: str
    path: Path
    module: str
    symbol: str
    summary: str
    options: Mapping[str, Any] = field(default_factory=dict)
    meaning: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, Any] = field(default_factory=dict)
    sweeps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    order: int = 100


def declared(
    paths: Sequence[Path],
    module: Callable[[Path], str],
    known: Iterable[Declaration] = (),
) -> list[Declaration]:
    """Return what some files declare, in the order of the files.

    Parameters
    ----------
    paths
        Python files.
    module
        Gives a file's dotted name, empty for one that is not importable by name.
    known
        Declarations of other files, whose classes may be inherited from.

    Raises
    ------
    InputError
        If a file is no Python, or a default is no literal.
    """
    trees = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if NAMED.search(text):
            try:
                trees[path] = ast.parse(text)
            except SyntaxError as error:
                raise InputError(f"{path}, line {error.lineno}: {error.msg}") from None
    classes = {
        node.name: node
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    inherited = {one.symbol: one for one in known}
    found = []
    for path, tree in trees.items():
        constants = _constants(tree.body)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                one = _of_class(node, classes, inherited, constants, path, module(path))
            else:
                one = _of_claim(node, tree, path, module(path))
            if one is not None:
                found.append(one)
    return found


def _of_class(
    node: ast.ClassDef,
    classes: Mapping[str, ast.ClassDef],
    inherited: Mapping[str, Declaration],
    constants: Mapping[str, Any],
    path: Path,
    module: str,
) -> Declaration | None:
    name = _constants(node.body).get("name")
    line = list(_ancestors(node, classes))
    bases = [base for one in line for base in _bases(one)]
    parents = [inherited[base] for base in bases if base in inherited]
    kinds = [kind for kind, named in KINDS.items() if set(named) & set(bases)]
    kind = next(iter([*kinds, *(parent.kind for parent in parents)]), None)
    if not isinstance(name, str) or kind is None:
        return None
    options: dict[str, Any] = {}
    meaning: dict[str, str] = {}
    says: dict[str, Any] = {}
    for parent in parents:
        options |= parent.options
        meaning |= parent.meaning
        says |= parent.presets
    for one in reversed(line):
        says |= _constants(one.body, constants)
        meaning |= meanings(ast.get_docstring(one) or "")
        if kind == "problem":
            given = _keywords(one, constants, path)
            options = options if given is None else given
        elif kind != "theorem":
            options |= _fields(one, constants, path)
    presets = {key: says[key] for key in PRESETS if key in says}
    if kind == "data":
        n, d = says.get("fixed") or (None, None)
        presets = {"n": n, "d": d, "R": None} | presets
    summary = (ast.get_docstring(node) or "").split("\n", 1)[0].rstrip(".")
    order = says.get("order", 100)
    meaning = {key: meaning[key] for key in options if key in meaning}
    return Declaration(
        kind, name, path, module, node.name, summary, options, meaning, presets, order=order
    )


def _of_claim(node: ast.stmt, tree: ast.Module, path: Path, module: str) -> Declaration | None:
    """Return what ``CLAIM = Claim(...)`` declares."""
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
        return None
    call, (target, *_) = node.value, node.targets
    if not (isinstance(target, ast.Name) and target.id == "CLAIM"):
        return None
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    first = call.args[0] if call.args else given.get("id")
    name = _literal(first, {}, path) if first is not None else None
    sweeps: dict[str, Any] = {
        key: _literal(given[key], {}, path) for key in ("full", "quick") if key in given
    }
    order = _literal(given["order"], {}, path) if "order" in given else 100
    summary = (ast.get_docstring(tree) or "").split("\n", 1)[0].rstrip(".")
    return Declaration(
        "claim", str(name), path, module, "CLAIM", summary, sweeps=sweeps, order=order
    )


def _ancestors(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Iterable[ast.ClassDef]:
    """Yield a class and those it inherits from, as far as the files have them, nearest first."""
    yield node
    for base in _bases(node):
        if base in classes and classes[base] is not node:
            yield from _ancestors(classes[base], classes)


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).rpartition(".")[2] for base in node.bases]


def _constants(body: Iterable[ast.stmt], known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the names that stand for literals: of a module, or a class's own, no field's."""
    found: dict[str, Any] = {}
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            name, value = node.target.id, node.value
        else:
            continue
        try:
            found[name] = _value(value, found | dict(known or {}))
        except ValueError:
            continue
    return found


def _fields(node: ast.ClassDef, constants: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the fields of a dataclass with their defaults."""
    found: dict[str, Any] = {}
    for one in node.body:
        if not isinstance(one, ast.AnnAssign) or not isinstance(one.target, ast.Name):
            continue
        name = one.target.id
        if name.startswith("_") or "ClassVar" in ast.unparse(one.annotation):
            continue
        found[name] = REQUIRED if one.value is None else _literal(one.value, constants, path)
    return found


def _keywords(
    node: ast.ClassDef, constants: Mapping[str, Any], path: Path
) -> dict[str, Any] | None:
    """Return the keyword-only arguments of ``__init__`` with their defaults, if there is one."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            pairs = zip(one.args.kwonlyargs, one.args.kw_defaults, strict=True)
            return {
                argument.arg: REQUIRED if value is None else _literal(value, constants, path)
                for argument, value in pairs
            }
    return None


def _literal(node: ast.expr, constants: Mapping[str, Any], path: Path) -> Any:
    try:
        return _value(node, constants)
    except ValueError:
        raise InputError(
            f"{path}, line {node.lineno}: {ast.unparse(node)}: a default must be a literal"
        ) from None


def _value(node: ast.expr, constants: Mapping[str, Any]) -> Any:
    """Return the value of a literal, or of a name that stands for one; a tuple is a list."""
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "field":
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "default" in given:
            return _value(given["default"], constants)
        empty: dict[str, Any] = {"list": [], "tuple": [], "dict": {}}
        made = ast.unparse(given["default_factory"]) if "default_factory" in given else ""
        if made not in empty:
            raise ValueError(f"no literal: {ast.unparse(node)}")
        return empty[made]
    value = ast.literal_eval(node)
    return list(value) if isinstance(value, tuple) else value


def meanings(docstring: str) -> dict[str, str]:
    """Return what a docstring's attributes or parameters mean, the first sentence of each."""
    found: dict[str, str] = {}
    for section in re.findall(
        r"^(?:Attributes|Parameters)\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", docstring, re.M | re.S
    ):
        for names, text in re.findall(r"^(\S[^\n]*)\n((?:[ ]+[^\n]*\n?|\n)+)", section, re.M):
            words = " ".join(text.split())
            sentence = re.split(r"(?<=[.])\s", words, maxsplit=1)[0].rstrip(".")
            found |= {name.strip(): sentence for name in names.split(",")}
    return found
