"""What a stored configuration would do beyond computing: addresses, paths, sizes and limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from softres.common.errors import InputError

__all__ = ["check_trust", "given_anew", "reaches"]

#: Numbers up to which a size or a limit is nobody's concern: rows, columns, steps, seconds.
LARGE = 1e5
#: Keys whose numbers are sizes or limits though they need not be whole.
_LIMITS = ("max_steps", "time_limit", "memory_limit", "data.memory", "experiment.")
#: What no number can do harm with.
_HARMLESS = ("seed",)
#: Values with which a path or an address stands, whatever its key.
_PLACE = re.compile(r"[/\\]|^~|://|^\.\.?$")
#: Keys that hold a path or an address, whatever it looks like.
_PLACES = ("backend.address", "data.path", "data.b", "data.w")


def reaches(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield key and value of what opens files, connects, or takes more than a small machine has."""
    for key, value in _flat(tree, ""):
        if key in _HARMLESS or value is None or value == "" or isinstance(value, bool):
            continue
        if isinstance(value, str):
            if key in _PLACES or _PLACE.search(value):
                yield key, value
        elif not isinstance(value, int | float):
            yield key, value
        else:
            counted = isinstance(value, int) or key.startswith(_LIMITS)
            if counted and not abs(value) <= LARGE:
                yield key, value
    n, d = tree.get("n"), tree.get("d")
    if isinstance(n, int) and isinstance(d, int) and n <= LARGE and d <= LARGE < n * d / 100:
        yield "n d", f"{n} x {d}"


def check_trust(tree: Mapping[str, Any], where: str) -> None:
    """Refuse what :func:`reaches` beyond computing.

    Raises
    ------
    InputError
        Names every such key with its value, and what allows them.
    """
    found = [f"{key}={str(value)[:60]}" for key, value in reaches(tree)]
    if found:
        more = f" and {len(found) - 6} more" if len(found) > 6 else ""
        raise InputError(
            f"{where}: would use {', '.join(found[:6])}{more}; --trust allows what the store "
            "says, --set KEY=VALUE gives a value of yours"
        )


def given_anew(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with other values for some of its keys.

    Raises
    ------
    InputError
        If it has no such key.
    """
    changed: dict[str, Any] = {
        key: dict(group) if isinstance(group, Mapping) else group for key, group in tree.items()
    }
    for name, value in values.items():
        group, _, option = name.rpartition(".")
        held = changed if not group else changed.get(group)
        if not isinstance(held, dict) or option not in held:
            raise InputError(f"--set {name}: the run has no such key")
        held[option] = value
    return changed


def _flat(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item, where)
    else:
        yield where, value
