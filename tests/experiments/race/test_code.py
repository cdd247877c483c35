"""Rows of the race say of what code they are; no table mixes them, and a race replaces old ones."""

from __future__ import annotations

import pandas as pd
import pytest

from experiments.race.code import of_one_code
from experiments.race.command import benchmark_command
from experiments.race.contestants import CONTESTANTS
from experiments.race.contestants import base as contestants_base
from experiments.race.results import RaceResults
from softres.common.errors import InputError
from softres.harness.keys import code as reading
from softres.harness.keys import digests, sources

NAMES = ("hand_newton", "exact_newton", "approx_newton", "scipy_lbfgs")
RACERS = [CONTESTANTS[name] for name in NAMES]
HERE = {it.name: it.code() for it in RACERS}
CASE = "digits w=1e-2"
ARGUMENTS = ["--only", CASE, "--contestants", "hand_newton,exact_newton", "--repeat", "1"]


@pytest.fixture
def edited(monkeypatch):
    """Return a function that changes a file for those who read its code."""

    def forget():
        for function in (
            reading.source,
            sources.imported,
            digests._solve_digest,
            contestants_base._digest,
        ):
            function.cache_clear()

    def edit(module):
        def read(path):
            return path.read_bytes() + (b"\nEDITED = 1\n" if path.match(module) else b"")

        monkeypatch.setattr(reading, "read", read)
        forget()

    yield edit
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize(
    ("module", "changed"),
    [
        ("solvers/exact_newton.py", {"exact_newton"}),
        ("approximate/approx_newton.py", {"approx_newton"}),
        ("softres/problems/regressions.py", {"exact_newton", "approx_newton"}),
        ("contestants/ours.py", {"exact_newton", "approx_newton"}),
        ("contestants/hand_newton.py", {"hand_newton"}),
        ("contestants/scipy_methods.py", {"scipy_lbfgs"}),
        ("contestants/loss.py", {"hand_newton", "scipy_lbfgs"}),
        ("contestants/base.py", set()),
        ("race/figures.py", set()),
    ],
)
def test_the_code_of_a_contestant_is_its_modules_and_of_ours_the_solvers(edited, module, changed):
    edited(module)
    assert {it.name for it in RACERS if it.code() != HERE[it.name]} == changed


def table(*rows):
    """Rows of an instance each: a contestant, and whether its code is here's or another."""
    return pd.DataFrame(
        {
            "instance": f"instance {k}",
            "contestant": name,
            "side": CONTESTANTS[name].side,
            "repeat": 0,
            "level": level,
            "code": HERE[name] if code == "here" else code,
        }
        for k, (name, code) in enumerate(rows)
        for level in (1e-4, 1e-8)
    )


def kept(rows):
    """Return the places of the kept rows, and what is said of the others."""
    left, note = of_one_code(rows, RACERS, leave_out=True)
    return sorted({int(name.split()[1]) for name in left.instance}), note


@pytest.mark.parametrize(
    "rows",
    [
        [(name, "here") for name in NAMES],
        [(name, "old") for name in NAMES],
        [("hand_newton", "here"), ("exact_newton", "old"), ("approx_newton", "older")],
        [("hand_newton", "old"), ("exact_newton", "here"), ("scipy_lbfgs", "older")],
    ],
)
def test_one_code_of_each_contestant_is_one_table(rows):
    found, note = of_one_code(table(*rows), RACERS, leave_out=False)
    assert note == ""
    pd.testing.assert_frame_equal(found, table(*rows))


@pytest.mark.parametrize(
    ("rows", "places", "counts"),
    [
        # What is here counts where there is some of it,
        ([("hand_newton", "here"), ("hand_newton", "old")], [0], "hand_newton 1"),
        # otherwise the latest.
        ([("hand_newton", "older"), ("hand_newton", "old")], [1], "hand_newton 1"),
        # Ours share their code: one of them raced anew makes the others' rows old.
        ([("exact_newton", "old"), ("approx_newton", "here")], [1], "exact_newton 1"),
        (
            [("scipy_lbfgs", "old"), ("exact_newton", "old"), ("exact_newton", "here")],
            [0, 2],
            "exact_newton 1",
        ),
    ],
)
def test_rows_of_other_code_are_refused_or_left_out_and_said(rows, places, counts):
    assert kept(table(*rows)) == (places, f"Left out are runs of other code: {counts}.")
    with pytest.raises(InputError, match=rf"^runs of other code than the rest: {counts}; race "):
        of_one_code(table(*rows), RACERS, leave_out=False)


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("race")
    assert benchmark_command([*ARGUMENTS, "--out", str(folder)]) == 0
    return (folder / "race.csv").read_text(encoding="utf-8")


@pytest.fixture
def results(tmp_path, raced):
    results = RaceResults(tmp_path)
    (tmp_path / "race.csv").write_text(raced, encoding="utf-8")
    return results


def command(results, *more):
    return benchmark_command([*ARGUMENTS, "--out", str(results.folder), *more])


def test_a_race_replaces_rows_of_older_code(results, edited, capsys):
    before = results.rows().set_index("contestant").code
    edited("solvers/exact_newton.py")
    assert command(results) == 0
    assert "raced again: exact_newton" in capsys.readouterr().out
    rows = results.rows().set_index("contestant").code
    assert (rows["hand_newton"] == before["hand_newton"]).all()
    assert (rows["exact_newton"] == CONTESTANTS["exact_newton"].code()).all()
    assert not rows["exact_newton"].isin(before).any()
    assert len(rows) == len(before)
    again = (results.folder / "race.csv").read_text(encoding="utf-8")
    assert command(results) == 0
    assert (results.folder / "race.csv").read_text(encoding="utf-8") == again


def test_tables_of_different_code_are_refused_in_one_line_or_say_what_they_lack(results, capsys):
    rows = results.rows()
    old = rows[rows.contestant == "exact_newton"].assign(repeat=1, code="old")
    pd.concat([rows, old]).to_csv(results.folder / "race.csv", index=False)
    assert command(results, "--no-run") == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith("softres: runs of other code than the rest: exact_newton 1; race them")
    assert not (results.folder / "race.md").exists()
    assert command(results, "--no-run", "--leave-out-other-code") == 0
    note = "Left out are runs of other code: exact_newton 1."
    assert note in capsys.readouterr().out
    text = (results.folder / "race.md").read_text(encoding="utf-8").split("\n")
    for figure in ("performance_profile", "time_to_error"):
        place = next(k for k, line in enumerate(text) if f"({figure}.png)" in line)
        assert text[place + 2] == note
    captions = list((results.folder / "tables").glob("*.txt"))
    assert len(captions) == 4
    assert all(note in path.read_text(encoding="utf-8") for path in captions)


def test_rows_that_do_not_say_of_what_code_they_are_are_refused_in_one_line(results, capsys):
    rows = results.rows().drop(columns="code")
    rows.to_csv(results.folder / "race.csv", index=False)
    for more in ((), ("--no-run",), ("--force",)):
        assert command(results, *more) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "race.csv: its rows do not say of what code they are; race again into" in line
