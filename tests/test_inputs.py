"""What cannot be used is refused in one line that names it and says what is allowed."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

import softres
from softres import InputError, ManyTargets, SoftmaxRegression, make_problem, solve
from softres.matrices import as_matrix
from softres.problems.reference import Certificate, Reference
from softres.solvers import make_solver
from softres.solvers.exact_newton import ExactNewton
from softres.solvers.preconditioned.preconditioned_newton import PreconditionedNewton

RNG = np.random.default_rng(0)
A = RNG.standard_normal((20, 3)) / 3
B = RNG.dirichlet(np.ones(20))
PROBLEM = SoftmaxRegression(A, B, 0.1)
MANY = ManyTargets(A, np.stack([B, B[::-1]], axis=1), 0.1, problem="softmax")


def refused(call, *words):
    """Check that a call ends in an error of one line with these words in it."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300
    for word in words:
        assert word in message, message


# --- Arrays -------------------------------------------------------------------------------------

#: Values that are no array of real numbers, whatever the array's part is.
NOT_REAL = {
    "masked": (lambda x: np.ma.masked_less(x, 0.02), "masked"),
    "complex": (lambda x: x + 0j, "complex128"),
    "complex tensor": (lambda x: torch.tensor(x + 0j), "complex128"),
    "meta tensor": (lambda x: torch.tensor(x, device="meta"), "meta"),
    "objects": (lambda x: x.astype(object), "object"),
    "strings": (lambda x: x.astype(str), "<U"),
    "dates": (lambda x: (1e9 * x).astype("datetime64[s]"), "datetime64"),
    "a word": (lambda x: "values", "=values: allowed is an array"),
    "bytes": (lambda x: b"values", "allowed is an array"),
    "a class": (lambda x: np.ndarray, "the class ndarray"),
    "a function": (lambda x: np.sin, "allowed is an array"),
    "a dict": (lambda x: {"A": x}, "allowed is an array"),
    "ragged": (lambda x: [[1.0], [2.0, 3.0]], "allowed is an array"),
    "an object": (lambda x: object(), "object"),
    "None": (lambda x: None, "None"),
    "frame": (pd.DataFrame, "to_numpy"),
    "empty": (lambda x: x[:0], "0"),
    "no axes": (lambda x: np.float64(1.0), "shape"),
}

PARTS = {
    "A": (A, lambda x: SoftmaxRegression(x, B)),
    "b": (B, lambda x: SoftmaxRegression(A, x)),
    "w": (B, lambda x: SoftmaxRegression(A, B, x)),
    "x0": (A[0], lambda x: solve(PROBLEM, x0=x)),
    "x": (A[0], PROBLEM.value),
    "p": (A[0], lambda x: PROBLEM.hvp(A[0], x)),
    "B": (MANY.B, lambda x: ManyTargets(A, x, problem="softmax")),
}
#: What stands for an argument that was left out, and w as one number.
ALLOWED = {("w", "None"), ("x0", "None"), ("w", "no axes")}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("case", NOT_REAL)
def test_what_is_no_array_of_real_numbers_is_refused_by_name(part, case):
    if (part, case) in ALLOWED:
        pytest.skip("has a meaning")
    (values, use), (spoil, word) = PARTS[part], NOT_REAL[case]
    with pytest.raises(InputError, match=f"^{part}[ =:]") as caught:
        use(spoil(values))
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [part for part in PARTS if part != "A"])
def test_vectors_of_another_kind_than_a_are_refused(part):
    values, use = PARTS[part]
    refused(lambda: use(torch.tensor(values)), f"{part} is a torch tensor and A is on NumPy")
    refused(lambda: use(values > 0.1), f"{part} has dtype bool")
    refused(lambda: use(sparse.csr_array(np.atleast_2d(values))), f"{part} is sparse")


def test_host_vectors_and_tensors_go_with_a_tensor():
    problem = SoftmaxRegression(torch.tensor(A), torch.tensor(B, requires_grad=True), 0.1)
    x = torch.tensor(A[0], requires_grad=True)
    assert problem.value(x) == pytest.approx(PROBLEM.value(A[0]), rel=1e-14)
    assert problem.value(A[0]) == problem.value(x)
    refused(lambda: problem.value(torch.tensor(A[0]).to_sparse()), "x is sparse")


@pytest.mark.parametrize("layout", ["bsr", "bsc"])
def test_a_tensor_of_blocks_is_refused_and_columns_are_taken(layout):
    tensor = torch.tensor(A[:18])
    with warnings.catch_warnings(action="ignore"):  # torch's, that these are in beta
        blocks = getattr(tensor, f"to_sparse_{layout}")((2, 3))
        columns = tensor.to_sparse_csc()
    refused(lambda: as_matrix(blocks), "A has the layout", "sparse_csr")
    np.testing.assert_array_equal(as_matrix(columns).tensor.to_dense().numpy(), A[:18])


def _quiet():
    from softres.matrices.sparse_torch import quiet_csr

    return quiet_csr()


def test_a_meta_tensor_has_no_numbers():
    refused(lambda: SoftmaxRegression(torch.tensor(A, device="meta"), B), "A is a meta tensor")


@pytest.mark.parametrize(
    "w", [1j, np.complex128(1.0), "0.1", True, [0.1], math.nan, 10**400, torch.tensor(1j), {}]
)
def test_weights_that_are_no_number(w):
    with pytest.raises(InputError, match=r"^w[ =:]"):
        SoftmaxRegression(A, B, w)


@pytest.mark.parametrize("w", [0.5, 1, np.float32(0.5), np.array(0.5), torch.tensor(0.5)])
def test_weights_that_are_one(w):
    assert (SoftmaxRegression(A, B, w).w == float(w)).all()


def test_a_value_that_single_precision_cannot_hold_is_refused():
    single = A.astype(np.float32)
    refused(lambda: SoftmaxRegression(single, np.zeros(20), 1e200), "w: its squares")
    refused(lambda: make_problem("sinh", single, np.full(20, 1e200)), "b holds NaN or infinite")
    refused(lambda: make_problem("sinh", A, np.full(20, 1e308)), "b: the target n b leaves")


# --- Shares -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["softmax", "softres"])
def test_shares_sum_to_at_most_one(name):
    refused(lambda: make_problem(name, A, 3 * B), "b: shares sum to at most 1", "sum to 3")
    refused(lambda: ManyTargets(A, 3 * MANY.B, problem=name), "B: shares sum to at most 1")
    for b in (B, 0.5 * B, 0 * B, B.astype(np.float32), B * (1 + 1e-6)):
        assert make_problem(name, A, b).b.sum() <= 1 + 1e-4
    assert make_problem("sinh", A, 3 * B).target.sum() == pytest.approx(60)


def test_b_and_w_are_copies():
    b, w = B.copy(), np.full(20, 0.1)
    problem = SoftmaxRegression(A, b, w)
    before = problem.value(A[0])
    b[:] = w[:] = 0.0
    assert SoftmaxRegression(A, problem.b, problem.w).value(A[0]) == before


# --- Arguments of solve -------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [None, A, "softmax", SoftmaxRegression, 3])
def test_only_problems_are_solved(problem):
    refused(lambda: solve(problem), "problem=", "SoftResidualRegression", "ManyTargets")


@pytest.mark.parametrize(
    ("key", "values"),
    {
        "eps": ["1e-6", None, 0, 1, -1e-3, math.nan, 1j, True, A, [1e-6]],
        "max_steps": [math.nan, 2.5, 200.0, 0, -1, "10", None, True, math.inf, A],
        "time_limit": ["1", 0, -1.0, math.nan, math.inf, True, [1.0]],
        "seed": [-1, 0.5, "0", None, True, np.arange(3)],
        "solver": [ExactNewton, None, 3, ["exact_newton"], "newton", PROBLEM],
        "callback": [3, "print"],
        "log": [3],
        "reference": [A[0], "x", Reference],
    }.items(),
)
@pytest.mark.parametrize("problem", [PROBLEM, MANY], ids=["one", "many"])
def test_an_argument_of_another_kind_is_refused_by_name(problem, key, values):
    for value in values:
        with pytest.raises(InputError, match=rf"^{key}[ =:]") as caught:
            solve(problem, **{key: value})
        assert "\n" not in str(caught.value)


def test_numbers_of_numpy_are_numbers():
    result = solve(PROBLEM, eps=np.float32(1e-6), max_steps=np.int64(30), seed=np.uint8(1))
    assert result.status.success


SOLVER_OPTIONS = {
    "memory": ("preconditioned_newton", [2.5, 0, math.nan, "8", True, None]),
    "factor": ("preconditioned_newton", ["none", None, 3]),
    "rates": ("preconditioned_newton", ["fast", None, 3]),
    "oversampling": ("approx_newton", [math.inf, math.nan, "4", None]),
    "eps0": ("approx_newton", [math.nan, "0.1", 1j, None, A]),
    "reuse": ("approx_newton", [math.inf, math.nan]),
    "constant": ("approx_newton", [math.inf, math.nan, 0.0]),
    "rows": ("approx_newton", [2.5, 0, math.inf, "10", True]),
    "scores": ("approx_newton", [None, 1, ["leverage"]]),
    "variant": ("approx_newton", [None, 1, ["paper"]]),
    "embedding": ("approx_newton", [None, {}]),
    "power_iterations": ("gradient_descent", [1.5, math.inf, True]),
    "growth": ("gradient_descent", [math.nan, "2"]),
    "history": ("torch_lbfgs", [2.5, math.inf, None]),
}


@pytest.mark.parametrize("option", SOLVER_OPTIONS)
def test_an_option_of_another_kind_is_refused_by_name(option):
    solver, values = SOLVER_OPTIONS[option]
    for value in values:
        refused(lambda value=value: solve(PROBLEM, solver, **{option: value}), f"solver.{option}=")


@pytest.mark.parametrize("megabytes", [0, -1.0, math.nan, math.inf, "256", None, True, A])
def test_the_budget_of_many_targets_is_a_positive_number(megabytes):
    refused(lambda: solve(MANY, megabytes=megabytes), "megabytes=", "a positive number")


def test_many_targets_have_no_other_options():
    refused(lambda: solve(MANY, memory=8), "memory", "megabytes")
    refused(lambda: solve(MANY, PreconditionedNewton()), "preconditioned_newton or exact_newton")


@pytest.mark.parametrize(
    "call",
    [
        lambda: make_problem(["softmax"], A, B),
        lambda: make_problem("resnet", A, B, branch=["exp"]),
        lambda: make_problem("cosh", A, B, function="sinh"),
        lambda: make_problem("softres", A, B, beta="1"),
        lambda: make_problem("softres", A, B, beta=math.nan),
        lambda: make_problem("softmax", A, B, beta=1j),
        lambda: make_solver(ExactNewton),
        lambda: make_solver(["exact_newton"]),
        lambda: Reference(None, A[0], None),
        lambda: Reference(PROBLEM, A[0], None),
        lambda: Reference(PROBLEM, A[:, 0], Certificate(0, 0, 1, 1, 3, 0, 0, True, True)),
        lambda: ManyTargets(A, MANY.B, problem=None),
    ],
)
def test_other_entries_refuse_too(call):
    refused(call)


def test_a_reference_of_another_problem_is_refused():
    theirs = Reference(PROBLEM, A[0], Certificate(0, 0, 1, 1, 3, 0, 0, True, True))
    refused(
        lambda: solve(SoftmaxRegression(A[:, :2], B), reference=theirs), "reference: its x has 3"
    )
    on_torch = SoftmaxRegression(torch.tensor(A), B)
    refused(lambda: solve(on_torch, reference=theirs), "reference", "torch")


# --- Callbacks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["gradient_norm", "solve_seconds", "step", "loss"])
def test_a_callback_cannot_overwrite_a_column(column):
    refused(lambda: solve(PROBLEM, callback=lambda row, point: {column: 0.0}), column, "callback")
    before = solve(PROBLEM).rows[0]

    def spoil(row, point):
        row[column] = -1.0

    for key in ("callback", "log"):
        row = solve(PROBLEM, **{key: spoil}).rows[0]
        assert set(row) == set(before)
        assert row[column] >= 0.0


def test_a_callback_returns_columns_or_nothing():
    refused(lambda: solve(PROBLEM, callback=lambda row, point: 3.0), "callback returned 3.0")


# --- Storage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("used", [False, True])
def test_a_problem_over_a_csr_tensor_pickles(used):
    with _quiet():
        tensor = torch.tensor(A * (A > 0)).to_sparse_csr()
    problem = SoftmaxRegression(tensor, B, 0.1)
    if used:
        problem.gradient(A[0])
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.gradient(A[0]), problem.gradient(A[0]))
    assert solve(again).status.success


def test_a_pickled_csr_problem_is_read_by_a_new_process_without_a_warning(tmp_path):
    with _quiet():
        tensor = torch.tensor(A).to_sparse_csr()
    path = tmp_path / "problem.pickle"
    path.write_bytes(pickle.dumps(SoftmaxRegression(tensor, B)))
    code = f"import pickle; print(pickle.load(open({str(path)!r}, 'rb')).value([0.0] * 3))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == SoftmaxRegression(A, B).value(np.zeros(3))


def test_public_names_are_there():
    assert all(getattr(softres, name) for name in softres.__all__)
