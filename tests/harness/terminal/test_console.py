"""What a user typed is printed as it was typed: brackets are no styles, colons no emoji."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from softres.config.choices import register
from softres.config.settings import settings
from softres.harness.outcome import JobOutcome, write_outcome
from softres.harness.terminal import console
from softres.harness.terminal.closing import close_command
from softres.harness.terminal.dry_run import show_plan
from softres.theory import Assumption

CONF = str(Path(__file__).parents[3] / "conf")
WORDS = ["[red]", "[/]", "n=[1,2]", ":smile:", "[link=x]y[/link]", "\\[bold]", "a\\", "Σ ñ"]


@pytest.fixture
def printed(monkeypatch, capsys):
    """Let lines be long; return a function that reads what was printed."""
    monkeypatch.setenv("COLUMNS", "300")
    return lambda: capsys.readouterr().out


@pytest.mark.parametrize("word", WORDS)
def test_the_closing_table_shows_names_and_notes(word, printed, tmp_path):
    write_outcome(
        tmp_path / "0", JobOutcome(0, f"run {word} end", "skipped", note=f"is {word} too")
    )
    write_outcome(tmp_path / "1", JobOutcome(1, "other", "failed", note=f"no {word}!", ok=False))
    assert not close_command(str(tmp_path), {"enabled": False}, [f"data.path={word}"])
    shown = printed()
    for text in (f"run {word} end", f"skipped, is {word} too", f"job 2 failed: no {word}!"):
        assert text in shown


@pytest.mark.parametrize("word", WORDS)
def test_a_plan_shows_names(word, printed):
    register()
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        job = settings(compose("config", overrides=["tracking=none"]))
    show_plan([(job, [f"data.path={word}"], None)])
    assert f"seed=0 data.path={word} " in printed()


@pytest.mark.parametrize("word", WORDS)
def test_lines_assumptions_and_progress_show_text(word, printed, monkeypatch):
    console.show_line(f"line {word}.")
    checks = [Assumption("x", f"if {word} then", f"as {word}.", True, 1.0, 2.0)]
    console.show_assumptions(checks, 26)
    monkeypatch.setattr(console.console, "_force_terminal", True)
    with console.progress(f"{word.split()[0]} n=5", 3):
        pass
    shown = printed()
    for text in (f"line {word}.", f"if {word} then", f"as {word}.", f"{word.split()[0]} "):
        assert text in shown


@pytest.mark.parametrize("columns", ["0", "1", "19"])
def test_a_terminal_without_columns_has_eighty(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    shown = console._WideEnough(file=io.StringIO(), force_terminal=True)
    assert shown.width == shown.options.max_width == 80
    monkeypatch.setattr(console, "console", shown)
    console.show_text("a word " * 30)
    assert max(map(len, shown.file.getvalue().splitlines())) <= 80


def test_no_line_or_cell_obeys_what_a_store_says(printed, tmp_path):
    said = "run \x1b[2J\u202ea\rjobs 1 ended"
    shown = r"run \x1b[2J\u202ea\rjobs 1 ended"
    skipped = JobOutcome(0, said, "skipped", solver=said, note=said, steps=1, ended=said)
    failed = JobOutcome(1, "b", "failed", solver=said, note=said, ok=False)
    for one in (skipped, failed):
        write_outcome(tmp_path / str(one.job), one)
    close_command(str(tmp_path), {"enabled": False}, [])
    console.show_line(said)
    console.show_heading(said)
    lines = printed().splitlines()
    assert lines[-2:] == [shown, shown]
    text = "\n".join(lines)
    assert text.count(shown) >= 6  # a name, a note, a solver and a cause of failure
    assert not set(text) & {"\x1b", "\u202e", "\r"}
