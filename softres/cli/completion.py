"""Completion in a shell: of what there is to choose from, and of nobody else's scripts.

Hydra's own script runs whatever Python file stands on the line to ask it for words. This one asks
the program that printed it, and only where the line is that program's.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from softres.common.presets import conf_folder
from softres.common.program import PROGRAM, command_words
from softres.config.schema import RunSchema, SweepSchema
from softres.config.typed.nearest import CLASSES, FILES, choices_of, options_of

__all__ = ["SHELLS", "answer", "completions", "script"]

SHELLS = ("bash", "zsh")
SCRIPT = """\
_softres_complete() {{
    local line="${{COMP_LINE:0:$COMP_POINT}}"
    local word="${{line##*[[:space:]]}}" words
    read -r -a words <<< "$line"
    case "${{words[0]##*/}}" in
        python*) [ "$(realpath -- "${{words[1]}}" 2> /dev/null)" = {script} ] || return ;;
    esac
    COMPREPLY=($(COMP_LINE="$line" {helper} -sc query=bash))
    local stem="${{word%"${{word##*[=:]}}"}}" i
    case "$COMP_WORDBREAKS" in
        *=*) for i in "${{!COMPREPLY[@]}}"; do COMPREPLY[i]="${{COMPREPLY[i]#"$stem"}}"; done ;;
    esac
}}
complete -o nospace -o default -F _softres_complete {programs}
"""


def script(shell: str) -> str:
    """Return what a shell is told to evaluate.

    It names the interpreter and the script by their full paths, and for ``python`` answers where
    the line's script is that one.
    """
    helper = command_words("run")
    own = helper[1] if helper[1].endswith(".py") else ""
    programs = [PROGRAM, *(["python", "python3"] if own else [])]
    text = SCRIPT.format(
        script=shlex.quote(str(Path(own).resolve()) if own else ""),
        helper=" ".join(map(shlex.quote, helper)),
        programs=" ".join(programs),
    )
    bridge = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return bridge + text


def answer(arguments: Sequence[str]) -> bool:
    """Print what ``-sc`` asks for; return whether a command asks for it.

    Raises
    ------
    SystemExit
        With status 2, if it asks for something else than a shell's script or words.
    """
    if "-sc" not in arguments:
        return False
    asked = arguments[arguments.index("-sc") + 1] if arguments[-1] != "-sc" else ""
    what, _, shell = asked.partition("=")
    if shell not in SHELLS or what not in ("install", "uninstall", "query"):
        print(
            f"softres: -sc {asked}: allowed are install, uninstall or query={' or '.join(SHELLS)}",
            file=sys.stderr,
        )
        raise SystemExit(2)
    if what == "install":
        print(script(shell), end="")
    elif what == "uninstall":
        print(f"complete -r {PROGRAM} python python3 2> /dev/null; unset -f _softres_complete")
    else:
        print("\n".join(completions(os.environ.get("COMP_LINE", ""))))
    return True


def completions(line: str) -> list[str]:
    """Return the words that the last one of a line may become."""
    words = line.split(" ")
    current, before = words[-1], words[:-1]
    key, given, value = current.lstrip("+").partition("=")
    if given:
        chosen = value.split(",")
        stem = "".join(f"{name}," for name in chosen[:-1])
        return [
            f"{key}={stem}{name}"
            for name in _choices(key)
            if name.startswith(chosen[-1]) and name not in chosen[:-1]
        ]
    group, inside, _ = key.partition(".")
    known = [f"{group}.{name}=" for name in _options(group, before)] if inside else _keys()
    return [word for word in known if word.startswith(key)]


def _keys() -> list[str]:
    groups = ("solver", "problem", "data", "backend", "weights", "tracking", "start", "sweep")
    keys = [f"{field.name}=" for field in fields(RunSchema) if field.name not in ("start", "sweep")]
    return sorted({*keys, *(f"{group}." for group in groups), "hydra/launcher="})


def _choices(group: str) -> list[str]:
    if group == "experiment":
        quick = (f"quick/{name}" for name in choices_of("experiment/quick"))
        return sorted([*choices_of(group), *quick])
    if group in (*CLASSES, *FILES, "hydra/launcher"):
        return choices_of(group)
    return ["true", "false"] if group in ("force", "sweep.dry_run", "sweep.figures") else []


def _options(group: str, before: Sequence[str]) -> list[str]:
    """Return the options of the choice of a group that a line makes, or of the default's."""
    if group in CLASSES:
        named = [word.partition("=")[2] for word in before if word.startswith(f"{group}=")]
        names = (named[-1] if named else _default(group)).split(",")
        there = choices_of(group)
        return sorted({key for name in names if name in there for key in options_of(group, name)})
    if group == "sweep":
        return [field.name for field in fields(SweepSchema)]
    if group == "start":
        return ["kind", "distance"]
    return sorted(options_of(group, choices_of(group)[0])) if group in FILES else []


def _default(group: str) -> str:
    """Return the choice of a group that is made where a command names none."""
    import yaml

    tree = yaml.safe_load((conf_folder() / "config.yaml").read_text(encoding="utf-8"))
    defaults = (one for one in tree["defaults"] if isinstance(one, dict))
    return str(next(one[group] for one in defaults if group in one))
