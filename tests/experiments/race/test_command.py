"""The race's command line: what it refuses, and how."""

from __future__ import annotations

import pytest

from experiments.race.command import benchmark_command


def refused(arguments, capsys):
    """Return the only line that a command says before it ends with status 2."""
    try:
        status = benchmark_command(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("softres: ")
    return line


@pytest.mark.parametrize("option", ["--repeat", "--d", "--ratio"])
@pytest.mark.parametrize("value", ["0", "-3", "2.5", "few"])
def test_counts_are_positive_whole_numbers(option, value, tmp_path, capsys):
    out = tmp_path / "out"
    line = refused(["--out", str(out), option, value], capsys)
    assert f"{option}: {value}: allowed is a positive whole number" in line
    assert not out.exists()


def test_a_contestant_that_is_none_is_named(tmp_path, capsys):
    line = refused(["--out", str(tmp_path), "--contestants", "nobody"], capsys)
    assert line.startswith("softres: --contestants nobody: allowed are hand_newton, ")


@pytest.mark.parametrize("kind", ["in a file", "in /proc"])
def test_an_output_folder_that_cannot_be_made_is_named(kind, tmp_path, capsys):
    (tmp_path / "file").touch()
    out = "/proc/nope" if kind == "in /proc" else f"{tmp_path}/file/out"
    line = refused(["--only", "digits w=1e-2", "--out", out], capsys)
    assert line.startswith(f"softres: --out {out}: ")
    assert "allowed is a folder that can be written to" in line
