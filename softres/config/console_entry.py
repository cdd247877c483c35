"""The frame around Hydra: a wrong value ends in one line and status 2, not in a traceback."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from softres.errors import InputError

__all__ = ["USAGE", "command_line", "one_line"]

#: Exit status of a command that was asked for something that cannot be.
USAGE = 2


def command_line(main: Callable[[], Any]) -> None:
    """Run Hydra's main function as a command.

    Errors in what the user asked for are printed in one line and end with status 2. Ctrl-C ends
    with status 130, and SIGTERM is made to unwind like an exit, so that no run is left open.
    HYDRA_FULL_ERROR=1 in the environment shows tracebacks instead.
    """
    signal.signal(signal.SIGTERM, _terminate)
    verbose = os.environ.get("HYDRA_FULL_ERROR") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # otherwise Hydra prints errors its own way, and exits
    try:
        main()
    except (InputError, HydraException, OmegaConfBaseException) as error:
        if verbose:
            raise
        print(f"softres: {one_line(error)}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    except KeyboardInterrupt:
        print("softres: interrupted; finished runs are kept", file=sys.stderr)
        raise SystemExit(130) from None


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def one_line(error: BaseException) -> str:
    """Return an error of ours, Hydra's or OmegaConf's as one line that names key and value."""
    if isinstance(error, InputError):
        return str(error)
    text = str(error)
    if error.__cause__ is not None and "full_key" in str(error.__cause__):
        text = str(error.__cause__)
    if choice := re.search(r"Could not find '(?P<group>[^']+)/(?P<choice>[^'/]+)'", text):
        options = re.search(r"Available options in '[^']*':\s*(.*?)(?:\n\S|\Z)", text, re.S)
        allowed = ", ".join(options.group(1).split()) if options else "none"
        return f"{choice['group']}={choice['choice']}: no such choice; allowed are {allowed}"
    if value := re.search(
        r"Value '(?P<value>.*)' of type '.*' could not be converted to (\w+)", text
    ):
        key = re.search(r"full_key: (\S+)", text)
        kind = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
        wanted = kind.get(value.group(2), value.group(2))
        return f"{key.group(1) if key else 'value'}={value['value']}: must be {wanted}"
    if re.search(r"Key '.*' (is )?not in ", text) and (key := re.search(r"full_key: (\S+)", text)):
        return f"{key.group(1)}: no such key; 'python run.py ... --cfg job' shows those there are"
    if "no viable alternative" in text or "mismatched input" in text:
        return f"{text.splitlines()[0]}; values with brackets or commas need quotes"
    first = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(first[:2]) if first else type(error).__name__
