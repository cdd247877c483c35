"""A user's own file, and what a run keeps of its own."""

from __future__ import annotations

import re

import numpy as np
import pytest
from commanding import check_refused, rows_of_table, run

A = np.random.default_rng(0).standard_normal((20, 3))
B = np.full(20, 0.05)


def with_entry(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


FILES = {
    "nan": ({"A": with_entry(A, (4, 1), np.nan), "b": B}, "A holds NaN or infinite values"),
    "negative": ({"A": A, "b": with_entry(B, 3, -0.05)}, r"b must be non-negative.* -0\.05"),
    "short": ({"A": A, "b": B[:5]}, r"b must have shape \(20,\), not \(5,\)"),
    "objects": ({"A": A.astype(object), "b": B}, r"cannot be read as a \.npz file"),
}


@pytest.mark.parametrize("name", [*FILES, "truncated"])
def test_a_file_that_cannot_be_used_ends_in_one_line(tmp_path, name):
    arrays, message = FILES.get(name, ({"A": A, "b": B}, r"cannot be read as a \.npz file"))
    path = tmp_path / f"{name}.npz"
    np.savez(path, **arrays)
    if name == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    ended = run(tmp_path, "data=file", f"data.path={name}.npz")
    check_refused(tmp_path, ended, rf"data\.path={name}\.npz: .*{message}")


def test_a_users_own_file_is_solved_without_tracking(tmp_path):
    np.savez(tmp_path / "mine.npz", A=A, b=B)
    ended = run(tmp_path, "data=file", "data.path=mine.npz", "tracking=none")
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert rows_of_table(ended.stdout)[0][1] == "exact_newton file n=20 d=3 seed=0"
    assert not list(tmp_path.rglob("mlflow.db"))


def test_a_damaged_reference_is_set_aside_and_the_next_run_works(tmp_path):
    arguments = ("n=60", "d=4", "tracking=none")
    assert run(tmp_path, *arguments).returncode == 0
    (file,) = (tmp_path / "cache").rglob("reference-*.npz")
    file.write_bytes(file.read_bytes()[:-50])
    ended = run(tmp_path, *arguments)
    assert re.fullmatch(
        rf"softres: {re.escape(str(file))} is damaged .* run again .*\n", ended.stderr
    )
    assert ended.returncode == 2
    assert list(file.parent.glob("reference-*.damaged-*"))
    again = run(tmp_path, *arguments)
    assert again.returncode == 0
    assert rows_of_table(again.stdout)[0][2].startswith("converged")
