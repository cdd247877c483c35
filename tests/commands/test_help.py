"""What --help and completion show."""

from __future__ import annotations

import re

import pytest
from commanding import GROUPS, run


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What --help prints, and on stderr what was imported for it."""
    return run(tmp_path_factory.mktemp("help"), "--help", python=("-X", "importtime"))


class TestHelp:
    def test_it_lists_every_choice_of_every_group_and_no_other(self, shown):
        section = shown.stdout[shown.stdout.index("Choices (") :].split("\n\n")[0]
        entries = re.split(r"^ {4}(?=\w)", section, flags=re.M)[1:]
        listed = {}
        for entry in entries:
            group, _, choices = entry.partition(" ")
            words = re.sub(r"\(.*?\)", "", choices, flags=re.S)
            listed[group] = sorted(words.replace(",", " ").split())
        assert listed == GROUPS

    def test_it_ends_well_before_anything_heavy_is_imported(self, shown):
        assert shown.returncode == 0
        imported = set(re.findall(r"\| +([\w.]+)$", shown.stderr, re.M))
        assert "softres.cli.run" in imported
        heavy = {
            "hydra",
            "numpy",
            "scipy",
            "torch",
            "mlflow",
            "pandas",
            "seaborn",
            "sklearn",
            "rich",
        }
        assert not heavy & imported

    def test_it_leaves_nothing_behind(self, tmp_path):
        run(tmp_path, "--help")
        assert list(tmp_path.iterdir()) == []


def test_a_shell_completes_choices(tmp_path):
    shown = run(tmp_path, "-sc", "query=bash", COMP_LINE="python run.py n=9 solver=")
    assert shown.returncode == 0
    assert sorted(shown.stdout.split()) == [f"solver={choice}" for choice in GROUPS["solver"]]
