"""The machine's rates: measured once, kept in the cache folder, never a reason to fail."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from softres import SoftResidualRegression, solve
from softres.solvers.preconditioned import machine as rates_of
from softres.solvers.preconditioned.machine import NOMINAL, RATES, Machine, machine_of, this_machine

KNOWN = Machine(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)


@pytest.fixture(autouse=True)
def _each_call_is_a_new_process():
    rates_of._rates.cache_clear()
    yield
    rates_of._rates.cache_clear()


@pytest.fixture
def measured(monkeypatch):
    """Count the measurements, each of which tells another overhead."""
    made = []

    def measure():
        made.append(replace(KNOWN, overhead=float(len(made))))
        return made[-1]

    monkeypatch.setattr(rates_of, "_measure", measure)
    return made


def forget():
    """Forget what this process knows: the next call is as in a new one."""
    rates_of._rates.cache_clear()


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_rates_are_positive_and_finite(tmp_path):
    machine = this_machine(tmp_path)
    assert all(rate > 0 and math.isfinite(rate) for rate in asdict(machine).values())
    assert json.loads(files(tmp_path)[0].read_text()) == asdict(machine)


def test_a_process_measures_once(tmp_path, measured):
    assert this_machine(tmp_path) is this_machine(tmp_path)
    assert len(measured) == 1


def test_a_later_process_reads_the_same_rates_from_the_cache_folder(tmp_path, measured):
    first = this_machine(tmp_path)
    forget()
    assert this_machine(tmp_path) == first
    assert len(measured) == 1
    assert len(files(tmp_path)) == 1  # no draft is left behind


def test_the_cache_folder_is_the_users_own_where_none_is_given(tmp_path, measured, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    this_machine()
    assert len(files(tmp_path)) == len(measured) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"null",
        b"[1, 2, 3]",
        b'"rates"',
        json.dumps({"bytes_per_second": 1.0}).encode(),
        json.dumps(asdict(KNOWN) | {"another": 1.0}).encode(),
    ],
    ids=["empty", "cut off", "binary", "null", "list", "string", "rates missing", "rate unknown"],
)
def test_a_damaged_file_is_measured_anew_and_replaced(tmp_path, measured, content):
    this_machine(tmp_path)
    (path,) = files(tmp_path)
    path.write_bytes(content)
    forget()
    anew = this_machine(tmp_path)
    assert anew == measured[1]
    forget()
    assert this_machine(tmp_path) == anew
    assert len(measured) == 2


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path, measured):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert this_machine(blocked / "cache") == measured[0]
    forget()
    assert this_machine(blocked / "cache") == measured[1]
    assert files(tmp_path) == [blocked]


def test_another_number_of_threads_has_rates_of_its_own(tmp_path, measured):
    with threadpool_limits(1):
        this_machine(tmp_path)
    with threadpool_limits(2):
        this_machine(tmp_path)
    assert len(measured) == 2
    assert len(files(tmp_path)) == 2
    with threadpool_limits(1):
        assert this_machine(tmp_path) == measured[0]


def test_the_order_in_which_libraries_are_found_does_not_matter(tmp_path, measured, monkeypatch):
    found = [
        {"internal_api": name, "version": "1", "num_threads": 1} for name in ("openblas", "mkl")
    ]

    class Libraries:
        @property
        def lib_controllers(self):
            return [SimpleNamespace(num_threads=info["num_threads"]) for info in found]

        def info(self):
            found.reverse()
            return found

    monkeypatch.setattr(rates_of, "_libraries", Libraries)
    first = this_machine(tmp_path)
    forget()
    assert this_machine(tmp_path) == first
    assert len(measured) == len(files(tmp_path)) == 1


def test_another_processor_has_rates_of_its_own(tmp_path, measured, monkeypatch):
    this_machine(tmp_path)
    forget()
    monkeypatch.setattr(rates_of, "_processor", lambda: "another")
    this_machine(tmp_path)
    assert len(measured) == len(files(tmp_path)) == 2


# --- Nominal rates ------------------------------------------------------------------------------


def solved(monkeypatch, machine, rates):
    """Return the iterates' losses and passes with some rates on a machine."""
    monkeypatch.setattr(rates_of, "this_machine", lambda cache=None: machine)
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((2000, 40)) / 3, rng.dirichlet(np.ones(2000))
    problem = SoftResidualRegression(A, b, 1e-3)
    result = solve(problem, rates=rates)
    assert result.status.success
    assert result.steps >= 1
    return [(row["loss"], row["passes"], row["grams"]) for row in result.rows]


SLOW_PRODUCTS = Machine(1e6, 1e6, 1e12, 1e12, 1e12, 1e6, 1e-9)
SLOW_FACTORS = Machine(1e12, 1e12, 1e6, 1e6, 1e6, 1e12, 1e-9)


def test_nominal_rates_take_the_same_way_on_every_machine(monkeypatch):
    ways = [solved(monkeypatch, machine, "nominal") for machine in (SLOW_PRODUCTS, SLOW_FACTORS)]
    assert ways[0] == ways[1]


def test_measured_rates_choose_the_way_by_the_machine(monkeypatch):
    ways = [solved(monkeypatch, machine, "measured") for machine in (SLOW_PRODUCTS, SLOW_FACTORS)]
    assert ways[0] != ways[1]
    assert ways[0][-1][2] > ways[1][-1][2]  # Gram matrices where they cost least


def test_what_is_measured_on_this_machine_solves(monkeypatch, tmp_path):
    assert solved(monkeypatch, this_machine(tmp_path), "measured")


def test_nominal_rates_are_asked_for_by_name():
    assert machine_of("nominal") is NOMINAL
    assert set(RATES) == {"measured", "nominal"}
    assert all(rate > 0 and math.isfinite(rate) for rate in asdict(NOMINAL).values())
