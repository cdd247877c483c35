"""The softres command: what it lists, what it hands over to, and how it refuses the rest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import softres
from softres.cli import main as module
from softres.cli.main import OWN, main
from softres.config.help import help_text

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def restored_arguments(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["softres"])


@pytest.fixture
def others(monkeypatch):
    """Subcommands that another package names, installed or not."""
    values = {
        "answer": "cli_plugin:answer",
        "stop": "cli_plugin:stop",
        "sync": "cli_plugin:answer",
    }
    entries = [EntryPoint(name, value, module.GROUP) for name, value in values.items()]
    monkeypatch.setattr(module, "entry_points", lambda group: entries)


def started(*words, folder, **variables):
    """Run the command in a process of its own to its end."""
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "softres", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def imported(done):
    return {name.split(".")[0] for name in re.findall(r"\| +([\w.]+)$", done.stderr, re.M)}


def test_help_lists_every_subcommand_and_imports_none(tmp_path):
    done = started("--help", folder=tmp_path)
    assert done.returncode == 0
    listed = re.findall(r"^  (\S+)  ", done.stdout, re.M)
    assert set(OWN) <= set(listed)
    assert not {"hydra", "numpy", "rich", "mlflow", "experiments"} & imported(done)


def test_help_of_run_waits_for_nothing_heavy(tmp_path):
    done = started("run", "--help", folder=tmp_path)
    assert done.returncode == 0
    assert not {"hydra", "numpy", "rich", "mlflow", "pandas"} & imported(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_without_a_subcommand_there_is_help(words, capsys):
    assert main(words) == 0
    assert "usage: softres COMMAND" in capsys.readouterr().out


def test_the_version_is_ours(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"softres {softres.__version__}\n"


@pytest.mark.parametrize(
    ("word", "said"),
    [("synk", "did you mean sync?"), ("anser", "did you mean answer?"), ("xyz", "; there are")],
)
def test_an_unknown_subcommand_is_one_line(word, said, others, capsys):
    assert main([word]) == 2
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err.startswith(f"softres: {word}: no such command; ")
    assert said in text.err
    assert text.err.endswith("there are run, ui, data, sync, reproduce, answer, stop\n")


def test_another_package_adds_subcommands_and_replaces_none(others, capsys):
    assert main(["answer", "to", "this"]) == 42
    assert capsys.readouterr().out == "softres answer: to this\n"
    assert main(["--help"]) == 0
    assert re.findall(r"^  (\w+) +cli_plugin$", capsys.readouterr().out, re.M) == ["answer", "stop"]


def test_an_interrupt_is_one_line(others, capsys):
    assert main(["stop"]) == 130
    assert capsys.readouterr().err == "softres: interrupted\n"


@pytest.mark.parametrize("words", [("sync", "--typo"), ("ui", "--port", "none"), ("reproduce",)])
def test_wrong_words_after_a_subcommand_are_one_line(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert re.fullmatch(r"softres: .*\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("softres ", set(OWN)),
        ("softres run n=9 problem=", {"problem=softmax", "problem=cosh"}),
        ("softres run n=9 hydra/laun", {"hydra/launcher="}),
    ],
)
def test_a_shell_completes_subcommands_and_choices(line, choices, tmp_path):
    done = started("-sc", "query=bash", folder=tmp_path, COMP_LINE=line)
    assert choices <= set(done.stdout.split())


def test_help_names_commands_as_they_were_typed(monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(ROOT / "run.py"), "--help"])
    here = help_text([])
    monkeypatch.setattr(sys, "argv", ["softres run", "--help"])
    installed = help_text([])
    assert "    python run.py -m KEY=VALUE,VALUE ...            a sweep" in here
    assert "    softres run -m KEY=VALUE,VALUE ...              a sweep" in installed
    assert "python scripts/report.py --profile quick " in here
    assert "softres report --profile quick " in installed
    assert "python" not in re.sub(r"https?:\S+", "", installed)
