"""The intervals that verdicts rest on."""

import numpy as np
import pytest

from experiments.kit.statistics import cluster_bootstrap, detectable_rate


def test_as_many_cases_as_show_a_rate_of_five_percent_with_confidence_95():
    assert detectable_rate(59) < 0.05 < detectable_rate(58)
    assert detectable_rate(0) == 1.0


def test_repeating_every_case_does_not_narrow_the_interval():
    values = np.random.default_rng(0).standard_normal(30)
    once = cluster_bootstrap(values, range(30), np.mean)
    often = cluster_bootstrap(np.repeat(values, 50), list(np.repeat(range(30), 50)), np.mean)
    assert often.low == pytest.approx(once.low)
    assert often.high == pytest.approx(once.high)
    assert once.low < np.mean(values) < once.high


def test_a_cluster_for_each_value():
    with pytest.raises(ValueError, match="3 values and 2 clusters"):
        cluster_bootstrap([1.0, 2.0, 3.0], [0, 1], np.median)
