"""How far a sweep has come, from the files that its jobs leave."""

from __future__ import annotations

import pytest

from softres.harness.outcome import JobOutcome, write_outcome
from softres.harness.terminal.progress import count_done, jobs_of_sweep, seconds_left, write_sweep


def ended(folder, number, seconds):
    write_outcome(folder / str(number), JobOutcome(number, "run", "converged", seconds=seconds))


def test_a_sweep_says_how_many_jobs_it_has(tmp_path):
    assert jobs_of_sweep(tmp_path) is None
    write_sweep(tmp_path, 120)
    assert jobs_of_sweep(tmp_path) == 120


def test_jobs_that_have_ended_are_counted(tmp_path):
    write_sweep(tmp_path, 3)
    assert count_done(tmp_path) == 0
    ended(tmp_path, 0, 1.0)
    ended(tmp_path, 2, 1.0)
    assert count_done(tmp_path) == 2


def test_the_time_left_is_the_mean_of_the_jobs_done_for_each_that_is_left(tmp_path):
    assert seconds_left(tmp_path, 0, 10, 1) is None
    ended(tmp_path, 0, 2.0)
    ended(tmp_path, 1, 4.0)
    assert seconds_left(tmp_path, 2, 10, 1) == pytest.approx(3.0 * 8)
    assert seconds_left(tmp_path, 2, 10, 4) == pytest.approx(3.0 * 2)


def test_jobs_that_were_skipped_or_are_under_way_tell_nothing_of_the_time(tmp_path):
    ended(tmp_path, 0, None)
    assert seconds_left(tmp_path, 1, 10, 1) is None
    ended(tmp_path, 2, 5.0)
    assert seconds_left(tmp_path, 3, 10, 1) == pytest.approx(5.0 * 7)


def test_what_an_older_command_left_in_the_folder_is_forgotten(tmp_path):
    ended(tmp_path, 0, 1.0)
    write_sweep(tmp_path, 3)
    assert count_done(tmp_path) == 0
