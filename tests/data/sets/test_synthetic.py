"""Made-up instances have the spectrum, coherence, sparsity, solution and noise that were asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from softres.common.errors import InputError
from softres.data.sets.synthetic import ROW_KINDS, Synthetic, check_size, make_synthetic
from softres.matrices import as_matrix
from softres.problems import make_problem
from softres.sketching import exact_scores

PLAIN = Synthetic()


def singular_values(A):
    return np.linalg.svd(A.toarray() if sparse.issparse(A) else A, compute_uv=False)


def leverage(A):
    return exact_scores(as_matrix(A), np.ones(A.shape[0]))


@pytest.mark.parametrize("condition", [1.0, 10.0, 1e8])
@pytest.mark.parametrize("rows", ROW_KINDS)
def test_norm_and_condition_of_a_dense_matrix_are_exact(rows, condition):
    A = make_synthetic(120, 8, 4.0, 0, Synthetic(rows=rows, condition=condition)).A
    values = singular_values(A)
    assert values[0] == pytest.approx(4.0, rel=1e-12)
    # The smallest singular value is known to rounding in |A|.
    assert values[-1] == pytest.approx(4.0 / condition, rel=1e-12 + 1e-14 * condition)


def test_singular_values_are_spaced_evenly_in_the_logarithm():
    values = singular_values(make_synthetic(100, 7, 2.0, 0, Synthetic(condition=1e3)).A)
    np.testing.assert_allclose(np.diff(np.log10(values)), -0.5, rtol=1e-8)


def test_the_smallest_singular_value_can_be_set_itself():
    values = singular_values(make_synthetic(100, 6, 4.0, 0, Synthetic(sigma_min=0.3)).A)
    assert values[0] == pytest.approx(4.0, rel=1e-12)
    assert values[-1] == pytest.approx(0.3, rel=1e-12)


@pytest.mark.parametrize("ones", [None, 0, 1, 7])
def test_a_coherent_matrix_has_as_many_rows_of_leverage_one_as_asked(ones):
    A = make_synthetic(200, 8, 4.0, 0, Synthetic(rows="coherent", leverage_ones=ones)).A
    scores = leverage(A)
    wanted = 2 if ones is None else ones  # by default a quarter of d
    top = np.sort(scores)[::-1]
    np.testing.assert_allclose(top[:wanted], 1.0, rtol=1e-10)
    assert top[wanted] < 0.9
    assert scores.sum() == pytest.approx(8, rel=1e-10)


def test_heavy_tailed_rows_are_more_coherent_than_gaussian_ones():
    for seed in range(3):
        gaussian, heavy = (
            leverage(make_synthetic(400, 8, 4.0, seed, Synthetic(rows=rows)).A).max()
            for rows in ("gaussian", "heavy_tailed")
        )
        assert gaussian < 0.15  # a few times d / n = 0.02
        assert heavy > 3 * gaussian


def test_rows_along_the_axes_share_the_leverage_of_their_axis_equally():
    A = make_synthetic(400, 8, 4.0, 0, Synthetic(rows="axes")).A
    assert len(np.unique(A.round(12), axis=0)) == 8
    np.testing.assert_allclose(leverage(A), 8 / 400, rtol=1e-10)


def test_near_duplicates_lie_along_twice_as_many_directions_as_columns():
    A = make_synthetic(400, 8, 4.0, 0, Synthetic(rows="duplicates", condition=1.0)).A
    cosines = np.abs(A @ A[:16].T) / np.linalg.norm(A, axis=1)[:, None]
    cosines /= np.linalg.norm(A[:16], axis=1)
    assert np.unique(A, axis=0).shape == A.shape
    np.testing.assert_allclose(cosines[np.arange(400), np.arange(400) % 16], 1.0, atol=1e-3)


@pytest.mark.parametrize("rows", ["gaussian", "heavy_tailed"])
def test_a_sparse_matrix_has_the_density_and_the_norm_asked_for(rows):
    options = Synthetic(density=0.1, rows=rows, condition=1.0)
    instance = make_synthetic(500, 10, 4.0, 0, options)
    assert sparse.issparse(instance.A)
    assert instance.A.format == "csr"
    assert instance.nnz == 500
    assert singular_values(instance.A)[0] == pytest.approx(4.0, rel=1e-12)


def test_the_condition_of_a_sparse_matrix_is_near_the_one_asked_for():
    for condition in (1.0, 100.0):
        options = Synthetic(density=0.2, condition=condition)
        values = singular_values(make_synthetic(2000, 10, 4.0, 0, options).A)
        assert condition / 2 <= values[0] / values[-1] <= 2 * condition


@pytest.mark.parametrize("noise", [0.0, 0.5, 10.0])
@pytest.mark.parametrize("planted", [0.0, 4.0, 1e3])
def test_the_target_is_a_share_whatever_the_noise_and_the_planted_solution(noise, planted):
    b = make_synthetic(100, 5, 4.0, 0, Synthetic(noise=noise, planted_norm=planted)).b
    assert b.min() >= 0
    assert b.sum() == pytest.approx(1.0, rel=1e-12)


def test_the_planted_solution_has_the_norm_asked_for_or_that_of_the_matrix():
    for asked, norm in ((None, 3.0), (0.7, 0.7), (0.0, 0.0)):
        planted = make_synthetic(50, 4, 3.0, 0, Synthetic(planted_norm=asked)).planted
        assert np.linalg.norm(planted) == pytest.approx(norm, rel=1e-12)


def test_without_noise_the_planted_solution_fits_exactly():
    # Small enough that exp(z) + z > 0 in every row: elsewhere no share can follow the model.
    options = Synthetic(noise=0.0, planted_norm=0.5)
    instance = make_synthetic(200, 5, 4.0, 0, options)
    problem = make_problem("softres", instance.A, instance.b)
    np.testing.assert_allclose(problem.at(instance.planted).f, instance.b, rtol=1e-12)
    noisy = make_synthetic(200, 5, 4.0, 0, replace(options, noise=0.5))
    assert np.abs(problem.at(instance.planted).f / noisy.b - 1).max() > 0.1


@pytest.mark.parametrize("options", [PLAIN, Synthetic(density=0.3)])
def test_the_same_seed_gives_the_same_instance_and_another_seed_another(options):
    first, again, other = (make_synthetic(60, 4, 4.0, seed, options) for seed in (3, 3, 4))
    as_array = np.asarray if options.density == 1 else lambda A: A.toarray()
    np.testing.assert_array_equal(as_array(first.A), as_array(again.A))
    np.testing.assert_array_equal(first.b, again.b)
    np.testing.assert_array_equal(first.planted, again.planted)
    for ours, theirs in ((as_array(first.A), as_array(other.A)), (first.planted, other.planted)):
        assert np.abs(ours - theirs).max() > 0.01


def test_each_role_has_random_numbers_of_its_own():
    base = make_synthetic(60, 4, 4.0, 0, PLAIN)
    quiet = make_synthetic(60, 4, 4.0, 0, replace(PLAIN, noise=0.1))
    np.testing.assert_array_equal(quiet.A, base.A)
    np.testing.assert_array_equal(quiet.planted, base.planted)
    assert np.abs(quiet.b - base.b).max() > 1e-4

    near = make_synthetic(60, 4, 4.0, 0, replace(PLAIN, planted_norm=1.0))
    np.testing.assert_array_equal(near.A, base.A)
    np.testing.assert_allclose(near.planted, base.planted / 4, rtol=1e-14)

    coherent = make_synthetic(60, 4, 4.0, 0, replace(PLAIN, rows="coherent"))
    np.testing.assert_array_equal(coherent.planted, base.planted)
    assert np.abs(coherent.A - base.A).max() > 0.01


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"condition": 0.5}, r"data\.condition=0\.5: allowed is 1 to 1e12"),
        ({"condition": float("nan")}, r"data\.condition=nan: allowed"),
        ({"sigma_min": 0.0}, r"data\.sigma_min=0\.0: allowed is a positive"),
        ({"rows": "typo"}, r"data\.rows=typo: allowed is gaussian, heavy_tailed, coherent"),
        ({"leverage_ones": -1}, r"data\.leverage_ones=-1: allowed is 0 or more"),
        ({"density": 0.0}, r"data\.density=0\.0: allowed is 0 < density <= 1"),
        ({"density": 1.5}, r"data\.density=1\.5: allowed"),
        ({"planted_norm": -1.0}, r"data\.planted_norm=-1\.0: allowed is 0 to 1e6"),
        ({"noise": -0.1}, r"data\.noise=-0\.1: allowed is 0 to 10"),
        ({"noise": 11.0}, r"data\.noise=11\.0: allowed"),
        ({"density": 0.5, "rows": "coherent"}, r"data\.density=0\.5: .* other rows need"),
        ({"density": 0.5, "rows": "axes"}, r"data\.density=0\.5: .* other rows need"),
        ({"density": 0.5, "sigma_min": 0.1}, r"data\.density=0\.5: .* not sigma_min"),
    ],
)
def test_an_option_out_of_range_is_named_with_its_value(options, message):
    with pytest.raises(InputError, match=message):
        Synthetic(**options)


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        ((3, 5), {}, r"n=3: .* n >= d=5"),
        ((0, 0), {}, r"n=0: "),
        (
            (9, 4),
            {"rows": "coherent", "leverage_ones": 4},
            r"leverage_ones=4: allowed is at most 3",
        ),
        (
            (4, 4),
            {"rows": "coherent", "leverage_ones": 5},
            r"leverage_ones=5: allowed is at most 4",
        ),
        ((9, 4), {"sigma_min": 5.0}, r"data\.sigma_min=5\.0: allowed is at most R=4"),
    ],
)
def test_options_that_do_not_fit_the_size_are_refused_before_anything_is_made(
    size, options, message
):
    for function in (check_size, lambda n, d, R, o: make_synthetic(n, d, R, 0, o)):
        with pytest.raises(InputError, match=message):
            function(*size, 4.0, Synthetic(**options))


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("rows", ROW_KINDS)
def test_the_smallest_sizes_work(rows, n):
    A = make_synthetic(n, 4, 4.0, 1, Synthetic(rows=rows)).A
    assert singular_values(A)[[0, -1]] == pytest.approx([4.0, 0.4], rel=1e-12)


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_a_planted_solution_that_leaves_no_share_is_refused(seed):
    with pytest.raises(InputError, match=f"seed={seed}.*planted"):
        make_synthetic(1, 1, 4.0, seed, PLAIN)


def test_a_density_that_leaves_no_entry_is_refused():
    with pytest.raises(InputError, match=r"data\.density=1e-06"):
        make_synthetic(100, 5, 4.0, 0, Synthetic(density=1e-6))
