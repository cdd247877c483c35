"""YAML that others wrote, as plain values: small, flat, and without references."""

from __future__ import annotations

from typing import Any

import yaml

from softres.common.errors import InputError

__all__ = ["MOST_BYTES", "plain_yaml"]

#: Bytes that a configuration has at most, and how deep its values lie.
MOST_BYTES, DEEPEST = 1 << 18, 20


def plain_yaml(text: str, where: str) -> Any:
    """Return what a text holds.

    References would let a few lines stand for more values than memory holds, and deep nesting end
    the process: both are seen in the stream of the parser's events, before anything is built.

    Parameters
    ----------
    text
        YAML.
    where
        What the text is called, with which an error starts.

    Raises
    ------
    InputError
        If it is no YAML, refers to parts of itself, is too long, or too deep.
    """
    if len(text) > MOST_BYTES:
        raise InputError(f"{where}: has more than {MOST_BYTES} bytes")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise InputError(f"{where}: its values refer to one another (& and *)")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise InputError(f"{where}: its values lie more than {DEEPEST} deep")
        return yaml.safe_load(text)
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{where}: no YAML: {error}") from None
