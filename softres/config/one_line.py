"""Errors of a configuration in one line that names the key, the value and what is allowed."""

from __future__ import annotations

import re
from errno import EACCES, EPERM, EROFS

from hydra.errors import OverrideParseException

from softres.common.errors import InputError
from softres.config.typed.nearest import nearest, no_such_key

__all__ = ["USAGE", "one_line"]

#: Exit status of a command that was asked for something that cannot be.
USAGE = 2
WHERE = "; hydra.run.dir, hydra.sweep.dir and tracking.folder say where a command writes"


def one_line(error: BaseException, prefix: str = "") -> str:
    """Return an error of ours, Hydra's, OmegaConf's or the system's as one line that names what.

    Parameters
    ----------
    error
        The error.
    prefix
        Stands before the key that OmegaConf names, such as ``"solver."``.
    """
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        denied = error.errno in (EACCES, EPERM, EROFS)
        return f"{error.filename}: {error.strerror}{WHERE if denied else ''}"
    if isinstance(error, OverrideParseException):
        return (
            f"{error.override}: cannot be read as KEY=VALUE; a value with brackets, commas or "
            "letters beyond a-z needs quotes within quotes, \"KEY='...'\""
        )
    text = str(error)
    if error.__cause__ is not None and "full_key" in str(error.__cause__):
        text = str(error.__cause__)
    if choice := re.search(r"Could not find '(?P<group>[^']+)/(?P<choice>[^'/]+)'", text):
        options = re.search(r"Available options in '[^']*':\s*(.*?)(?:\n\S|\Z)", text, re.S)
        allowed = ", ".join(options.group(1).split()) if options else "none"
        meant = nearest(choice["choice"], allowed.split(", "))
        return f"{choice['group']}={choice['choice']}: no such choice; {meant}allowed are {allowed}"
    key = re.search(r"full_key: (\S+)", text)
    name = f"{prefix}{key.group(1)}" if key else prefix.rstrip(".") or "value"
    if value := re.search(r"Value '(.*?)' (?:of type|is not a valid)", text):
        kinds = {"Integer": "a whole number", "Float": "a number", "bool": "true or false"}
        wanted = [words for kind, words in kinds.items() if kind in text.split("\n", 1)[0]]
        return f"{name}={value.group(1)}: must be {wanted[0] if wanted else 'of another type'}"
    if "not Optional" in text:
        return f"{name}=null: must have a value"
    if key and text.startswith("Cannot "):
        return f"{name}: {text.splitlines()[0]}"
    if re.search(r"Key '.*' (is )?not in ", text) and key:
        return no_such_key(name)
    first = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(first[:2]) if first else type(error).__name__
