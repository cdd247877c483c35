"""What there is beside a key or choice that there is not, and which of it was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from softres.common.discovery import catalogue
from softres.common.presets import conf_folder
from softres.common.program import shown_command
from softres.config.schema import RunSchema

__all__ = ["CLASSES", "FILES", "choices_of", "nearest", "no_such_key", "options_of"]

#: Groups whose choices are classes, and those whose choices are files of ``conf/``.
CLASSES = ("problem", "solver", "data")
FILES = ("backend", "weights", "tracking")
#: What a choice has that is no option of it.
NOT_OPTIONS = ("name", "defaults")


def choices_of(group: str) -> list[str]:
    """Return the choices of a group, such as ``"solver"``; none where it is no group."""
    if group in CLASSES:
        return list(catalogue(group))
    files = sorted(path.stem for path in (conf_folder() / group).glob("*.yaml"))
    if group != "experiment":
        return files
    claims = list(catalogue("claim"))
    return [*claims, *(name for name in files if name not in claims)]


def nearest(word: str, there: Iterable[str]) -> str:
    """Return ``"did you mean ...? "`` with the likeliest of what there is; empty for none."""
    close = get_close_matches(word, list(there), n=1)
    return f"did you mean {close[0]}? " if close else ""


def no_such_key(name: str) -> str:
    """Return the line that says of a key that it is not there, and which was probably meant.

    Parameters
    ----------
    name
        The key with its dots, such as ``"solver.eps0"``.
    """
    owners = _owners()
    if owners.get(name):
        group = name.partition(".")[0]
        first, *others = owners[name]
        more = f" (also of {', '.join(others)})" if others else ""
        return f"{name}: no such key; it is an option of {group}={first}: add that{more}"
    meant = [_with_owner(key, owners[key]) for key in _meant(name, owners)]
    if not meant:
        command = f"'{shown_command('run')} ... --cfg job'"
        return f"{name}: no such key; {command} shows those there are"
    case = " (capitals count)" if name.lower() == meant[0].lower() else ""
    return f"{name}: no such key; did you mean {' or '.join(meant)}?{case}"


def _meant(name: str, there: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the likeliest keys: of the same last word first, then of a similar one."""
    last = name.rpartition(".")[2].lower()
    same = [key for key in there if key.rpartition(".")[2].lower() == last]
    if same:
        return [key for key in same if key.lower() == name.lower()] or same
    if "." in name and (close := get_close_matches(name, there, n=1, cutoff=0.7)):
        return close
    lasts: dict[str, str] = {}
    for key in there:
        lasts.setdefault(key.rpartition(".")[2], key)
    return [lasts[word] for word in get_close_matches(last, lasts, n=1, cutoff=0.75)]


def _with_owner(key: str, owners: Sequence[str]) -> str:
    return f"{key} (of {key.partition('.')[0]}={' or '.join(owners)})" if owners else key


def _owners() -> dict[str, list[str]]:
    """Return every key, with the choices that have it; with none where all of its group have it."""
    import yaml

    found: dict[str, list[str]] = {field.name: [] for field in fields(RunSchema)}
    for key, value in yaml.safe_load((conf_folder() / "config.yaml").read_text("utf-8")).items():
        if key not in ("defaults", "hydra"):
            found |= {f"{key}.{one}": [] for one in value} if isinstance(value, dict) else {key: []}
    for group in (*CLASSES, *FILES):
        choices = choices_of(group)
        for name in choices:
            for option in options_of(group, name):
                if option not in NOT_OPTIONS:
                    found.setdefault(f"{group}.{option}", []).append(name)
        for key, names in found.items():
            if len(names) == len(choices) and key.startswith(f"{group}."):
                found[key] = []
    return found


def options_of(group: str, name: str) -> list[str]:
    """Return the keys of a choice of a group: of a class its options, of a file all it has."""
    import yaml

    if group in CLASSES:
        return list(catalogue(group)[name].options)
    text = (conf_folder() / group / f"{name}.yaml").read_text("utf-8")
    tree: dict[str, Any] = yaml.safe_load(text)
    return list(tree)
