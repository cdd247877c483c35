"""The number of rows that is proven: its equation, and what it rests on."""

from __future__ import annotations

import numpy as np
import pytest

from softres.theory.sample_size import proven_eps0, proven_rows


def test_rows_and_accuracy_are_inverse_to_each_other():
    for d, eps0, delta in ((5, 0.25, 0.01), (50, 0.08, 1e-4), (1, 0.9, 0.3)):
        rows = proven_rows(d, eps0, delta)
        assert proven_eps0(rows, d, delta) <= eps0 < proven_eps0(rows - 1, d, delta)


@pytest.mark.parametrize("eps0", np.linspace(0.01, 0.99, 9))
def test_both_tails_of_the_chernoff_bound_together_stay_below_delta(eps0):
    d, delta = 7, 0.01
    rows = proven_rows(d, eps0, delta)
    upper = (1 + eps0) * np.log1p(eps0) - eps0
    lower = eps0 + (1 - eps0) * np.log1p(-eps0)
    assert d * (np.exp(-upper * rows / d) + np.exp(-lower * rows / d)) <= delta
