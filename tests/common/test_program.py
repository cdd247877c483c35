"""Commands are named as they were typed, and started from any folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from softres.common import program
from softres.common.presets import conf_folder
from softres.common.program import as_typed, command_words, shown_command

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("typed", "name", "shown"),
    [
        ("run.py", "run", "python run.py"),
        ("/a/scripts/sync.py", "sync", "python scripts/sync.py"),
        ("/bin/softres", "run", "softres run"),
        ("softres sync", "sync", "softres sync"),
        ("run.py", "ui", "softres ui"),  # which has no script
    ],
)
def test_a_command_is_named_as_this_one_was_typed(typed, name, shown, monkeypatch):
    monkeypatch.setattr(sys, "argv", [typed])
    assert shown_command(name) == shown


def test_without_a_copy_of_the_project_it_is_the_installed_one(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["worker.py"])
    monkeypatch.setattr(program, "_ROOT", tmp_path)
    assert shown_command("run") == "softres run"
    assert command_words("run") == [sys.executable, "-m", "softres", "run"]


def test_what_stands_beside_a_command_stays_in_its_column(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["softres run"])
    before = "python run.py n=5     one run\npython scripts/sync.py --help\n"
    assert as_typed(before) == "softres run n=5       one run\nsoftres sync --help\n"


def test_a_command_starts_from_any_folder(tmp_path):
    done = subprocess.run(
        [*command_words("sync"), "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("usage: sync.py")


def test_the_configuration_is_the_one_of_this_copy():
    assert conf_folder() == ROOT / "conf"
    assert (conf_folder() / "config.yaml").is_file()
