import math
from itertools import pairwise

import pytest

from softres.tracking.charts.curves import MAX_POINTS, check_metric_name, resample, select

INF = math.inf


@pytest.mark.parametrize("rows", [1, 2, 128, 129, 320, 5000, 100_000, 3_000_000])
def test_thinning_keeps_the_ends_and_the_first_steps(rows):
    chosen = select(range(rows), [1.0] * rows, set(), final=True)
    assert chosen[0] == 0
    assert chosen[-1] == rows - 1
    assert chosen[: min(rows, 129)] == list(range(min(rows, 129)))
    assert len(chosen) <= MAX_POINTS
    assert all(after <= 1.12 * before + 1 for before, after in pairwise(chosen[1:]))


@pytest.mark.parametrize("longer", [600, 3000, 200_000])
def test_curves_of_different_lengths_share_their_steps(longer):
    short, long = (select(range(n), [1.0] * n, set(), final=True) for n in (500, longer))
    assert {step for step in long if step < 499} == {step for step in short if step < 499}


def test_values_that_are_not_finite_are_skipped_and_do_not_count():
    values = [math.nan, *[1.0, INF, -INF] * 100]
    chosen = select(range(len(values)), values, set(), final=True)
    assert chosen == [row for row in range(1, len(values), 3) if row <= 128 or row in chosen]
    assert {1, 127, 298} <= set(chosen)
    assert all(math.isfinite(values[row]) for row in chosen)
    assert select([0, 1], [math.nan, INF], set(), final=True) == []


def test_a_step_is_sent_once():
    assert select([0, 1, 1, 2], [1.0, 2.0, 3.0, 4.0], {0}, final=True) == [1, 3]


@pytest.mark.parametrize("every", [1, 7, 250])
def test_progress_sends_the_same_steps_as_the_end(every):
    sent: set[int] = set()
    for rows in range(every, 4000, every):
        sent.update(select(range(rows), [1.0] * rows, sent, final=False))
    last = select(range(4000), [1.0] * 4000, sent, final=True)
    assert not sent & set(last)
    assert sent | set(last) == set(select(range(4000), [1.0] * 4000, set(), final=True))


@pytest.mark.parametrize("total", [3e-5, 0.02, 1.0, 3600.0, 1e6])
def test_time_grid_is_shared_and_ends_at_the_last_value(total):
    rows = 1000
    points = resample([total * k / rows for k in range(rows + 1)], range(rows + 1))
    times = [time for time, _ in points]
    assert times == sorted(set(times))
    assert len(points) <= MAX_POINTS
    assert points[0] == (0, 0)
    assert points[-1][1] == rows
    assert 1e6 * total <= times[-1] <= 1e7 * total + 1
    twice = resample([2 * total * k / rows for k in range(rows + 1)], range(rows + 1))
    common = [time for time in times if 4e6 * total / rows < time < 1e6 * total]
    assert set(common) <= {time for time, _ in twice}


def test_time_grid_never_looks_ahead():
    for time, value in resample([0.0, 0.001, 0.1, 0.2], [0.0, 1.0, 2.0, math.nan]):
        assert value == sum(time >= limit for limit in (1000, 100_000))


def test_time_grid_of_odd_curves():
    assert resample([], []) == []
    assert resample([math.nan], [1.0]) == []
    assert resample([0.0], [3.0])[0] == (0, 3.0)
    assert len(resample([0.0, 1e-9, 1e9], [1.0, 2.0, 3.0])) <= MAX_POINTS


@pytest.mark.parametrize("name", ["loss", "log10_error_H", "time/solve s", "a.b-c", "x2"])
def test_metric_names(name):
    check_metric_name(name)


@pytest.mark.parametrize("name", ["", "a[0]", "a=b", "α", "/a", "a//b", "a/", "../a", "a" * 251])
def test_metric_names_that_no_store_takes(name):
    with pytest.raises(ValueError, match="metric name"):
        check_metric_name(name)
