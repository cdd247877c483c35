"""Algorithm 1, safeguarded: its contraction, its options, and what it tells of its sampling."""

from __future__ import annotations

import numpy as np
import pytest

from softres import InputError
from softres.problems.reference import Certificate, Reference
from softres.solvers import Status, make_solver, solve

pytestmark = pytest.mark.usefixtures("one_thread")

UNKNOWN = Certificate(0.0, 0.0, 1.0, 1.0, 1, 0, 0.0, True, True)

#: d, radius, weights relative to the curvature: four instances of 20 000 rows, 50 steps each.
INSTANCES = [(10, 4.0, 1e-2), (10, 4.0, 1e-3), (8, 4.0, 1e-2), (10, 10.0, 1e-2)]


def one_step_contractions(problem, x, steps, **options):
    """Take single steps from x* plus 1e-3 |x*| in random directions, each with its own seed."""
    reference = Reference(problem, x, UNKNOWN)
    rows = []
    for seed in range(steps):
        away = np.random.default_rng(seed).standard_normal(len(x))
        start = x + 1e-3 * np.linalg.norm(x) * away / np.linalg.norm(away)
        result = solve(
            problem,
            "approx_newton",
            x0=start,
            eps=1e-12,
            max_steps=1,
            seed=seed,
            reference=reference,
            **options,
        )
        rows.append(result.rows[1])
    return rows


def test_steps_near_the_minimiser_contract_by_the_lemmas_factor(
    plant, make_regularised, minimiser, record_property
):
    contractions, saved = [], []
    for seed, (d, radius, factor) in enumerate(INSTANCES):
        instance = plant(seed, n=40_000, d=d, radius=radius, noise=0.3)
        problem = make_regularised("softres", instance.A, instance.b, factor)
        rows = one_step_contractions(problem, minimiser(problem), 50, eps0=0.08)
        contractions += [row["contraction_H"] for row in rows]
        saved += [row["rows_distinct"] / 40_000 for row in rows]
    record_property("largest", max(contractions))
    record_property("median", np.median(contractions))
    record_property("share of rows", max(saved))
    assert len(contractions) == 200
    assert np.mean(np.array(contractions) <= 0.4) >= 0.99
    assert max(saved) < 0.75  # and it did so from a part of the rows


def test_fewer_rows_contract_less(plant, make_regularised, minimiser):
    instance = plant(0, n=20_000, d=10, radius=4.0)
    problem = make_regularised("softres", instance.A, instance.b, 1e-2)
    x = minimiser(problem)
    few, many = (
        np.median([r["contraction_H"] for r in one_step_contractions(problem, x, 15, rows=rows)])
        for rows in (300, 4800)
    )
    assert 2.5 < few / many < 6.0  # about sqrt(16) = 4


def test_uniform_sampling_loses_the_contraction_on_a_coherent_matrix(
    make_regularised, minimiser, record_property
):
    # Rows of leverage one: each carries a column of its own.
    rng = np.random.default_rng(0)
    A = 0.3 * rng.standard_normal((5000, 8))
    A[:, :3] *= 1e-3
    A[range(3), range(3)] = 1.0
    b = np.exp(0.5 * rng.standard_normal(5000))
    problem = make_regularised("softres", A, b / b.sum(), 1e-2)
    x = minimiser(problem)
    largest = {
        scores: max(
            row["contraction_H"]
            for row in one_step_contractions(problem, x, 15, rows=2000, scores=scores)
        )
        for scores in ("leverage", "uniform")
    }
    for scores, value in largest.items():
        record_property(scores, value)
    assert largest["leverage"] <= 0.4
    assert largest["uniform"] > 0.5


@pytest.mark.parametrize("name", ["softres", "softmax", "resnet-exp", "cosh"])
def test_it_converges_from_the_usual_start(
    name, plant, make_regularised, minimiser, relative_error
):
    instance = plant(4, n=4000, d=6)
    problem = make_regularised(name, instance.A, instance.b, 0.1)
    result = solve(problem, "approx_newton", eps=1e-11, eps0=0.25)
    assert result.status is Status.CONVERGED
    assert relative_error(result.x, minimiser(problem)) <= 1e-9


def test_negative_diagonal_entries_are_counted_and_survived(plant, make_regularised):
    instance = plant(0, n=2000, d=10, radius=10.0, noise=1.0)
    problem = make_regularised("softres", instance.A, instance.b, 1e-6)
    result = solve(problem, "approx_newton", eps=1e-9, rows=1000)
    assert result.trace["negative_diagonal"].max() > 0
    assert result.status is Status.CONVERGED


def trace_of(problem, **options):
    return solve(problem, "approx_newton", eps=1e-9, eps0=0.25, **options).trace.iloc[1:]


def test_scores_are_used_again_while_the_diagonal_stays(plant, make_regularised):
    instance = plant(4, n=20_000, d=6)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    trace = trace_of(problem, reuse=2.0, hold=0.0)
    assert trace["fresh_scores"].iloc[0] == 1
    assert trace["fresh_scores"].iloc[-1] == 0
    assert (trace["score_growth"] <= 2.0).all()
    # Too large scores are paid for in rows, in proportion.
    reused = trace[trace["fresh_scores"] == 0]
    expected = trace["rows_distinct"].iloc[0] * reused["score_growth"]
    np.testing.assert_allclose(reused["rows_distinct"], expected, rtol=0.15)


def test_single_precision_is_used_only_where_the_condition_allows(
    plant, make_regularised, in_single, minimiser, relative_error
):
    instance = plant(4, n=20_000, d=6)
    fitted = instance.A @ minimiser(make_regularised("softres", instance.A, instance.b, 0.1))
    mixed = np.eye(6)
    mixed[0, 1] = 1e4  # column 1 is nearly a multiple of column 0: no scaling helps
    for A, some in ((instance.A, True), (instance.A @ mixed, False)):
        in_single.clear()
        problem = make_regularised("softres", A, instance.b, 0.1)
        result = solve(problem, "approx_newton", eps=1e-11, eps0=0.25)
        assert in_single
        # The last Gram matrix is that of the exact Hessian, by which the result is judged.
        assert set(in_single[:-1]) == {some}
        assert result.status is Status.CONVERGED
        assert relative_error(A @ result.x, fitted) <= 1e-7


def test_without_reuse_every_step_makes_its_own_scores(plant, make_regularised):
    instance = plant(4, n=20_000, d=6)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    trace = trace_of(problem, reuse=1.0, hold=0.0)
    assert (trace["fresh_scores"] == 1).all()
    reused = trace_of(problem, reuse=2.0, hold=0.0)
    fewer = reused["passes"].iloc[-1] / len(reused)
    assert fewer < trace["passes"].iloc[-1] / len(trace)


def test_a_sampled_hessian_serves_while_the_hessian_stays(
    plant, make_regularised, minimiser, relative_error
):
    instance = plant(4, n=20_000, d=6)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    drawn, held = trace_of(problem, hold=0.0), trace_of(problem, hold=0.1)
    assert (drawn["fresh_hessian"] == 1).all()
    fresh = held["fresh_hessian"]
    assert fresh.iloc[0] == 1
    assert fresh.iloc[-1] == 0
    assert fresh.is_monotonic_decreasing  # the Hessian moves less and less
    # A step that goes on with what it has reads A for A p and the gradient alone.
    spent = held[["passes", "grams"]].diff()[fresh == 0]
    assert (spent["passes"] == 2).all()
    assert (spent["grams"] == 0).all()
    # A part of eps0 was set aside for it, and paid for in rows.
    more = held["rows_distinct"].iloc[0] / drawn["rows_distinct"].iloc[0]
    assert more == pytest.approx(1.0 / 0.9**2, rel=0.05)
    x = solve(problem, "approx_newton", eps=1e-11, eps0=0.25, hold=0.1).x
    assert relative_error(x, minimiser(problem)) <= 1e-9


@pytest.mark.parametrize("options", [{"rows": 4000}, {"scores": "uniform"}])
def test_without_a_promised_accuracy_every_step_draws(plant, make_regularised, options):
    instance = plant(4, n=20_000, d=6)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    assert (trace_of(problem, hold=0.5, **options)["fresh_hessian"] == 1).all()


def test_the_seed_fixes_the_run(plant, make_regularised):
    instance = plant(0, n=4000)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    first, again, other = (
        solve(problem, "approx_newton", rows=500, max_steps=3, eps=1e-15, seed=seed).x
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_trace_tells_what_was_drawn_and_timed(plant, make_regularised):
    instance = plant(0, n=4000)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    rows = solve(problem, "approx_newton", rows=500, max_steps=2, eps=1e-15).rows
    last = rows[-1]
    assert 300 < last["rows_distinct"] <= last["rows_drawn"] < 600
    # The rows of two samples, and never a Gram matrix of the whole of A.
    assert last["grams"] == pytest.approx(sum(row["rows_distinct"] for row in rows[1:]) / 4000)
    for phase in ("sketch", "sampling", "hessian", "factor", "line_search"):
        assert last[f"seconds_{phase}"] > 0


def test_it_warns_where_sampling_saves_nothing_or_is_singular(plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 0.1)
    result = solve(problem, "approx_newton", max_steps=2)
    assert len(result.warnings) == 1
    assert "300: none is left out, so this is exact Newton" in result.warnings[0]
    result = solve(problem, "approx_newton", max_steps=2, rows=3)
    assert any("singular" in line for line in result.warnings)
    assert solve(problem, "approx_newton", max_steps=2, rows=200).warnings == ()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("eps0", 0.0),
        ("eps0", 1.0),
        ("delta", 0.0),
        ("delta", 1.0),
        ("constant", 0.0),
        ("rows", 0),
        ("scores", "exact"),
        ("embedding", "gaussian"),
        ("oversampling", 0.5),
        ("reuse", 0.9),
        ("hold", -0.1),
        ("hold", 1.0),
    ],
)
def test_options_out_of_range_are_input_errors_that_name_them(option, value):
    with pytest.raises(InputError, match=rf"solver\.{option}={value}.*approx_newton allows"):
        make_solver("approx_newton", **{option: value})
