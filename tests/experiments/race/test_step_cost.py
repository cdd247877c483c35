"""Steps of Algorithm 1 beside steps of exact Newton: the ratios, the growth, the command."""

from __future__ import annotations

import pandas as pd
import pytest

from experiments.race.steps.command import step_cost_command
from experiments.race.steps.cost import exponents, gaussian_instance, summary
from softres.common.errors import InputError
from softres.harness.keys.digests import solver_digest
from softres.problems import SoftResidualRegression
from softres.solvers import SOLVERS


def made_rows(sizes=((1000, 10),)):
    """Rows by hand: medians of a step 0.4 and 0.1 s, of the solves 0.8 and 0.6 s."""
    solves = {
        "exact_newton": [(0.4, 2), (0.5, 2), (0.1, 3)],  # solves 0.8, 1.0, 0.3
        "approx_newton": [(0.1, 6), (0.2, 9), (0.05, 8)],  # solves 0.6, 1.8, 0.4
    }
    return pd.DataFrame(
        {
            "solver": solver,
            "n": n,
            "d": d,
            "repeat": repeat,
            "steps": steps,
            "seconds": seconds * n / 1000,
            "status": "converged",
            "code": f"code of {solver}",
        }
        for n, d in sizes
        for solver, runs in solves.items()
        for repeat, (seconds, steps) in enumerate(runs)
    )


def test_ratios_are_of_medians_of_a_step_and_of_a_solve():
    (row,) = summary(made_rows()).to_dict("records")
    assert (row["d"], row["n"], row["rows_per_column"]) == (10, 1000, 100.0)
    assert (row["exact_seconds"], row["approx_seconds"]) == (0.4, 0.1)
    assert (row["exact_steps"], row["approx_steps"]) == (2, 8)
    assert row["step_ratio"] == pytest.approx(4.0)
    assert row["solve_ratio"] == pytest.approx(0.8 / 0.6)  # not 4 times 2 / 8
    assert "ratio" not in row


def test_a_row_says_of_what_code_it_is_and_a_table_has_one():
    rows = made_rows()
    (row,) = summary(rows).to_dict("records")
    assert row["exact_code"] == "code of exact_newton"
    assert row["approx_code"] == "code of approx_newton"
    rows.loc[rows.index[-1], "code"] = "another"
    with pytest.raises(InputError, match=r"rows of approx_newton are of different code: .*another"):
        summary(rows)


def test_growth_is_fitted_to_three_sizes_of_one_d():
    table = summary(made_rows([(n, d) for d in (10, 20) for n in (2000, 4000, 8000)]))
    growth = exponents(table, 200.0)  # leaves two sizes of d = 20
    assert growth["d"].tolist() == [10, 10]
    assert growth["exponent"].tolist() == pytest.approx([1.0, 1.0])


def test_an_instance_without_any_b_is_refused():
    with pytest.raises(InputError, match=r"2 x 2: .* raise --ratio"):
        gaussian_instance(2, 2, 1e-2, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--eps0", "3"], "--eps0: 3: allowed is a number above 0 and below 1"),
        (["--eps0", "nan"], "--eps0: nan: allowed is a number above 0 and below 1"),
        (["--d", "0"], "--d: 0: allowed is a positive whole number"),
        (["--ratio", "500", "0"], "--ratio: 0: allowed is a positive whole number"),
        (["--repeat", "0"], "--repeat: 0: allowed is a positive whole number"),
        (["--fit-from", "x"], "--fit-from: x: allowed is a positive number"),
        (["--max-gb", "0.1"], "--max-gb 0.1: no size is left; allowed is 0.16 or more"),
        (["--out", "/proc/nope"], "--out /proc/nope: No such file or directory; allowed is a"),
    ],
)
def test_a_wrong_value_is_one_line_before_anything_runs(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr("experiments.race.steps.cost.measure", None)
    try:
        status = step_cost_command(arguments)
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("softres: ")
    assert message in line


def test_the_command_writes_its_tables_and_shows_them_in_80_columns(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["--d", "5", "--ratio", "250", "500", "1000", "100000000", "--repeat", "1"]
    arguments += ["--fit-from", "20", "--clock", "cpu", "--out", str(tmp_path)]
    assert step_cost_command(arguments) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "d=5 n/d=100000000: left out, A is above --max-gb" in shown
    assert max(len(line) for line in shown if str(tmp_path) not in line) <= 80
    table = pd.read_csv(tmp_path / "step_cost.csv")
    assert table["n"].tolist() == [1250, 2500, 5000]
    last = next(line for line in reversed(shown) if line.split()[:2] == ["5", "5000"])
    assert last.split()[2] == "1000"
    assert last.split()[-2:] == [f"{table[name][2]:.3g}" for name in ("step_ratio", "solve_ratio")]
    runs = pd.read_csv(tmp_path / "step_cost_runs.csv")
    assert len(runs) == 6
    codes = {
        name: solver_digest(SOLVERS[name], SoftResidualRegression)
        for name in ("exact_newton", "approx_newton")
    }
    assert (runs["code"] == runs["solver"].map(codes)).all()
    assert len(pd.read_csv(tmp_path / "step_cost_exponents.csv")) == 2
    assert not any("no exponent" in line for line in shown)


def test_two_sizes_have_no_exponent(tmp_path, capsys):
    arguments = ["--d", "5", "--ratio", "40", "80", "--fit-from", "20", "--repeat", "1"]
    assert step_cost_command([*arguments, "--out", str(tmp_path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "fewer than three sizes of one d: no exponent for d = 5" in shown
    assert pd.read_csv(tmp_path / "step_cost_exponents.csv").empty
