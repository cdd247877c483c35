"""Every key of the configuration with its default and range: from the classes, not by hand.

A range is what a class itself says when it is given a value that it does not take.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from math import nan
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from softres.common.declarations import REQUIRED, meanings
from softres.common.discovery import catalogue
from softres.common.errors import InputError
from softres.common.presets import conf_folder
from softres.config.choices import register
from softres.config.schema import RunSchema, SweepSchema
from softres.config.settings import settings
from softres.config.typed.nearest import CLASSES, choices_of
from softres.data.registry import DATA
from softres.data.start import StartOptions
from softres.data.weights import WeightOptions
from softres.matrices.backends import BackendOptions
from softres.problems import PROBLEMS
from softres.solvers import SOLVERS
from softres.tracking import TrackingOptions

__all__ = ["on_page_markdown"]

#: A key, its default, what is allowed, what it means.
Row = tuple[str, Any, str, str]

MARKER = "<!-- configuration -->"
#: What hardly any key takes; the first that one refuses makes it say what it takes.
UNUSUAL: Mapping[type, tuple[Any, ...]] = {
    bool: (),
    int: (-1, 0, 2**64),
    float: (-1.0, 0.0, 1e308, nan),
    str: ("no such", "'"),
}
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
#: Groups whose choices are presets of one class, and that class.
PRESETS = {"backend": BackendOptions, "weights": WeightOptions, "tracking": TrackingOptions}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the tables where the page has their marker."""
    return markdown.replace(MARKER, tables()) if MARKER in markdown else markdown


@cache
def tables() -> str:
    """Return the tables as Markdown: the top level, then every group and choice."""
    register()
    lines = ["## Top level", "", *_table(_top_level())]
    lines += ["## start", "", *_table(_of_class(StartOptions, "start", StartOptions))]
    for group in CLASSES:
        lines += [f"## {group}", ""]
        for name, one in catalogue(group).items():
            brings = ", ".join(
                f"`{key}={value}`" for key, value in one.presets.items() if value is not None
            )
            lines += [f"### {group}={name}", "", f"{_words(one.summary)}.", ""]
            lines += [f"Brings {brings}.", ""] if brings else []
            make = _maker(group, name)
            rows = [
                (f"{group}.{key}", default, _allowed(make, key, default), one.meaning.get(key, ""))
                for key, default in one.options.items()
            ]
            lines += _table(rows) if rows else []
    for group, kind in PRESETS.items():
        lines += [f"## {group}", "", f"Choices: {', '.join(_presets(group))}.", ""]
        lines += _table(_of_class(kind, group, kind))
    return "\n".join(lines)


def _top_level() -> Iterator[Row]:
    with initialize_config_dir(version_base="1.3", config_dir=str(conf_folder())):
        whole = OmegaConf.to_container(compose("config"), resolve=True)
    assert isinstance(whole, dict)

    def make(**given: Any) -> Any:
        return settings(OmegaConf.create(whole | given))

    def sweep(**given: Any) -> Any:
        return make(sweep=whole["sweep"] | given)

    yield from _of_class(RunSchema, "", make, defaults=whole)
    yield from _of_class(SweepSchema, "sweep", sweep)


def _of_class(
    kind: Any, group: str, make: Callable[..., Any], defaults: Mapping[str, Any] | None = None
) -> Iterator[Row]:
    told = meanings(inspect.getdoc(kind) or "")
    for one in fields(kind):
        if one.name not in told or one.name == "name":
            continue
        default = one.default if one.default is not MISSING else []
        default = default if defaults is None else defaults[one.name]
        key = f"{group}.{one.name}" if group else one.name
        yield key, default, _allowed(make, one.name, default, str(one.type)), told[one.name]


def _allowed(make: Callable[..., Any], key: str, default: Any, kind: str = "") -> str:
    """Return what a key takes, in the words with which its class refuses what it does not."""
    types = [one for one in UNUSUAL if one.__name__ in kind.replace("|", " ").split()]
    if not types:
        types = [type(default)] if type(default) in UNUSUAL else []
    for value in [value for one in types or UNUSUAL for value in UNUSUAL[one]]:
        try:
            make(**{key: value})
        except InputError as error:
            found = re.search(r"(?:allowed (?:is|are)|allows|must be) ([^;]+)", str(error))
            if found and f"{key}=" in str(error):
                return found[1].strip()
        except Exception:
            continue
    words = [WORDS[one] for one in types]
    return " or ".join([*words, *(["null"] if "None" in kind and words else [])])


def _maker(group: str, name: str) -> Callable[..., Any]:
    if group == "problem":
        return PROBLEMS[name].smallest
    kind = (SOLVERS if group == "solver" else DATA)[name]
    needs = {one.name for one in fields(kind) if one.default is one.default_factory is MISSING}
    return lambda **given: kind(**(dict.fromkeys(needs, "file.npz") | given))


def _presets(group: str) -> list[str]:
    """Return the choices of a group, each with the first line of its file."""
    found = []
    for name in choices_of(group):
        path = Path(conf_folder(), group, f"{name}.yaml")
        first = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        found.append(f"`{name}` ({first[0].lower()}{first[1:]})")
    return found


def _table(rows: Iterable[Row]) -> list[str]:
    lines = ["| Key | Default | Allowed | Meaning |", "|---|---|---|---|"]
    for key, default, allowed, meaning in rows:
        shown = "required" if default == REQUIRED else f"`{_yaml(default)}`"
        lines.append(f"| `{key}` | {shown} | {_cell(allowed)} | {_cell(meaning)} |")
    return [*lines, ""]


def _yaml(value: Any) -> str:
    """Return a value as it is written on the command line."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(text: str) -> str:
    """Return words of a docstring as Markdown."""
    plain = re.sub(r":\w+:`~?\.?([^`]*)`", r"`\1`", text).replace("``", "`")
    return plain.replace("<", "&lt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return _words(text).replace("|", "\\|").replace("\n", " ")
