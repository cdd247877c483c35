"""What ``--help`` prints: made from what there is to choose from."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from softres.common.discovery import add_plugins, catalogue
from softres.common.errors import InputError
from softres.common.program import as_typed
from softres.config.typed.nearest import CLASSES, choices_of
from softres.config.typed.plugins import given_plugins

__all__ = ["help_text", "show_help"]

WIDTH = 80

TEMPLATE = """\
softres: does the theory hold in practice?

Solves soft-residual regression (arXiv 2309.13482) and its plain variants, checks
the theorem's assumptions, and logs convergence and timing to MLflow.

Usage
    python run.py [KEY=VALUE ...]                   one run
    python run.py -m KEY=VALUE,VALUE ...            a sweep: every combination

    python run.py -m n=1000,10000 solver=approx_newton
    python run.py -m data=digits solver=exact_newton,approx_newton,scipy_lbfgs
    python run.py R=10 weights.value=1e-6 eps=1e-12 problem=softmax
    python run.py -m experiment=quick/psd           test one claim of the paper
    python scripts/report.py --profile quick        test all of them

Keys
    n, d          rows and columns of A (synthetic data)
    R             |A|_2, and the radius that the theorem is read with
    eps           the goal, |x_T - x*| <= eps |x0 - x*|, between 0 and 1
    seed          of A, b and the solver's random numbers
    max_steps     steps after which a solver gives up
    time_limit    seconds of solver time after which it gives up; a step that has
                  begun is finished, and finding x* does not count
    memory_limit  GiB that a job may take before it is stopped
    start.kind    default, random, minimiser;  start.distance
    plugins       files with solvers, problems, data sets or claims of your own
    force=true    run again what is already finished
    sweep.dry_run=true   only show what would run, how long and in how much memory
    sweep.figures=false  leave out the figures at the end of a sweep: its convergence
                  by step and by second, and of each run (convergence.png in MLflow)

Choices (GROUP=CHOICE; an option: GROUP.OPTION=VALUE; GROUP=CHOICE --help
lists the options of a choice)
{choices}
{options}
Launchers (one command, many workers; the first is the default)
    hydra/launcher  serial, joblib, submitit_local, submitit_slurm, ray

See everything that a command would run with:   python run.py ... --cfg job
Complete choices with Tab in bash (also zsh, fish):
    eval "$(python run.py -sc install=bash)"
"""


def show_help(arguments: Sequence[str]) -> bool:
    """Print the help if a command asks for it, without waiting for Hydra; return whether it does.

    Raises
    ------
    SystemExit
        With status 2, if a plug-in cannot be used.
    """
    if not {"--help", "-h"} & set(arguments):
        return False
    try:
        add_plugins(given_plugins(arguments))
    except InputError as error:
        print(f"softres: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(help_text(arguments), end="")
    return True


def help_text(arguments: Sequence[str]) -> str:
    """Return what there is to ask for, and the options of what a command's arguments choose."""
    return as_typed(TEMPLATE.format(choices=_choices(), options=_options(arguments)))


def _choices() -> str:
    groups: dict[str, Sequence[str]] = {
        group: choices_of(group)
        for group in ("problem", "solver", "backend", "data", "weights", "tracking", "experiment")
    }
    notes = {
        "solver": "(the two named after a problem solve that one always)",
        "data": "(file: data.path=..., a .npz with arrays A, b and optionally w, or a table: "
        ".csv, .parquet; column b, or data.b=NAME; A: the rest)",
        "experiment": "(a claim's sweep, with -m; quick/psd takes less time than psd)",
    }
    lines = []
    for group, names in groups.items():
        lines += textwrap.wrap(
            ", ".join(names), WIDTH, initial_indent=f"    {group:<14}", subsequent_indent=" " * 18
        )
        if group in notes:
            lines += textwrap.wrap(
                notes[group], WIDTH, initial_indent=" " * 18, subsequent_indent=" " * 18
            )
    return "\n".join(lines) + "\n"


def _options(arguments: Sequence[str]) -> str:
    """List the options of what a command chooses, with defaults and what they mean."""
    lines = []
    for text in arguments:
        group, _, name = text.lstrip("+").partition("=")
        one = catalogue(group).get(name) if group in CLASSES else None
        if one is None:
            continue
        lines += textwrap.wrap(f"{group}={name}: {_plain(one.summary)}", WIDTH)
        lines += _listed(group, one.options, one.meaning) or ["    has no options"]
        lines.append("")
    return "".join(f"{line}\n" for line in lines)


def _listed(group: str, options: Mapping[str, Any], meaning: Mapping[str, str]) -> list[str]:
    lines = []
    for key, default in options.items():
        shown = "null" if default is None else str(default)
        head = f"    {group}.{key}={shown}"
        lines += textwrap.wrap(
            f"{head}  {_plain(meaning.get(key, ''))}".rstrip(), WIDTH, subsequent_indent=" " * 8
        )
    return lines


def _plain(text: str) -> str:
    """Return words of a docstring as the terminal shows them, none of them a reference."""
    text = re.sub(r":\w+:`~?\.?([^`]*)`", r"\1", text)
    return text.replace("``", "")
