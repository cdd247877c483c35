"""What a run leaves in MLflow: flat parameters, logarithms, tags and figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softres.harness.records import BY_TIME, curve_columns, flat, with_logarithms
from softres.harness.terminal.console import error_text


def test_parameters_are_flat_and_a_choice_is_the_groups_own_key():
    tree = {"n": 5, "solver": {"name": "approx_newton", "eps0": 0.1}, "start": {"kind": "random"}}
    expected = {
        "n": 5,
        "solver": "approx_newton",
        "solver.eps0": 0.1,
        "start.kind": "random",
    }
    assert flat(tree) == expected


def test_logarithms_stand_beside_what_they_are_of_and_have_a_floor():
    trace = pd.DataFrame({"relative_error_H": [1.0, 1e-5, 0.0], "relative_gradient": [1, 2, 3]})
    table = with_logarithms(trace)
    np.testing.assert_allclose(table["log10_error_H"], [0.0, -5.0, -17.0])
    np.testing.assert_allclose(table["log10_relative_gradient"], np.log10([1, 2, 3]))
    assert "log10_error_l2" not in table
    assert "log10_error_H" not in trace


def test_a_value_that_is_no_number_stays_none():
    table = with_logarithms(pd.DataFrame({"relative_gradient": [1.0, np.nan]}))
    assert np.isnan(table["log10_relative_gradient"][1])


def test_curves_are_the_columns_that_there_are():
    columns = curve_columns(pd.DataFrame({"step": [0], "loss": [1.0], "own": [2.0]}))
    assert columns == ["loss"]
    full = with_logarithms(pd.DataFrame({"relative_error_H": [1.0], "relative_gradient": [1.0]}))
    assert set(BY_TIME) <= set(curve_columns(full))


@pytest.mark.parametrize(
    ("error", "text"),
    [(None, ""), (0.0, "<2e-16"), (1e-16, "<2e-16"), (3.14159e-7, "3.1e-07"), (1.0, "1.0e+00")],
)
def test_an_error_below_what_doubles_can_tell_is_said_so(error, text):
    assert error_text(error) == text
