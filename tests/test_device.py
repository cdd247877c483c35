"""On a device: what a card refuses never happens, and what is solved there stays there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse
from stand_in import OnCard, card

import softres
from softres.matrices.backends import BackendOptions
from softres.problems.reference import Reference

pytestmark = pytest.mark.usefixtures("one_thread")

SOLVERS = ("exact_newton", "approx_newton", "preconditioned_newton", "torch_lbfgs")


@pytest.fixture
def stand_in():
    """Take the place of a device, also where there is one: a card counts nothing."""
    with card() as made:
        yield made


@pytest.fixture(scope="module")
def instance(plant):
    return plant(0, n=400, d=6)


def on_card(A, b, name="SoftResidualRegression"):
    A = BackendOptions("torch", "cuda").convert(A)
    return getattr(softres, name)(A, torch.from_numpy(b).to("cuda"), 1e-3)


def test_the_stand_in_refuses_what_a_card_refuses(stand_in):
    here, there = torch.ones(3), torch.ones(3, device="cuda")
    assert (there.device.type, there.is_cuda, here.device.type) == ("cuda", True, "cpu")
    with pytest.raises(RuntimeError, match="same device"):
        here + there
    with pytest.raises(RuntimeError, match="same device"):
        torch.stack([here, there])
    with pytest.raises(TypeError, match="numpy"):
        np.asarray(there)
    assert stand_in.waited == 0
    assert type(2.0 * there[:2] + 1.0) is OnCard


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("__float__", lambda x: float(x[0])),
        ("__bool__", lambda x: bool(x[0] > 0)),
        ("item", lambda x: x[0].item()),
        ("tolist", lambda x: x.tolist()),
        ("nonzero", lambda x: x.nonzero()),
        ("__getitem__", lambda x: x[x > 0]),
        ("cpu", lambda x: x.cpu()),
        ("cpu", lambda x: x.to("cpu")),
    ],
)
def test_the_stand_in_counts_what_a_host_waits_for(stand_in, name, read):
    there = torch.ones(3, device="cuda")
    read(there)
    assert stand_in.waits == {name: 1}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_solvers_give_the_answers_of_the_cpu_there(stand_in, instance, solver, storage):
    A, b = storage(instance.A), instance.b
    cpu = softres.SoftResidualRegression(BackendOptions("torch").convert(A), b, 1e-3)
    expected = softres.solve(cpu, solver, eps=1e-8, max_steps=500)
    result = softres.solve(on_card(A, b), solver, eps=1e-8, max_steps=500)
    assert type(result.x) is OnCard
    assert result.status is expected.status
    np.testing.assert_allclose(result.x.cpu(), expected.x, rtol=1e-6, atol=1e-9)


def test_many_targets_stay_there(stand_in, instance):
    B = np.stack([instance.b, instance.b[::-1]], axis=1)
    problem = softres.ManyTargets(BackendOptions("torch", "cuda").convert(instance.A), B, 1e-3)
    assert type(softres.solve(problem).X) is OnCard


def test_errors_there_are_against_the_minimiser_of_the_host(stand_in, instance):
    host = softres.certify(softres.SoftResidualRegression(instance.A, instance.b, 1e-3))
    problem = on_card(instance.A, instance.b)
    reference = Reference(problem, host.x, host.certificate)
    result = softres.solve(problem, reference=reference, eps=1e-8)
    assert type(result.x) is OnCard
    assert result.trace["relative_error_l2"].iloc[-1] <= 1e-8


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(
    "name", ["SoftResidualRegression", "SoftmaxRegression", "ResNetRegression"]
)
@pytest.mark.parametrize(
    ("solver", "most"),
    [("exact_newton", 3), ("preconditioned_newton", 3), ("gradient_descent", 3)],
)
def test_a_step_makes_the_host_wait_three_times(stand_in, instance, solver, most, name, storage):
    problem, waited = on_card(storage(instance.A), instance.b, name), [0]

    def count(row, point):
        further = max(0.0, row.get("trials", 1.0) - 1.0) + row.get("corrections", 0.0) * 2
        waited.append(stand_in.waited)
        if row["step"] > 1 and row["estimate"] > 1e-8:  # at its end a solve is looked at
            assert waited[-1] - waited[-2] <= most + further

    softres.solve(problem, solver, eps=1e-8, max_steps=12, callback=count)
    assert len(waited) > 2
