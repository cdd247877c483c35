"""What the results say about how they were made."""

from __future__ import annotations

import json
import re
from importlib import import_module

import pytest

from experiments.race.command import benchmark_command
from experiments.race.results import RaceResults

RULES = {"repeat": 2, "limit": float("inf")}
ARGUMENTS = {"only": ["digits"]}


def raced(folder, *instances):
    """Add a row an instance, as one command does, and return what environment.json then is."""
    results = RaceResults(folder)
    for instance in instances:
        row = {"instance": instance, "contestant": "hand_newton", "repeat": 0, "level": 1e-8}
        results.add([row | {"code": "abc"}])
    results.describe(RULES, ARGUMENTS)
    path = folder / "environment.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


@pytest.fixture(autouse=True)
def commits(monkeypatch):
    """Let every description find another commit."""
    found = iter(["first", "second", "third"])

    def environment():
        return {"commit": next(found), "dirty": "false", "python": "3.11"}

    # The package has a function of the module's name.
    module = import_module("softres.tracking.environment")
    monkeypatch.setattr(module, "environment", environment)


def test_every_race_is_listed_with_what_it_ran(tmp_path):
    raced(tmp_path, "a", "b", "b")
    found = raced(tmp_path, "c")
    assert (found["commit"], found["python"]) == ("second", "3.11")  # of the last one
    first, second = found["runs"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", first.pop("date"))
    assert first == {
        "commit": "first",
        "dirty": "false",
        "rules": RULES,
        "arguments": ARGUMENTS,
        "instances": 2,
    }
    assert (second["commit"], second["instances"]) == ("second", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["environment.json", "race.csv"]


def test_a_command_that_raced_nothing_is_not_listed(tmp_path):
    assert raced(tmp_path) is None
    found = raced(tmp_path, "a")
    assert raced(tmp_path) == found


@pytest.mark.parametrize(
    "kept",
    [b'{"commit": "old", "rules": {}}', b'{"runs": 3}', b"[1]", b'{"runs": [', b"\xff", b""],
)
def test_a_file_without_a_list_starts_one(kept, tmp_path):
    (tmp_path / "environment.json").write_bytes(kept)
    assert [run["commit"] for run in raced(tmp_path, "a")["runs"]] == ["first"]


def test_a_race_that_is_stopped_is_listed(tmp_path, monkeypatch):
    from experiments.race import measure

    def stopped(instance, task, contestants, results, rules, say):
        row = {"instance": instance.name, "contestant": "none", "repeat": 0, "level": 1e-8}
        results.add([row | {"code": "abc"}])
        raise KeyboardInterrupt

    monkeypatch.setattr(measure, "race", stopped)
    monkeypatch.setattr(measure, "warm_up", list)
    arguments = ["--only", "digits w=1e-2", "--contestants", "hand_newton", "--repeat", "3"]
    assert benchmark_command([*arguments, "--out", str(tmp_path)]) == 130
    (run,) = json.loads((tmp_path / "environment.json").read_text(encoding="utf-8"))["runs"]
    assert (run["instances"], run["rules"]["repeat"]) == (1, 3)
    assert run["arguments"]["only"] == ["digits w=1e-2"]
    assert "out" not in run["arguments"]
