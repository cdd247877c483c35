"""What the figures of a sweep compute: bands, profiles, distributions of runtimes, exponents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softres.results.figures.profile import performance_profile
from softres.results.figures.runtime import TARGETS, hitting_times
from softres.results.figures.scaling import fitted_exponents
from softres.results.resample import bands_of_curves, bands_of_points, quantiles


def curves(*runs):
    """Return traces: for each run its steps and values."""
    parts = [
        pd.DataFrame({"run": str(place), "step": steps, "y": np.asarray(values, dtype=float)})
        for place, (steps, values) in enumerate(runs)
    ]
    return pd.concat(parts, ignore_index=True)


def test_the_band_holds_the_middle_three_fifths_of_the_runs():
    assert quantiles(np.arange(1.0, 12.0), log=False).tolist() == [3.0, 6.0, 9.0]
    assert quantiles([1e-8, 1e-2], log=True)[1] == pytest.approx(1e-5)


def test_a_run_that_has_ended_keeps_its_last_value():
    traces = curves(([0, 1], [1, 1e-4]), ([0, 1, 2, 3], [1, 1e-2, 1e-3, 1e-4]))
    bands = bands_of_curves(traces, [], "step", "y", log_x=False, log_y=True)
    assert bands["step"].tolist() == [0, 1, 2, 3]
    assert bands["runs"].tolist() == [2] * 4
    assert bands["median"].to_numpy() == pytest.approx([1, 1e-3, 10**-3.5, 1e-4])


def test_curves_are_interpolated_in_the_logarithm_of_what_is_logarithmic():
    traces = curves(([1, 100], [1, 1e-4])).rename(columns={"step": "x"})
    bands = bands_of_curves(traces, [], "x", "y", log_x=True, log_y=True)
    assert np.interp(1.0, np.log10(bands["x"]), np.log10(bands["median"])) == pytest.approx(-2.0)


def test_what_is_not_finite_is_left_out_and_groups_stay_apart():
    traces = curves(([0, 1, 2], [1, np.nan, 1e-2]), ([0, 1], [1, 5]))
    traces["solver"] = traces["run"].map({"0": "a", "1": None})
    bands = bands_of_curves(traces, ["solver"], "step", "y", log_x=False, log_y=True)
    first = bands[bands["solver"] == "a"]
    assert first["median"].to_numpy() == pytest.approx([1, 0.1, 0.01])
    assert bands["solver"].isna().sum() == 2


def test_points_have_a_median_at_every_x():
    table = pd.DataFrame({"n": [1, 1, 1, 2], "y": [1.0, 2.0, 9.0, 4.0]})
    bands = bands_of_points(table, [], "n", "y", log_y=False)
    assert bands["median"].tolist() == [2.0, 4.0]
    assert bands["runs"].tolist() == [3, 1]


def test_a_profile_counts_what_is_solved_within_a_factor_of_the_best():
    costs = pd.DataFrame({"fast": [1.0, 2.0, np.inf, 8.0], "sure": [2.0, 2.0, 5.0, 4.0]})
    stairs = performance_profile(costs).set_index("method")
    fast, sure = stairs.loc["fast"], stairs.loc["sure"]
    assert fast["ratio"].to_numpy() == pytest.approx([1.0, 2.0, 2.2])
    assert fast["share"].to_numpy() == pytest.approx([0.5, 0.75, 0.75])
    assert sure["share"].to_numpy() == pytest.approx([0.75, 1.0, 1.0])


def test_a_method_that_solves_nothing_stays_at_zero():
    costs = pd.DataFrame({"a": [1.0, 2.0], "b": [np.inf, np.inf]})
    stairs = performance_profile(costs)
    assert (stairs.loc[stairs["method"] == "b", "share"] == 0).all()


def test_a_target_is_hit_when_the_error_is_first_no_larger():
    traces = pd.DataFrame(
        {
            "run": "a",
            "passes": [1.0, 3.0, 5.0, 7.0],
            "relative_error_l2": [1.0, 1e-2, 1e-1, 5e-4],
        }
    )
    times = hitting_times(traces, "passes").loc["a"]
    assert times[TARGETS[0]] == times[TARGETS[1]] == 3.0
    assert times[TARGETS[2]] == 7.0
    assert np.isinf(times[TARGETS[3]])


def test_the_exponent_of_a_power_is_found_within_its_interval():
    rng = np.random.default_rng(0)
    n = np.repeat([100, 1000, 10000], 5)
    noisy = 3.0 * n**1.5 * np.exp(0.1 * rng.standard_normal(15))
    points = pd.DataFrame({"solver": "a", "n": n, "value": noisy})
    fit = fitted_exponents(points, ["solver"], "n").iloc[0]
    assert fit["exponent_low"] < 1.5 < fit["exponent_high"]
    assert fit["exponent_high"] - fit["exponent_low"] < 0.1


def test_what_does_not_change_has_exponent_zero_and_two_points_have_none():
    constant = pd.DataFrame({"solver": "a", "n": [1, 10, 100], "value": 4.0})
    fit = fitted_exponents(constant, ["solver"], "n").iloc[0]
    assert (fit["exponent"], fit["exponent_low"], fit["exponent_high"]) == (0.0, 0.0, 0.0)
    assert len(fitted_exponents(constant[:2], ["solver"], "n")) == 0
