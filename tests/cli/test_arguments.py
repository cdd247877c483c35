"""The scripts' command lines: wrong options are one line and status 2."""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

import pytest

from experiments.race.command import benchmark_command
from experiments.race.steps.command import step_cost_command
from experiments.report.command import figures_command, report_command
from softres.cli.arguments import (
    OneLineParser,
    folder,
    not_negative,
    output_folder,
    positive,
    positive_whole,
)
from softres.cli.data import data_command
from softres.common.errors import InputError

ROOT = Path(__file__).parents[2]
#: Those that a script only calls; the others are run as the script.
COMMANDS = {
    "data": data_command,
    "benchmark": benchmark_command,
    "report": report_command,
    "figures": figures_command,
    "step_cost": step_cost_command,
}


@pytest.fixture
def command(capsys, monkeypatch):
    """Call a script's command; return its status and the lines of stdout and stderr."""

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [f"{name}.py", *arguments])
        monkeypatch.setattr("sys.path", [*sys.path])  # scripts put the checkout first
        try:
            if name in COMMANDS:
                status = COMMANDS[name](arguments)
            else:
                runpy.run_path(str(ROOT / "scripts" / f"{name}.py"), run_name="__main__")
                status = 0
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err.splitlines()

    return run


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("data", ["list", "--every"], "unrecognized arguments: --every"),
        ("data", ["lst"], "invalid choice: 'lst'"),
        ("data", ["describe", "typo"], "typo: no such data set or folder"),
        ("benchmark", ["--every"], "unrecognized arguments: --every"),
        ("benchmark", ["--profile", "huge"], "--profile: invalid choice: 'huge'"),
        ("benchmark", ["--limit", "nan"], "--limit: nan: allowed is a positive number"),
        ("benchmark", ["--limit", "soon"], "--limit: soon: allowed is a positive number"),
        ("report", ["--every"], "unrecognized arguments: --every"),
        ("report", ["--profile", "huge"], "--profile: invalid choice: 'huge'"),
        ("report", ["--no-run", "--out", "/proc/nope"], "--out /proc/nope: "),
        ("figures", ["--out", "/proc/nope"], "--out /proc/nope: "),
        ("figures", ["--no-run"], "unrecognized arguments: --no-run"),
        ("figures", ["--profile", "huge"], "--profile: invalid choice: 'huge'"),
        ("sync", ["--every"], "unrecognized arguments: --every"),
        ("sync", ["--folder", "/no/such"], "--folder: /no/such: allowed is a folder that there is"),
        ("reproduce", ["1a", "--every"], "unrecognized arguments: --every"),
        ("reproduce", ["1a", "--tolerance", "-1"], "--tolerance: -1: allowed is a number >= 0"),
        ("step_cost", ["--every"], "unrecognized arguments: --every"),
        ("step_cost", ["--clock", "sundial"], "--clock: invalid choice: 'sundial'"),
    ],
)
def test_a_wrong_option_is_one_line_and_status_2(command, name, arguments, message):
    status, out, error = command(name, *arguments)
    assert (status, out, len(error)) == (2, [], 1)
    assert error[0].startswith("softres: ")
    assert message in error[0]


def test_sync_needs_no_folder_where_nothing_has_run(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("sync") == (0, ["nothing waits"], [])


def test_a_value_with_line_breaks_is_one_line_too(capsys):
    parser = OneLineParser(prog="some.py")
    parser.add_argument("--limit", type=positive)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--limit", "1\n\n2"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error == (
        "softres: argument --limit: 1 2: allowed is a positive number; --help shows what there is\n"
    )


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (positive, {"0.5": 0.5, "inf": float("inf")}, ["0", "-1", "nan", "", "few"]),
        (positive_whole, {"3": 3}, ["0", "-1", "2.5", "1e3", "inf", "", "few"]),
        (not_negative, {"0": 0.0, "1e-3": 1e-3}, ["-1e-9", "nan", "", "few"]),
        (folder, {"/": Path("/")}, ["/no/such", __file__]),
    ],
)
def test_values_are_read_or_refused(kind, good, bad):
    assert {text: kind(text) for text in good} == good
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match="allowed is a"):
            kind(text)


def test_an_output_folder_is_made_and_left_empty(tmp_path):
    out = output_folder(tmp_path / "some" / "out")
    assert list(out.iterdir()) == []
    assert output_folder(out) == out


@pytest.mark.parametrize("path", ["/proc", "/proc/nope", __file__])
def test_an_output_folder_that_takes_no_file_is_refused(path):
    with pytest.raises(InputError, match=f"^--out {path}: .*; allowed is a folder"):
        output_folder(Path(path))
