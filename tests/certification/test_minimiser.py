"""The reference x*: found, certified, cached, and never certified when it is wrong."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from scipy import sparse

from softres.certification import minimiser as certify
from softres.certification.minimiser import digest, find_minimiser
from softres.data.files.shard_writer import write_folder
from softres.data.sets import digits
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.start import StartOptions, starting_point
from softres.linalg.factors import spectral
from softres.matrices import StreamedMatrix
from softres.problems import make_problem
from softres.problems.reference import Certificate, Reference
from softres.solvers.preconditioned import machine
from softres.solvers.preconditioned.machine import Machine

pytestmark = pytest.mark.usefixtures("one_thread")

#: Bytes from memory and from a cache, flops in both precisions and of a factor, sparse entries: a
#: second.
RATES = (1e10, 5e10, 3e10, 6e10, 1e10, 5e8)


def negative_eigenvalues(point):
    return int((np.linalg.eigvalsh(point.hessian()) < 0).sum())


def check(problem, x, certificate):
    """What a certificate says is true of x."""
    assert certificate.certified
    assert certificate.estimated_error <= 1e-11
    values = np.linalg.eigvalsh(problem.hessian(x))
    assert certificate.largest_eigenvalue == pytest.approx(values[-1], rel=1e-6)
    rank = certificate.rank
    assert certificate.smallest_eigenvalue == pytest.approx(values[-rank], rel=1e-6)
    assert certificate.smallest_eigenvalue > 0


def test_every_problem_gets_a_certified_minimiser(plant, make_regularised, problem_name):
    instance = plant(0)
    problem = make_regularised(problem_name, instance.A, instance.b, 1e-2)
    x, certificate = find_minimiser(problem, problem.start())
    check(problem, x, certificate)
    assert certificate.rank == 6


def test_a_minimiser_is_certified_from_itself(make_regularised, problem_name):
    """Where A is ill-conditioned a Newton step there is rounding, yet no small part of none."""
    for seed in range(4):
        options = Synthetic(condition=1e4, rows="coherent")
        instance = make_synthetic(400, 6, 2.0, seed, options)
        problem = make_regularised(problem_name, instance.A, instance.b, 1e-2)
        x, certificate = find_minimiser(problem, problem.start())
        for start in (x, np.nextafter(x, np.inf)):
            again = find_minimiser(problem, start)[1]
            assert again.certified or not certificate.certified, seed


@pytest.mark.parametrize("radius", [1.0, 3.0, 6.0])
def test_minimisers_without_weights_are_certified(plant, make, radius):
    instance = plant(1, radius=radius)
    problem = make("softres", instance.A, instance.b)
    check(problem, *find_minimiser(problem, problem.start()))


def test_an_indefinite_hessian_on_the_way_does_not_mislead(plant, make):
    met = 0
    for seed in range(4):
        instance = plant(seed, radius=6.0)
        problem = make("softres", instance.A, instance.b)
        x0 = starting_point(StartOptions("random", 3.0), np.zeros(6), None, seed)
        met += negative_eigenvalues(problem.at(x0)) > 0
        x, certificate = find_minimiser(problem, x0)
        check(problem, x, certificate)
    assert met >= 2


def test_real_data_of_deficient_rank_are_certified():
    instance = digits.load()
    problem = make_problem("softres", instance.A, instance.b, 1e-4)
    x, certificate = find_minimiser(problem, problem.start())
    check(problem, x, certificate)
    assert certificate.rank == 61
    empty = ~instance.A.any(axis=0)
    assert empty.sum() == 3
    assert np.abs(x[empty]).max() <= 1e-13 * np.linalg.norm(x)


def test_a_saddle_is_left(plant, make):
    instance = plant(0)
    problem = make("cosh", instance.A, instance.b)
    saddle = np.zeros(6)
    assert not problem.gradient(saddle).any()
    assert negative_eigenvalues(problem.at(saddle)) > 0
    x, certificate = find_minimiser(problem, saddle)
    check(problem, x, certificate)
    assert problem.value(x) < problem.value(saddle)


def test_a_start_at_the_minimiser_is_kept(plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 1e-2)
    x, _ = find_minimiser(problem, problem.start())
    again, _ = find_minimiser(problem, x)
    np.testing.assert_allclose(again, x, rtol=1e-12)


def test_the_gradient_is_at_the_level_of_rounding(plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("resnet-tanh", instance.A, instance.b, 1e-2)
    x, certificate = find_minimiser(problem, problem.start())
    terms = np.linalg.norm(instance.A) * np.linalg.norm(problem.at(x).gradient_z)
    wanted = np.linalg.norm(problem.gradient(x)) / terms
    assert wanted <= 1e-14
    assert certificate.relative_gradient == pytest.approx(wanted, rel=1e-6)


@pytest.fixture
def large(monkeypatch):
    """Take every instance to have too many columns for eigendecompositions."""
    monkeypatch.setattr(certify, "DENSE_COLUMNS", 0)


def test_many_columns_give_the_same_minimiser_and_certificate(problem, monkeypatch):
    x, certificate = find_minimiser(problem, problem.start())
    monkeypatch.setattr(certify, "DENSE_COLUMNS", 0)
    monkeypatch.setattr(certify, "spectral", None)  # it must not be needed
    other, same = find_minimiser(problem, problem.start())
    np.testing.assert_allclose(other, x, rtol=1e-11)
    check(problem, other, same)
    assert same.rank == certificate.rank == 6


def test_real_data_of_deficient_rank_need_no_eigendecomposition(large, monkeypatch):
    monkeypatch.setattr(certify, "spectral", None)
    instance = digits.load()
    problem = make_problem("softmax", instance.A, instance.b, 1e-4)
    x, certificate = find_minimiser(problem, problem.start())
    check(problem, x, certificate)
    assert certificate.rank == 61
    assert np.abs(x[~instance.A.any(axis=0)]).max() <= 1e-13 * np.linalg.norm(x)


def test_a_saddle_is_left_with_many_columns(large, plant, make):
    instance = plant(0)
    problem = make("cosh", instance.A, instance.b)
    saddle = np.zeros(6)
    x, certificate = find_minimiser(problem, saddle)
    check(problem, x, certificate)
    assert problem.value(x) < problem.value(saddle)


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, "streamed"])
def test_the_minimiser_does_not_depend_on_the_machine(small, kind, plant, monkeypatch, tmp_path):
    # Large enough for the default solver to go other ways at other rates.
    instance = plant(3, n=2000, d=40, radius=10.0)
    if kind == "streamed":
        manifest = write_folder(tmp_path, [instance.A], instance.b)
        A = StreamedMatrix(manifest.shards(), manifest.checksum, 8 * 40 * 500)
    else:
        A = kind(instance.A)
    if not small:
        monkeypatch.setattr(certify, "DENSE_COLUMNS", 0)
    found = []
    for factors in (
        (1.0,) * 6,
        (100.0, 1.0, 0.01, 1.0, 100.0, 0.01),
        (0.01, 0.01, 100.0, 0.01, 1.0, 100.0),
    ):
        rates = [rate * factor for rate, factor in zip(RATES, factors, strict=True)]
        monkeypatch.setattr(machine, "this_machine", lambda rates=rates: Machine(*rates))
        problem = make_problem("softres", A, instance.b, 1e-4)
        x, certificate = find_minimiser(problem, problem.start())
        assert certificate.certified
        found.append(x)
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def certificate_at(problem, x, x0):
    point = problem.at(x)
    return certify._certificate(point, spectral(point.hessian()), x0)


@pytest.mark.parametrize("error", [1e-2, 1e-4, 1e-6, 1e-8])
def test_a_wrong_point_is_not_certified_and_its_error_is_estimated(plant, make_regularised, error):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 1e-2)
    x0 = problem.start()
    x, _ = find_minimiser(problem, x0)
    direction = np.random.default_rng(0).standard_normal(6)
    wrong = x + error * np.linalg.norm(x - x0) * direction / np.linalg.norm(direction)
    certificate = certificate_at(problem, wrong, x0)
    assert not certificate.certified
    assert certificate.estimated_error == pytest.approx(error, rel=0.1)


def test_a_saddle_is_not_certified(plant, make):
    instance = plant(0)
    problem = make("cosh", instance.A, instance.b)
    certificate = certificate_at(problem, np.zeros(6), np.ones(6))
    assert certificate.relative_gradient == 0
    assert certificate.negative > 0
    assert certificate.smallest_eigenvalue < 0
    assert not certificate.certified


def test_a_solve_that_stops_early_is_not_certified(plant, make, monkeypatch):
    instance = plant(0, radius=6.0)
    problem = make("softres", instance.A, instance.b)
    x0 = problem.start()
    assert find_minimiser(problem, x0)[1].certified
    real = certify.solve
    monkeypatch.setattr(
        certify,
        "solve",
        lambda *arguments, **options: real(*arguments, **options | {"max_steps": 1}),
    )
    monkeypatch.setattr(certify, "ESCAPES", 1)
    assert not find_minimiser(problem, x0)[1].certified


def test_a_hessian_that_is_not_finite_certifies_nothing():
    problem = make_problem("softres", np.eye(3, 2), np.full(3, 1 / 3))
    certificate = certify._certificate(problem.at(np.zeros(2)), None, np.zeros(2))
    assert not certificate.certified
    assert certificate.estimated_error == np.inf


GOOD = Certificate(
    relative_gradient=1e-16,
    estimated_error=1e-15,
    smallest_eigenvalue=1.0,
    largest_eigenvalue=2.0,
    rank=3,
    negative=0,
    gradient_units=1.0,
    interior=True,
    confirmed=True,
)


@pytest.mark.parametrize(
    "flaw",
    [
        {"estimated_error": 1.1e-9},
        {"estimated_error": float("nan")},
        {"negative": 1},
        {"rank": 0},
        {"gradient_units": 101.0},
        {"interior": False},
        {"confirmed": False},
    ],
)
def test_a_certificate_with_one_flaw_is_none(flaw):
    assert GOOD.certified
    assert not replace(GOOD, **flaw).certified


def test_a_start_that_was_not_left_is_no_proof(plant, make_regularised):
    instance = plant(0)
    problem = make_regularised("softres", instance.A, instance.b, 10.0)
    x0 = 0.3 * np.ones(6)  # not stationary, with a positive definite Hessian
    assert np.linalg.norm(problem.gradient(x0)) > 0
    certificate = certificate_at(problem, x0, x0)
    assert certificate.negative == 0
    assert not certificate.certified


@pytest.fixture
def problem(plant, make_regularised):
    instance = plant(0)
    return make_regularised("softres", instance.A, instance.b, 1e-2)


def test_the_digest_is_of_the_content():
    A = np.arange(6.0).reshape(3, 2)
    S = sparse.csr_array(A)
    assert digest(A, "x", 1) == digest(np.asfortranarray(A).copy(), "x", 1)
    assert digest(S) == digest(S.copy())
    changed = A.copy()
    changed[1, 1] = np.nextafter(changed[1, 1], 9)
    different = [
        digest(A),
        digest(changed),
        digest(A.reshape(2, 3)),
        digest(A.astype(np.float32)),
        digest(A.astype(np.int64)),
        digest(S),
        digest(sparse.csr_array(changed)),
        digest(A, "x"),
        digest(A, "y"),
        digest("x", A),
    ]
    assert len(set(different)) == len(different)


@pytest.mark.parametrize(
    ("one", "other"),
    [((1, 23), (12, 3)), (([sparse.csr_array((3, 2))]), ([sparse.csr_array((3, 4))]))],
)
def test_the_digest_tells_where_a_part_ends(one, other):
    assert digest(*one) != digest(*other)


def test_errors_are_measured_in_both_norms(problem):
    x, certificate = find_minimiser(problem, problem.start())
    reference = Reference(problem, x, certificate)
    step = np.random.default_rng(0).standard_normal(6)
    H = problem.hessian(x)
    errors = reference.errors(problem.at(x + step))
    assert errors["l2"] == pytest.approx(np.linalg.norm(step), rel=1e-12)
    assert errors["H"] == pytest.approx(sqrt(step @ H @ step), rel=1e-10)
    assert reference.errors(problem.at(x)) == {"l2": 0.0, "H": 0.0}


@pytest.mark.parametrize(("condition", "certified"), [(1e4, True), (3e7, False)])
def test_a_direction_that_the_hessian_does_not_see_is_no_minimiser(condition, certified, make):
    # The loss can be 0; beyond the root of rounding the Hessian does not show the way.
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.standard_normal((300, 10)))[0] * 300**0.5
    V = np.linalg.qr(rng.standard_normal((10, 10)))[0]
    A = (U * np.geomspace(1.0, 1.0 / condition, 10)) @ V.T
    b = np.exp(0.3 * U @ rng.standard_normal(10)) / 300
    problem = make("exp", A, b)
    x, certificate = find_minimiser(problem, np.zeros(10))
    assert certificate.certified is certified
    assert not certified or problem.value(x) < 1e-12


@pytest.mark.parametrize("name", ["softmax", "exp"])
def test_a_target_that_can_be_met_is_certified_whatever_the_rank(name, make):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((100, 4)) @ rng.standard_normal((4, 6)) / 4
    u = np.exp(A @ (0.3 * rng.standard_normal(6)))
    problem = make(name, A, u / u.sum() if name == "softmax" else u / 100)
    x, certificate = find_minimiser(problem, np.zeros(6))
    assert certificate.certified
    assert certificate.rank == 4
    assert problem.value(x) < 1e-20
