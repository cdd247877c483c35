"""The ablation sets every constant, puts it back, and counts what that changes."""

from __future__ import annotations

import pandas as pd
import pytest

from experiments.ablation.command import ablation_command
from experiments.ablation.constants import MEMORY, OFF, OTHER, ablated, replaced, values_now
from experiments.ablation.instances import INSTANCES, LARGE, AblationInstance
from experiments.ablation.measure import measure, summary
from softres.solvers import solve
from softres.solvers.preconditioned import tuning

SMALL = AblationInstance("", "softres", 300, 10, 1e2, "coherent", 1e-4)
CONSTANTS = {one.name: one for one in ablated()}


def test_every_constant_has_other_values():
    assert set(CONSTANTS) == {name for name in vars(tuning) if name.isupper()} | {MEMORY}
    for constant in CONSTANTS.values():
        assert {"half", "twice"} & set(constant.settings), constant.name
        assert constant.value not in constant.settings.values()


def test_values_are_chosen_for_constants_that_there_are():
    assert set(OFF) | set(OTHER) <= set(CONSTANTS)


@pytest.mark.parametrize(
    ("name", "half", "twice"),
    [
        ("STALE", 0.05, 0.2),
        ("HEAD_ROWS", 1, 4),
        ("OVERSAMPLING", (4, 8, 16), (16, 32, 64)),
        ("WORST_CONTRACTION", 0.9, 0.999),
        (MEMORY, 4, 16),
    ],
)
def test_half_and_twice(name, half, twice):
    assert (CONSTANTS[name].half, CONSTANTS[name].twice) == (half, twice)


def test_a_value_holds_for_the_block_alone():
    before = values_now()
    with replaced("STALE", 0.0) as options:
        assert (tuning.STALE, options) == (0.0, {})
    with replaced(MEMORY, 3) as options:
        assert options == {MEMORY: 3}
    with pytest.raises(ZeroDivisionError), replaced("STALE", 0.0):
        _ = 1 / tuning.STALE
    assert values_now() == before


def test_the_solver_takes_the_way_of_the_value_in_force(one_thread):
    make = SMALL.make()
    ways = []
    for cheap in (1.0, 0.0):  # forms a Gram matrix every step; never for its low price
        with replaced("CHEAP_GRAM", cheap):
            ways.append(solve(make(), rates="nominal").rows[-1]["grams"])
    assert ways[0] > ways[1]


def test_a_row_compares_a_setting_with_the_default(one_thread):
    rows = list(measure(SMALL, [CONSTANTS["CHEAP_GRAM"]], repeats=2))
    assert [row["setting"] for row in rows] == ["half", "twice", "off"]
    off = rows[-1]
    assert (off["value"], off["status"], off["instance"]) == (0.0, "converged", SMALL.name)
    assert off["grams"] < off["default_grams"]
    assert off["time"] > 0


@pytest.mark.parametrize("instance", [*INSTANCES, *LARGE], ids=lambda one: one.name)
def test_an_instance_is_told_from_the_others(instance):
    assert [one.name for one in (*INSTANCES, *LARGE)].count(instance.name) == 1


def row(setting, status="converged", steps=10, passes=20.0, grams=1.0, time=1.0, touched=True):
    base = {"default_steps": 10, "default_passes": 20.0, "default_grams": 1.0}
    found = {"status": status, "steps": steps, "passes": passes, "grams": grams, "time": time}
    found["touched"] = touched
    named = {"constant": "STALE", "setting": setting, "value": 1.0, "default_status": "converged"}
    return named | base | found


def test_a_summary_is_of_what_is_touched_and_of_what_both_solve():
    rows = [
        row("half", time=3.0, touched=False),  # the same work: its time is the clock's noise
        row("half", passes=20.0, time=1.0),  # touched in a last bit
        row("half", passes=40.0, time=2.0),
        row("half", passes=10.0, time=0.5),
        row("half", status="step limit", steps=200, passes=400.0, time=20.0),
        row("twice", touched=False),
    ]
    half, twice = summary(pd.DataFrame(rows)).to_dict("records")
    assert (half["touched"], half["changed"]) == (4, 3)
    assert (half["solved"], half["default_solved"]) == (4, 5)
    assert half["time"] == half["passes"] == pytest.approx(1.0)
    assert (half["worst_passes"], half["others"]) == (2.0, "1 step limit")
    assert half["time_all"] == pytest.approx(3.0**0.25)
    assert (twice["touched"], twice["changed"], twice["others"]) == (0, 0, "")
    assert (twice["time"], twice["passes"]) == (1.0, 1.0)


@pytest.mark.parametrize("field", ["steps", "grams"])
def test_steps_and_gram_matrices_count_as_changes_too(field):
    changed = row("off", touched=False, **{field: 5})  # on another way, to the same result
    (line,) = summary(pd.DataFrame([changed])).to_dict("records")
    assert line["touched"] == line["changed"] == 1


# --- The command --------------------------------------------------------------------------------


def test_it_writes_its_tables_and_shows_one_in_80_columns(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["--quick", "--constants", "STALE,CHEAP_GRAM", "--only", "softres 1000x50"]
    assert ablation_command([*arguments, "--repeat", "1", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in shown if str(tmp_path) not in line) <= 80
    assert "no instance is touched by: STALE" in shown
    assert "touched, none changed: none" in shown
    table = pd.read_csv(tmp_path / "ablation.csv")
    assert table["constant"].tolist() == ["STALE"] * 3 + ["CHEAP_GRAM"] * 3
    assert len(pd.read_csv(tmp_path / "ablation_runs.csv")) == 6
    document = (tmp_path / "ablation.md").read_text()
    assert document.count("\n| ") == 7
    assert "No instance is touched by: STALE." in document


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--every"], "unrecognized arguments: --every"),
        (["--constants", "STALEST"], "--constants STALEST: allowed are TIGHT_SEARCH, "),
        (["--only", "nowhere"], "--only nowhere: no instance is left"),
        (["--repeat", "0"], "--repeat: 0: allowed is a positive whole number"),
        (["--out", "/proc/nope"], "--out /proc/nope: "),
    ],
)
def test_a_wrong_value_is_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        status = ablation_command(arguments)
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("softres: ")
    assert message in line
