"""When a factor is brought up to date: what a change saves against what it costs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softres.solvers.preconditioned.cost_model import CostModel, FactorPlan
from softres.solvers.preconditioned.refresh import Progress, RefreshPolicy

#: A step costs 2, a Gram matrix 50, a factor 2, and 20 of the 1000 rows may be updated in a step.
COSTS = CostModel(1000, 10, product=1, gram=50, single=25, embedding=3, factor=2, overhead=0)
PLAN = FactorPlan("gram", 0, seconds=27.0, total=55.0)
EPS = 1e-10


@pytest.fixture
def policy():
    return RefreshPolicy(COSTS, PLAN, EPS)


def after(contraction, estimate=1e-2, *, slow=0, tried=0.0):
    """Return the progress after a step with a contraction."""
    return Progress(
        dual_norm=contraction,
        previous_dual_norm=1.0,
        estimate=estimate,
        slow_steps=slow,
        before_row_update=tried,
    )


# --- Progress ----------------------------------------------------------------------------------


def test_the_contraction_is_known_after_two_steps():
    progress = Progress()
    assert progress.contraction == 0.0
    progress.note(8.0, 0.5)
    assert progress.contraction == 0.0
    progress.note(2.0, 0.1)
    assert (progress.contraction, progress.estimate) == (0.25, 0.1)
    progress.restart()
    assert progress.contraction == 0.0
    progress.note(1.0, 0.1)
    assert progress.contraction == 0.0


def test_slow_steps_are_counted_while_they_follow_each_other():
    progress = Progress()
    counts = []
    for left in (1.0, 0.5, 0.25, 0.01, 0.005):
        progress.note(left, 1.0)
        counts.append(progress.slow_steps)
    assert counts == [0, 1, 2, 0, 1]


def test_an_estimate_beyond_the_start_counts_as_the_start():
    progress = Progress()
    progress.note(1.0, math.inf)
    assert progress.estimate == 1.0


# --- Doing without a factor --------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "tried"), [(3.9, False), (4.1, True)])
def test_it_is_tried_where_a_factor_costs_more_than_two_steps(policy, seconds, tried):
    assert replace(policy, plan=replace(PLAN, seconds=seconds)).try_without_factor is tried


@pytest.mark.parametrize(("estimate", "on"), [(0.19, True), (0.21, False)])
def test_after_one_step_the_estimated_error_decides(policy, estimate, on):
    progress = Progress(dual_norm=1.0, estimate=estimate)
    assert policy.continue_without_factor(progress) is on


# From 1e-2 to 1e-10 at a contraction of r it takes log(1e8) / log(1/r) steps of 2 each, and the
# plan takes 55: r = 10^(-8/27.5) = 0.512 breaks even.
@pytest.mark.parametrize(("rate", "on"), [(0.50, True), (0.52, False)])
def test_later_the_time_to_the_goal_decides(policy, rate, on):
    assert policy.continue_without_factor(after(rate)) is on


# --- Rows, and the whole -----------------------------------------------------------------------


@pytest.mark.parametrize(("gram", "always"), [(1.9, True), (2.0, True), (2.1, False)])
def test_a_gram_matrix_cheaper_than_a_step_is_always_formed(policy, gram, always):
    assert replace(policy, costs=replace(COSTS, gram=gram)).always_rebuild is always


# Rows cost 20 / 1000 * 50 + 2 = 3, and steps go from 18.42 / log(1/r) to 6.15: r = 0.0899 breaks
# even.
@pytest.mark.parametrize(("rate", "update"), [(0.05, False), (0.089, False), (0.091, True)])
def test_rows_are_updated_where_the_steps_saved_cost_more(policy, rate, update):
    assert policy.row_update_pays(after(rate)) is update


def test_rows_are_updated_where_no_contraction_is_known(policy):
    assert policy.row_update_pays(Progress())


@pytest.mark.parametrize(("tried", "update"), [(0.0, True), (0.9, False), (1.1, True)])
def test_rows_are_not_updated_again_where_that_did_not_halve_the_contraction(policy, tried, update):
    assert policy.row_update_pays(after(0.5, tried=tried)) is update


# From 18.42 / log(1/r) steps to 8.0 of 2 each, at a price of 50: r = 0.572 breaks even.
@pytest.mark.parametrize(
    ("rate", "slow", "anew"),
    [(0.57, 2, False), (0.575, 2, True), (0.9, 1, False), (0.9, 0, False), (0.9, 5, True)],
)
def test_it_is_formed_anew_after_two_slow_steps_where_that_pays(policy, rate, slow, anew):
    assert policy.rebuild_pays(after(rate, slow=slow)) is anew


def test_forming_it_anew_waits_longer_each_time_that_it_did_not_help():
    progress, waits = after(0.9), []
    for contraction in (0.9, 0.9, 0.9, 0.9, 0.2):
        progress.note_rebuild()
        progress.dual_norm = 1.0
        progress.note(contraction, 0.1)
        waits.append(progress.patience)
    assert waits == [4, 8, 16, 16, 2]


@pytest.mark.parametrize(("slow", "anew"), [(3, False), (4, True)])
def test_patience_delays_forming_it_anew(policy, slow, anew):
    progress = after(0.9, slow=slow)
    progress.patience = 4
    assert policy.rebuild_pays(progress) is anew


# --- An expensive factor ------------------------------------------------------------------------


@pytest.fixture
def expensive():
    return RefreshPolicy(replace(COSTS, factor=40), PLAN, EPS)


# Steps go from 18.42 / log(1/r) to 6.15, and a factor with rows costs 41: r = 0.505 breaks even.
@pytest.mark.parametrize(("rate", "kept"), [(0.0, False), (0.50, True), (0.51, False)])
def test_an_expensive_factor_is_kept_until_another_pays_for_itself(expensive, rate, kept):
    assert expensive.keep_factor(after(rate)) is kept


@pytest.mark.parametrize("factor", [0.0, 6.0])
def test_any_other_factor_is_never_kept_for_its_price(factor):
    assert not RefreshPolicy(replace(COSTS, factor=factor), PLAN, EPS).keep_factor(after(0.1))


@pytest.mark.parametrize(("gram", "anew"), [(39, True), (41, False)])
def test_beside_an_expensive_factor_a_cheap_gram_matrix_is_formed_anew(expensive, gram, anew):
    policy = replace(expensive, costs=replace(expensive.costs, gram=gram))
    assert policy.rebuild_pays(after(0.2)) is anew


def test_near_the_goal_nothing_pays(policy):
    there = after(0.9, estimate=EPS, slow=5)
    assert not policy.rebuild_pays(there)
    assert not policy.row_update_pays(there)
    assert policy.continue_without_factor(there)


RATES = st.floats(0.0, 2.0)
PRICES = st.floats(1e-3, 1e3)


@given(
    rate=RATES,
    estimate=st.floats(1e-15, 1.0),
    gram=PRICES,
    more=st.floats(1.0, 100.0),
    tighter=st.floats(1.0, 1e10),
)
def test_a_dearer_gram_matrix_is_formed_less_and_a_farther_goal_more(
    rate, estimate, gram, more, tighter
):
    progress = after(rate, estimate, slow=3)
    costs = replace(COSTS, gram=gram)
    here = RefreshPolicy(costs, PLAN, EPS).rebuild_pays(progress)
    more_expensive = RefreshPolicy(replace(costs, gram=more * gram), PLAN, EPS).rebuild_pays(
        progress
    )
    farther = RefreshPolicy(costs, PLAN, EPS / tighter).rebuild_pays(progress)
    assert more_expensive <= here <= farther


@given(rate=RATES, worse=st.floats(1.0, 10.0), estimate=st.floats(1e-15, 1.0), total=PRICES)
def test_slower_steps_speak_for_a_factor(rate, worse, estimate, total):
    policy = RefreshPolicy(COSTS, replace(PLAN, total=total), EPS)
    here, there = after(rate, estimate, slow=3), after(worse * rate, estimate, slow=3)
    assert policy.continue_without_factor(there) <= policy.continue_without_factor(here)
    assert policy.rebuild_pays(there) >= policy.rebuild_pays(here)


# --- Corrections -------------------------------------------------------------------------------

# A correction costs 2, and with a Gram matrix of 1 a step with a new Hessian 7.
CHEAP = replace(COSTS, gram=1)


@pytest.mark.parametrize(
    ("rate", "estimate", "origin", "on"),
    [
        # 8 to go at 1 a step: 4 with a new Hessian, and 1 of 7 + 2 for 5: as long as any other way.
        (0.1, 1e-2, 1.0, True),
        # A new Hessian takes 6.3 at once, and 4 are to go.
        (0.45, 1e-6, 1.0, False),
        # It takes no more than 0.7 at once where it has just been formed: what there is serves.
        (0.2, 1e-2, 1e-2, True),
        (0.51, 1e-2, 1e-2, False),
        # Nothing is known, the goal is reached, or the last step has led away.
        (0.0, 1e-2, 1.0, False),
        (0.1, 1e-10, 1.0, False),
        (0.1, 0.5, 0.1, False),
    ],
)
def test_corrections_go_on_while_they_are_the_fastest_way(policy, rate, estimate, origin, on):
    progress = replace(after(rate, estimate), estimate_at_rebuild=origin)
    assert replace(policy, costs=CHEAP).correction_pays(progress) is on


@given(
    rate=st.floats(1e-6, 0.49),
    estimate=st.floats(1e-9, 1.0),
    share=st.floats(1.0, 1e6),
    gram=st.floats(0.1, 1e4),
)
def test_a_dearer_gram_matrix_never_ends_corrections(rate, estimate, share, gram):
    progress = replace(after(rate, estimate), estimate_at_rebuild=min(1.0, share * estimate))
    expensive, cheap = (
        RefreshPolicy(replace(COSTS, gram=price), PLAN, EPS).correction_pays(progress)
        for price in (2.0 * gram, gram)
    )
    assert expensive or not cheap


def test_the_error_where_the_hessian_was_formed_is_remembered():
    progress = after(0.1, 1e-3)
    assert progress.estimate_at_rebuild == 1.0
    progress.note_rebuild()
    assert progress.estimate_at_rebuild == 1e-3
