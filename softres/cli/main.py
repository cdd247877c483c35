"""The ``softres`` command: it hands over to a subcommand, and imports only that one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import softres
from softres.common.printing import forgiving_output
from softres.common.program import PROGRAM

__all__ = ["main"]

#: Each takes the words after it, and returns an exit status.
Command = Callable[[Sequence[str]], int]

#: Where other packages name subcommands of theirs: functions of the same kind.
GROUP = "softres.commands"
#: What this package brings: ``module:function``, and what it does.
OWN = {
    "run": ("softres.cli.run:run_command", "run one configuration, or sweep many"),
    "ui": ("softres.cli.ui:ui_command", "look at the runs in MLflow's user interface"),
    "data": ("softres.cli.data:data_command", "list, fetch and describe the real data"),
    "sync": ("softres.cli.sync:sync_command", "deliver runs that wait for their store"),
    "reproduce": ("softres.cli.reproduce:reproduce_command", "run a recorded run again; compare"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; return the exit status.

    Parameters
    ----------
    arguments
        The subcommand and its words; those of the command line by default.
    """
    forgiving_output()
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = words[0] if words else "--help"
    if name == "-sc":  # a shell's completion asks with the name of the program alone
        return _complete(words)
    if name in ("--help", "-h", "help"):
        print(_help())
        return 0
    if name == "--version":
        print(f"{PROGRAM} {softres.__version__}")
        return 0
    try:
        command = _command(name)
        if command is None:
            print(f"softres: {_unknown(name)}", file=sys.stderr)
            return 2
        # What a parser of arguments calls itself, and where Hydra looks for its own; a shell
        # completes for one word.
        sys.argv = [PROGRAM if "-sc" in words else f"{PROGRAM} {name}", *words[1:]]
        return command(words[1:])
    except KeyboardInterrupt:
        print("softres: interrupted", file=sys.stderr)
        return 130


def _complete(words: Sequence[str]) -> int:
    """Complete subcommands, and what comes after ``run``."""
    line = os.environ.get("COMP_LINE", "").split(maxsplit=1)
    after = line[1] if len(line) > 1 else ""
    if not after.startswith("run "):
        print(" ".join([*OWN, *_others()]))
        return 0
    os.environ["COMP_LINE"] = f"{PROGRAM} {after.removeprefix('run ').lstrip()}"
    return main(["run", *words])


def _command(name: str) -> Command | None:
    if name not in OWN:
        entry = _others().get(name)
        return None if entry is None else entry.load()
    module, _, function = OWN[name][0].partition(":")
    return getattr(import_module(module), function)  # type: ignore[no-any-return]


def _others() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in OWN}


def _unknown(name: str) -> str:
    there = [*OWN, *_others()]
    close = get_close_matches(name, there, n=1)
    meant = f"; did you mean {close[0]}?" if close else ";"
    return f"{name}: no such command{meant} there are {', '.join(there)}"


def _help() -> str:
    own = [f"  {name:<12}{what}" for name, (_, what) in OWN.items()]
    others = [f"  {name:<12}{entry.module.split('.')[0]}" for name, entry in _others().items()]
    return "\n".join(
        [
            "softres: does the theory hold in practice?",
            "",
            f"usage: {PROGRAM} COMMAND ...",
            f"       {PROGRAM} COMMAND --help",
            f"       {PROGRAM} --version",
            "",
            *own,
            *(["", "From other packages:", *others] if others else []),
            "",
            f"{PROGRAM} run -m n=1000,10000 solver=approx_newton",
        ]
    )
