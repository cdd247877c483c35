"""Run the sweeps of claims, each as the command that a reader would type."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from softres.common.discovery import catalogue
from softres.common.presets import conf_folder
from softres.common.program import command_words, shown_command

__all__ = [
    "FIGURES_ONLY",
    "ROOT",
    "arguments",
    "choice",
    "has_sweep",
    "reproduce",
    "run_missing",
]

ROOT = Path(__file__).parents[2]
#: Where runs are kept unless another place is asked for, as in conf/tracking.
STORE = "results"
#: Sweeps that give figures and no verdict.
FIGURES_ONLY = ("convergence",)
_JOB = re.compile(r"^job \d+( of \d+)?(, about .*? left)?: ")
_SKIPPED = re.compile(r"^\s*skipped, ")


def choice(name: str, profile: str) -> str:
    """Return the choice of the group ``experiment`` that is a claim's sweep."""
    return f"quick/{name}" if profile == "quick" else name


def has_sweep(name: str, profile: str) -> bool:
    """Whether there is a configuration of the sweep, or the claim's file has it."""
    declared = catalogue("claim").get(name)
    if declared is not None and declared.sweeps.get(profile):
        return True
    return (conf_folder() / "experiment" / f"{choice(name, profile)}.yaml").is_file()


def arguments(name: str, profile: str, theorem: str = "") -> list[str]:
    """Return the arguments of ``run.py`` that run a claim's sweep, or its part of one theorem."""
    asked = catalogue("claim").get(name), catalogue("theorem").get(theorem)
    files = ", ".join(f"'{one.path}'" for one in asked if one is not None and not one.module)
    plugins = [f"plugins=[{files}]"] if files else []
    part = [f"experiment.theorem={theorem}"] if theorem else []
    return ["-m", *plugins, f"experiment={choice(name, profile)}", *part]


def reproduce(name: str, profile: str, theorem: str = "") -> str:
    """Return the command that runs a claim's sweep, as one types it."""
    return " ".join([shown_command("run"), *map(shlex.quote, arguments(name, profile, theorem))])


def run_missing(
    name: str,
    profile: str,
    store: str,
    log: Path,
    say: Callable[[str], None],
    theorem: str = "",
    data: Sequence[str] = (),
) -> bool:
    """Run a claim's sweep; finished jobs skip themselves. Return whether every job succeeded.

    Parameters
    ----------
    name, profile
        Which sweep.
    store
        Folder of the runs (``tracking.folder``).
    log
        File that keeps everything the command printed.
    say
        Shows a line of progress.
    theorem
        The one theorem whose jobs are run; empty for the whole sweep.
    data
        The data sets to go through; none: those of the sweep.
    """
    if not has_sweep(name, profile):
        say(f"{name}: no sweep for profile={profile} yet")
        return True
    command = [*command_words("run"), *arguments(name, profile, theorem)]
    if data:
        command.append(f"data={','.join(data)}")
    if store != STORE:
        command.append(f"tracking.folder={store}")
    started, jobs, skipped = time.monotonic(), 0, 0
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as kept,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        ) as process,
    ):
        assert process.stdout is not None  # it was asked for
        for line in process.stdout:
            kept.write(line)
            if _JOB.match(line):
                jobs += 1
                say(f"{name}: {line.strip()} ({time.monotonic() - started:.0f} s)")
            skipped += bool(_SKIPPED.match(line))
    seconds = time.monotonic() - started
    if process.returncode != 0:
        say(f"{name}: exit status {process.returncode}, see {log}")
        return False
    say(f"{name}: {jobs} jobs, {skipped} of them finished before, {seconds:.0f} s")
    return True
