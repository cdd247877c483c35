"""Each rule gives the weight that its formula says."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from softres.common.errors import InputError
from softres.data.weights import RULES, WeightOptions, squared_weight, weight


@pytest.fixture
def problem(plant, make):
    instance = plant(0)
    return make("softres", instance.A, instance.b)


def test_the_relative_rule_is_a_multiple_of_the_largest_curvature_at_the_start(problem):
    # At x = 0: v = exp(0) + 1 = 2 and alpha = n, so v^2 / alpha^2 = 4 / n^2 in every row.
    w2 = squared_weight(WeightOptions("relative", value=0.05), problem, sigma_min=0.3)
    assert w2 == pytest.approx(0.05 * 4 / problem.n**2, rel=1e-12)


def test_the_relative_rule_takes_the_largest_row_where_rows_differ(plant, make):
    instance = plant(0)
    cosh = make("cosh", instance.A, instance.b)  # starts off 0
    v = np.sinh(instance.A @ cosh.start())
    w2 = squared_weight(WeightOptions("relative", value=0.5), cosh, sigma_min=0.3)
    assert w2 == pytest.approx(0.5 * (v**2).max(), rel=1e-10)


def test_the_theorems_rule_is_its_formula(problem):
    options = WeightOptions("theorem", value=7.0, constant=50.0, l=2.0)
    assert squared_weight(options, problem, sigma_min=0.5) == 50.0 + 2.0 / 0.25


def test_the_absolute_rule_is_the_value_itself_and_none_is_zero(problem):
    assert squared_weight(WeightOptions("absolute", value=1e-6), problem, 0.5) == 1e-6
    assert squared_weight(WeightOptions("none", value=1e-6), problem, 0.5) == 0.0


@pytest.mark.parametrize("rule", RULES)
def test_the_weight_is_the_root(problem, rule):
    options = WeightOptions(rule, value=3e-4)
    assert weight(options, problem, 0.5) == sqrt(squared_weight(options, problem, 0.5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "typo"}, r"weights\.name=typo: allowed are relative, theorem, absolute, none"),
        ({"value": -1.0}, r"weights\.value=-1\.0: allowed is a finite number >= 0"),
        ({"value": float("nan")}, r"weights\.value=nan: allowed"),
        ({"constant": 0.0}, r"weights\.constant=0\.0: allowed is a finite number > 0"),
        ({"l": -1.0}, r"weights\.l=-1\.0: allowed is a finite number > 0"),
    ],
)
def test_an_option_out_of_range_is_named_with_its_value(options, message):
    with pytest.raises(InputError, match=message):
        WeightOptions(**options)


@pytest.mark.parametrize("option", ["value", "constant", "l"])
def test_an_infinite_weight_is_refused(option):
    with pytest.raises(InputError, match=rf"weights\.{option}=inf"):
        WeightOptions(**{option: float("inf")})


def test_the_theorems_rule_refuses_a_matrix_of_zeros(problem):
    with pytest.raises(InputError, match="weights"):
        squared_weight(WeightOptions("theorem"), problem, sigma_min=0.0)
