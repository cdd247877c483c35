"""The words of a command before Hydra reads them: what it would refuse in many lines, or take."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, NoReturn

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override
from hydra.errors import OverrideParseException

from softres.common.errors import InputError
from softres.common.program import shown_command
from softres.config.schema import RunSchema
from softres.config.typed.nearest import CLASSES, choices_of

__all__ = ["as_written", "command_words"]

#: Keys whose values are whole numbers.
WHOLE = tuple(field.name for field in fields(RunSchema) if str(field.type).startswith("int"))
NUMBER = re.compile(r"(?<![\w.+-])\d+(?:\.\d*)?(?:[eE]\+?\d+)?(?![\w.])")
#: Beyond this a number is no size and no seed; Python would take long to write it.
LARGEST = Decimal(10) ** 30
#: A sweep of one value: no comma outside brackets.
_OF_ONE = re.compile(r"([^=]+)=choice\((\[[^\[\]]*\]|[^,]*)\)")


def command_words(arguments: Sequence[str]) -> list[str]:
    """Return the words of a command as Hydra takes them.

    A whole number may be written as a float, ``n=1e4``, and a claim with a plus.

    Raises
    ------
    InputError
        For an option with dashes that there is not, several values without ``-m``, or a value that
        is no choice where a group needs one.
    """
    if {"-sc", "--shell-completion"} & set(arguments):
        return list(arguments)
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]  # instead of a usage of twenty lines
    chosen, unknown = parser.parse_known_intermixed_args(arguments)
    for word in unknown:
        if word.startswith("-"):
            raise InputError(_unknown_flag(word, arguments))
    options = list(arguments)
    for word in chosen.overrides:
        options.remove(word)
    # Options first: Python's parser takes no positional words after an option that follows some.
    words = [*options, *map(_as_hydra_takes_it, chosen.overrides)]
    several = chosen.multirun or any(word.startswith("hydra.mode=") for word in words)
    grammar = OverridesParser.create()
    swept: set[str] = set()
    for word in words[len(options) :]:
        try:
            parsed = grammar.parse_override(word)
        except OverrideParseException:
            continue  # Hydra says where
        if parsed.is_sweep_override() and not several:
            command = f"{shown_command('run')} -m {shlex.quote(word)}"
            raise InputError(f"{word}: several values need -m: {command}")
        if parsed.is_sweep_override():
            swept.add(parsed.key_or_group)
        _check_choice(parsed)
    return [_with_its_owner(word, swept) for word in words]


def _with_its_owner(word: str, swept: set[str]) -> str:
    """Return an option's word so that Hydra reads it with the swept choice that it belongs to.

    Hydra composes what is not swept once, with the default choices: there ``solver.eps0=0.1`` has
    no place while ``solver`` has several values. As a sweep of one value it waits for each job.
    """
    key, equals, value = word.partition("=")
    group, dot, _ = key.partition(".")
    if group not in CLASSES or group not in swept or key in swept or not (dot and equals and value):
        return word
    return f"{key}=choice({value})"


def as_written(word: str) -> str:
    """Return a word as its user wrote it, where it was made the sweep of one value."""
    found = _OF_ONE.fullmatch(word)
    return f"{found[1]}={found[2]}" if found else word


def _refuse(message: str) -> NoReturn:
    raise InputError(message)


def _unknown_flag(word: str, arguments: Sequence[str]) -> str:
    """Return the line for an option with dashes; keys have none."""
    key, _, value = word.lstrip("-").partition("=")
    line = f"{word}: no such option"
    if key not in {field.name for field in fields(RunSchema)}:
        return f"{line}; '{shown_command('run')} --help' shows those there are"
    following = [*arguments, ""][list(arguments).index(word) + 1]
    if not value and "=" not in following and not following.startswith("-"):
        value = following
    return f"{line}; keys have no dashes: {key}={value or '...'}"


def _as_hydra_takes_it(word: str) -> str:
    # Hydra wants no plus before a group that has a place, and people write one.
    word = re.sub(r"^\+experiment=", "experiment=", word)
    key, equals, value = word.partition("=")
    if key.lstrip("+") not in WHOLE:
        return word
    return f"{key}{equals}{NUMBER.sub(_whole, value)}"


def _whole(number: re.Match[str]) -> str:
    exact = Decimal(number[0])
    return str(int(exact)) if exact < LARGEST and exact == int(exact) else number[0]


def _check_choice(override: Override) -> None:
    """Refuse a number, a truth value or null where a group needs a choice."""
    group = override.key_or_group
    choices = choices_of(group) if "/" not in group and "." not in group else []
    if not choices or override.is_delete():
        return
    value: Any = override.value()
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    for one in values:
        if isinstance(one, str) or (one is None and group == "experiment"):
            continue
        typed = str(override.input_line).partition("=")[2]
        text = typed if len(values) == 1 else "null" if one is None else str(one)
        number = isinstance(one, int | float) and not isinstance(one, bool) and group == "weights"
        more = f"; weights.value={text} sets the number" if number else ""
        raise InputError(
            f"{group}={text}: must be a choice; allowed are {', '.join(choices)}{more}"
        )
