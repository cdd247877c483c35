"""The end of a sweep: its jobs, its solvers, and the command that draws it."""

from __future__ import annotations

import io
import re
from math import inf

import pytest
from rich.console import Console

from softres.harness.outcome import JobOutcome, write_outcome
from softres.harness.terminal import closing, console
from softres.harness.terminal.by_solver import first_to_goal
from softres.harness.terminal.closing import close_command
from softres.harness.terminal.opening import show_start
from softres.harness.terminal.progress import write_sweep
from softres.theory import Assumption

LONG = "preconditioned_newton n=1000 d=10 seed={} weights.value=0.0001 data.condition=1000"


def outcome(job, solver, seconds, instance="a", status="converged", **more):
    figures = {"steps": 4, "passes": 12.0, "error": 1.5e-12} | more
    name = figures.pop("name", f"{solver} n=9 seed={job}")
    return JobOutcome(
        job,
        name,
        status,
        solver=solver,
        solve_seconds=seconds,
        instance=instance,
        seconds=1.0,
        **figures,
    )


def closed(folder, outcomes):
    for one in outcomes:
        write_outcome(folder / str(one.job), one)
    return close_command(str(folder), {"enabled": False}, [])


@pytest.mark.parametrize(("jobs", "all_done"), [(2, True), (3, False)])
def test_a_job_that_left_no_outcome_is_not_done(tmp_path, capsys, jobs, all_done):
    write_sweep(tmp_path, jobs)
    assert closed(tmp_path, [outcome(0, "a", 1.0), outcome(1, "a", 1.0)]) is all_done
    assert ("1 of 3 jobs left no outcome" in capsys.readouterr().out) is not all_done


def test_jobs_that_fail_alike_share_a_line(tmp_path, capsys):
    failed = [
        JobOutcome(job, f"run {job}", "failed", note=note, ok=False, command=f"again {job}")
        for job, note in enumerate(["full", "odd", *["full"] * 30])
    ]
    assert not closed(tmp_path, failed)
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if " failed: " in line or "alone and again" in line]
    assert said[0].startswith("jobs 1, 3, 4, 5, ")
    assert said[0].endswith(" and 11 more failed: full")
    assert said[1:] == [
        "  alone and again: again 0",
        "job 2 failed: odd",
        "  alone and again: again 1",
    ]


def test_a_sweep_of_which_nothing_is_left_is_not_done(tmp_path):
    assert closed(tmp_path, [])  # nothing began
    write_sweep(tmp_path, 2)
    assert not closed(tmp_path, [])


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns; return a function that gives its lines."""
    shown = Console(
        file=io.StringIO(), force_terminal=True, width=80, color_system=None, highlight=False
    )
    for module in (console, closing):
        monkeypatch.setattr(module, "console", shown)
    return lambda: shown.file.getvalue().splitlines()


def test_the_first_to_the_goal_is_by_solver_time_on_each_instance():
    ahead, compared = first_to_goal(
        [
            outcome(0, "fast", 1.0, "a"),
            outcome(1, "slow", 3.0, "a"),
            outcome(2, "fast", 9.0, "b"),
            outcome(3, "slow", 2.0, "b"),
            outcome(4, "fast", 1.0, "c", status="step limit"),
            outcome(5, "slow", 5.0, "c"),
            outcome(6, "fast", 1.0, "alone"),
            outcome(7, "fast", 1.0, "none", status="step limit"),
            outcome(8, "slow", 1.0, "none", status="stalled"),
        ]
    )
    assert compared == 3
    assert ahead == {"fast": [3.0], "slow": [4.5, inf]}


def test_a_run_that_was_skipped_counts_with_how_it_had_ended():
    ahead, compared = first_to_goal(
        [
            outcome(0, "fast", 1.0, status="skipped", ended="step limit"),
            outcome(1, "slow", 4.0, status="skipped", ended="converged"),
        ]
    )
    assert (ahead, compared) == ({"slow": [inf]}, 1)


def test_solvers_have_a_row_each_with_medians(tmp_path, capsys):
    seconds = (1.0, 2.0, 9.0)
    jobs = [outcome(k, "fast", s, f"i{k}", steps=k + 1) for k, s in enumerate(seconds)]
    jobs += [outcome(k + 3, "slow", 30.0, f"i{k}", status="step limit") for k in range(3)]
    assert closed(tmp_path, jobs)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "fast 3 of 3 3 of 3 alone 2 2 12 1.5e-12" in rows
    assert "slow 0 of 3 0 of 3 4 30 12 1.5e-12" in rows


def test_a_job_that_failed_was_tried(tmp_path, capsys):
    failed = JobOutcome(1, "fast n=9 seed=1", "failed", note="no luck", solver="fast", ok=False)
    assert not closed(tmp_path, [outcome(0, "fast", 1.0), failed])
    assert re.search(r"^fast +1 of 2 ", capsys.readouterr().out, re.M)


def test_one_job_and_jobs_that_solve_nothing_have_no_table_of_solvers(tmp_path, capsys):
    closed(tmp_path / "one", [outcome(0, "fast", 1.0)])
    measured = [outcome(k, "fast", None, status="measured", steps=None) for k in range(2)]
    closed(tmp_path / "measured", measured)
    assert "by solver" not in capsys.readouterr().out


def test_of_many_jobs_those_that_did_not_get_there_are_listed(tmp_path, capsys):
    jobs = [outcome(k, "fast", 1.0, f"i{k}") for k in range(25)]
    jobs[3] = outcome(3, "fast", 1.0, status="step limit")
    jobs[7] = JobOutcome(7, "fast n=9 seed=7", "failed", note="no luck", ok=False, command="again")
    jobs[9] = outcome(9, "fast", 1.0, status="skipped", ended="converged", note="run 1a2b")
    assert not closed(tmp_path, jobs)
    shown = capsys.readouterr().out
    listed = re.findall(r"^ *(\d+)  fast n=9", shown, re.M)
    assert listed == ["4", "8"]
    assert "23 of 25 jobs went well and are not listed\n" in shown
    assert "job 8 failed: no luck\n  alone and again: again\n" in shown


def test_what_is_no_terminal_gets_a_line_a_job_in_plain_letters(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    names = [LONG.format(k) for k in range(3)]
    closed(tmp_path, [outcome(k, "fast", 1.0, name=name) for k, name in enumerate(names)])
    shown = capsys.readouterr().out
    assert shown.isascii()
    for number, name in enumerate(names, 1):
        assert re.search(rf"^ *{number}  {re.escape(name)}  converged .* 1\.5e-12 *$", shown, re.M)


def test_nothing_wraps_on_a_terminal_of_80_columns(tmp_path, terminal):
    solvers = ("preconditioned_newton", "softmax_regression")
    closed(tmp_path, [outcome(k, solvers[k % 2], 1.0, name=LONG.format(k)) for k in range(4)])
    lines = terminal()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("all with preconditioned_newton n=1000 d=10 weights.value=0.0001")
    rows = [line for line in lines if re.match(r" +\d  seed=\d  converged .* 1\.5e-12", line)]
    assert len(rows) == 4


def test_a_heading_keeps_to_its_line(terminal):
    console.show_heading(f"job 1 of 2, about 3 min left: {LONG}")
    (line,) = terminal()
    assert len(line) <= 80
    assert line.startswith("job 1 of 2, about 3 min left: preconditioned_newton n=1000")


def test_a_command_says_what_it_changes_in_two_lines(terminal, monkeypatch):
    monkeypatch.setattr("softres.harness.terminal.opening.console", console.console)
    show_start(["n=100,200"], 2)
    assert terminal() == ["2 jobs: n=100,200 (--cfg job shows the rest)"]
    show_start([f"key_number_{k}=value" for k in range(20)], 1)
    added = terminal()[1:]
    assert len(added) == 2
    assert added[-1].endswith(" ...")
    assert max(map(len, added)) <= 80


def test_nothing_changed_is_said(capsys):
    show_start([], 1)
    assert capsys.readouterr().out == "1 job: all as by default (--cfg job shows the rest)\n"


@pytest.mark.parametrize(
    ("holds", "said"),
    [(True, "within T = 26 steps"), (False, "promises nothing here; the solvers may still")],
)
def test_what_the_assumptions_mean_is_said_once_for_an_instance(holds, said, capsys):
    checks = [Assumption("x", "a <= b", f"a = 1, {holds}", holds, 1.0, 2.0)]
    console.show_assumptions(checks, 26)
    assert capsys.readouterr().out.count(said) == 1
    console.show_assumptions(list(checks), 26)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (40.4, "40 s"), (99, "99 s"), (720, "12 min"), (12600, "3.5 h")],
)
def test_a_duration_is_said_in_its_unit(seconds, text):
    assert console.duration(seconds) == text


def test_who_was_first_is_not_said_of_jobs_that_ran_at_the_same_time(tmp_path, capsys):
    jobs = [outcome(0, "fast", 1.0), outcome(1, "slow", 3.0, timed=False)]
    assert closed(tmp_path, jobs)
    text = capsys.readouterr().out
    assert "first to eps: not compared, for jobs ran at the same time" in text
    assert "ahead" not in text


def test_a_sentence_breaks_between_words_on_a_terminal(terminal):
    console.show_text(f"  warning: {'a word of some length ' * 8}".rstrip())
    first, *rest = terminal()
    assert rest
    assert first.startswith("  warning: a word")
    assert all(len(line) <= 80 and line.startswith("    ") for line in rest)
    assert " ".join([first, *rest]).split() == f"warning: {'a word of some length ' * 8}".split()
