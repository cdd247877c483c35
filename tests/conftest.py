"""What several test modules share: kinds of A, planted instances, problems by name."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from softres.common import discovery
from softres.matrices.backends import BackendOptions, as_numpy
from softres.matrices.dense import DenseNumpy
from softres.problems import PROBLEMS as CLASSES
from softres.problems import Problem, make_problem
from softres.problems.links import BRANCHES
from softres.problems.rescaled import LINKS
from softres.solvers import solve
from softres.solvers.preconditioned import machine
from softres.solvers.preconditioned.machine import NOMINAL

#: Every problem of one layer, with each branch of the ResNet-style one: name and options. That of
#: several layers and that of a matrix, whose A are others, have tests of their own.
PROBLEMS: dict[str, tuple[str, dict[str, str]]] = {
    **{name: (name, {}) for name in CLASSES if name not in {"resnet", "multilayer", "matrix"}},
    **{f"resnet-{branch}": ("resnet", {"branch": branch}) for branch in BRANCHES},
}
#: The rescaled problem with its other links, which only its closed forms are told apart by.
RESCALED = {f"rescaled-{link}": ("rescaled", {"link": link}) for link in LINKS if link != "exp"}

HOST_KINDS = ("dense-numpy", "sparse-numpy", "dense-torch", "sparse-torch")
DEVICE_KINDS = ("dense-cuda", "sparse-cuda")


@dataclass(frozen=True)
class Kind:
    """A storage of A: dense or sparse, NumPy or torch, on the host or on a device."""

    name: str

    @property
    def is_sparse(self) -> bool:
        return self.name.startswith("sparse")

    @property
    def is_torch(self) -> bool:
        return not self.name.endswith("numpy")

    def __call__(self, A: np.ndarray, dtype: str = "float64") -> Any:
        """Return a dense host matrix in this storage."""
        library = self.name.split("-")[1]
        options = {
            "numpy": BackendOptions("numpy", dtype=dtype),
            "torch": BackendOptions("torch", dtype=dtype),
            "cuda": BackendOptions("torch", "cuda", dtype),
        }[library]
        return options.convert(sparse.csr_array(A) if self.is_sparse else A)


#: Each storage; a sparse one on a device goes the ways of a dense one there, and waits its turn.
KINDS = (*HOST_KINDS, "dense-cuda", pytest.param("sparse-cuda", marks=pytest.mark.slow))


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each storage of A in turn."""
    return Kind(request.param)


@pytest.fixture(autouse=True)
def _card_or_stand_in(request: pytest.FixtureRequest):
    """Let the stand-in take a card's place in tests of a device, where there is no card."""
    chosen = request.node.callspec.params.values() if hasattr(request.node, "callspec") else ()
    if not any(isinstance(value, str) and value in DEVICE_KINDS for value in chosen):
        yield
        return
    import torch
    from stand_in import card

    with nullcontext() if torch.cuda.is_available() else card():
        yield


@pytest.fixture(scope="session")
def kind_named():
    """Return a function that gives a storage by its name."""
    return Kind


@pytest.fixture(params=list(PROBLEMS))
def problem_name(request: pytest.FixtureRequest) -> str:
    """Each problem of the harness in turn."""
    return request.param


@pytest.fixture(params=[*PROBLEMS, *RESCALED])
def closed_form(request: pytest.FixtureRequest) -> str:
    """Each problem in turn, and each link of the rescaled one."""
    return request.param


@pytest.fixture(scope="module")
def one_thread():
    """Keep BLAS and torch to one thread: on matrices this small, more are slower."""
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def record_property(record_property):
    """Record what a test measured as plain numbers or text, which go from process to process."""

    def record(name: str, value: object) -> None:
        array = np.asarray(value)
        record_property(name, array.tolist() if array.dtype.kind in "biuf" else str(value))

    return record


@pytest.fixture(autouse=True)
def _rates_are_nominal(monkeypatch):
    """Give solvers the nominal rates: what a test says of their steps holds on every machine."""
    monkeypatch.setattr(machine, "this_machine", lambda cache=None: NOMINAL)


@pytest.fixture(autouse=True)
def _plugins_end_with_a_test(monkeypatch):
    """Forget what a test adds to the solvers, problems, ... that there are."""
    known = {kind: dict(found) for kind, found in discovery._plugins.items()}
    monkeypatch.setattr(discovery, "_plugins", known)


@pytest.fixture(autouse=True)
def _nobodys_store(monkeypatch):
    """Keep the tests out of a store that the environment names."""
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def make():
    """Return a function that makes a problem by its name in PROBLEMS."""

    def make_by_name(name: str, A: Any, b: Any, w: Any = None) -> Problem:
        problem, options = (PROBLEMS | RESCALED)[name]
        return make_problem(problem, A, b, w, **options)

    return make_by_name


@pytest.fixture(scope="session")
def make_regularised(make):
    """Return a function that makes a problem with weights relative to its curvature.

    w^2 is a multiple of the largest entry of v^2 / alpha^2 at the start.
    """

    def make_relative(name: str, A: Any, b: Any, factor: float) -> Problem:
        bare = make(name, A, b)
        largest = float(bare.at(bare.start()).gauss_newton_diagonal.max())
        return make(name, A, b, math.sqrt(factor * largest))

    return make_relative


@dataclass(frozen=True)
class Planted:
    """An instance whose targets come from a planted x."""

    A: np.ndarray
    b: np.ndarray
    x: np.ndarray


@pytest.fixture(scope="session")
def plant():
    """Return a function that makes planted instances.

    A is Gaussian with |A| = radius and |x| = radius; b is proportional to max(u(A x), 0) of the
    soft-residual link, times exp(noise xi) for Gaussian xi.
    """

    def make_planted(
        seed: int,
        n: int = 300,
        d: int = 6,
        *,
        radius: float = 3.0,
        noise: float = 0.2,
        density: float = 1.0,
    ) -> Planted:
        rng = np.random.default_rng([seed, n, d])
        A = rng.standard_normal((n, d))
        if density < 1.0:
            A *= rng.random((n, d)) < density
        A *= radius / np.linalg.norm(A, 2)
        x = rng.standard_normal(d)
        x *= radius / np.linalg.norm(x)
        z = A @ x
        b = np.maximum(np.exp(z) + z, 0.0) * np.exp(noise * rng.standard_normal(n))
        return Planted(A, b / b.sum(), x)

    return make_planted


@pytest.fixture(scope="session")
def minimiser():
    """Return a function that solves a problem to the floor of the arithmetic, x on the host."""

    def find(problem: Problem) -> np.ndarray:
        result = solve(problem, "exact_newton", eps=1e-14, max_steps=100)
        assert result.status.success, result.status
        return as_numpy(result.x)

    return find


@pytest.fixture(scope="session")
def relative_error():
    """Return the norm-relative error of an array of any backend against a host array."""

    def compute(actual: Any, expected: Any) -> float:
        actual, expected = as_numpy(actual), as_numpy(expected)
        return float(np.linalg.norm(actual - expected) / np.linalg.norm(expected))

    return compute


@pytest.fixture(scope="session")
def derivative_errors(relative_error):
    """Return the errors of a problem's value and derivatives at x against a loss in torch."""
    import torch

    def compute(problem: Problem, loss: Any, x: np.ndarray, p: np.ndarray) -> dict[str, float]:
        at = torch.from_numpy(x)
        hessian = torch.autograd.functional.hessian(loss, at)
        gradient = torch.autograd.functional.jacobian(loss, at)
        convert = problem.matrix.asarray
        product = hessian @ torch.from_numpy(p)
        return {
            "value": abs(problem.value(convert(x)) / float(loss(at)) - 1.0),
            "gradient": relative_error(problem.gradient(convert(x)), gradient),
            "hessian": relative_error(problem.hessian(convert(x)), hessian),
            "hvp": relative_error(problem.hvp(convert(x), convert(p)), product),
        }

    return compute


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    """Close what a test has drawn: open figures add up, and warn."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def in_single(monkeypatch):
    """Record for each Gram matrix of a dense NumPy A whether float32 was asked for."""
    asked: list[bool] = []
    gram = DenseNumpy.gram

    def watched(self, weights, rows=None, single=False):
        asked.append(single)
        return gram(self, weights, rows, single)

    monkeypatch.setattr(DenseNumpy, "gram", watched)
    return asked


@pytest.fixture
def offline(monkeypatch):
    """Refuse every connection and every process, as a machine without a network would."""

    def refuse(*_, **__):
        raise AssertionError("a complete cache must start no process and open no connection")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
