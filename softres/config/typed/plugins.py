"""The plug-ins that a command line names, known before its configuration is composed."""

from __future__ import annotations

from collections.abc import Sequence

from softres.common.errors import InputError

__all__ = ["given_plugins"]


def given_plugins(arguments: Sequence[str]) -> list[str]:
    """Return the plug-ins that a command line names.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    given = [text for text in arguments if text.lstrip("+").startswith("plugins=")]
    if not given:
        return []
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import OverrideParseException

    try:
        value = OverridesParser.create().parse_override(given[-1]).value()
    except OverrideParseException:
        raise InputError(f"{given[-1]}: allowed is plugins=[FILE,FILE]") from None
    return [str(file) for file in (value if isinstance(value, list) else [value])]
