"""A repetition is compared column by column."""

import numpy as np
import pandas as pd
import pytest

from softres.harness.keys.identity import reproducing_command
from softres.harness.reproducing import compare


def trace(**columns):
    base = {"step": [0, 1, 2], "loss": [4.0, 2.0, 1.0], "solve_seconds": [0.0, 0.1, 0.2]}
    return pd.DataFrame(base | columns)


def test_times_do_not_count():
    assert compare(trace(), trace(solve_seconds=[0.0, 5.0, 9.0], seconds_gram=[1, 2, 3])).identical


def test_nan_equals_nan_and_nothing_else():
    kept = trace(contraction=[np.nan, 0.5, 0.5])
    assert compare(kept, kept.copy()).identical
    assert not compare(kept, trace(contraction=[0.5, 0.5, 0.5])).within(1e-3)


def test_a_bit_is_a_difference_and_within_a_tolerance():
    result = compare(trace(), trace(loss=[4.0, 2.0, np.nextafter(1.0, 2.0)]))
    assert not result.identical
    assert result.different["loss"] == pytest.approx(2**-52 / 4)
    assert result.within(1e-15)
    assert not result.within(1e-17)


def test_another_step_more_is_within_a_tolerance_and_two_are_not():
    result = compare(trace(), trace()[:2])
    assert not result.identical
    assert result.within(1e-12)
    assert not compare(trace(), trace()[:1]).within(1e-12)


def test_a_missing_column_and_another_text_are_differences():
    assert not compare(trace(), trace(extra=[1, 2, 3])).within(1.0)
    kept, new = trace(part=["a", "b", "c"]), trace(part=["a", "b", "d"])
    assert not compare(kept, new).within(1.0)


@pytest.mark.parametrize(
    ("overrides", "command"),
    [
        ((), "python run.py force=true"),
        (("n=5", "seed=1"), "python run.py n=5 seed=1 force=true"),
        (("experiment=psd", "R=2"), "python run.py experiment=psd R=2 force=true"),
        (("data.path=a b.npz",), "python run.py 'data.path=a b.npz' force=true"),
        (
            (
                *("n=5", "tracking=server", "tracking.uri=http://me:pw@host", "force=true"),
                *("sweep.dry_run=false", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
            ),
            "python run.py n=5 force=true",
        ),
    ],
)
def test_the_command_says_what_ran_and_not_where(overrides, command):
    assert reproducing_command(overrides) == command
