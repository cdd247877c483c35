"""An instance as softres gets it: arrays of a library, and a start; and as the judge gets it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from frames import Loss
from instances import Instance, draw

from softres.certification.minimiser import find_minimiser
from softres.problems import make_problem

__all__ = ["arrays", "branch_of", "host", "loss_of", "options_of", "start_of"]


def branch_of(instance: Instance, problem: Any) -> str:
    """Return the branch or the link of the problem that is solved, the instance's or another."""
    if problem.name == "rescaled":
        return instance.branch
    return str(getattr(problem.link, "branch", ""))


def options_of(name: str, branch: str) -> dict[str, str]:
    """Return a problem's options."""
    if not branch:
        return {}
    return {"link" if name == "rescaled" else "branch": branch}


def loss_of(instance: Instance, problem: Any, target: int) -> Loss:
    """Return the numbers of an instance's target, for the judge."""
    w = np.zeros(len(instance.A)) if instance.w is None else instance.w
    branch = branch_of(instance, problem)
    b, unit = instance.B[:, target], problem.unit
    return Loss(problem.name, branch, instance.A, b, w, problem.beta, unit)


def host(values: Any) -> Any:
    """Return an array of any library in NumPy's doubles."""
    return np.asarray(values.numpy() if hasattr(values, "numpy") else values, dtype=np.float64)


def start_of(instance: Instance, problem: Any) -> Any:
    """Return x0 of the problem's kind; ``None`` for its own."""
    if instance.start == "default":
        return None
    rng = np.random.default_rng((instance.number, 2))
    if instance.start == "minimiser":
        found = _minimiser(instance.number, problem.name, branch_of(instance, problem))
        return problem.matrix.asarray(found)
    norms = np.linalg.norm(instance.A, axis=0)
    with np.errstate(over="ignore", divide="ignore"):
        size = 3.0 * np.sqrt(len(instance.A)) / np.where(norms > 0, norms, 1.0)
    return problem.matrix.asarray(rng.standard_normal(problem.d) * size / np.sqrt(problem.d))


@lru_cache(maxsize=4)
def _minimiser(number: int, name: str, branch: str) -> Any:
    """Return x* of an instance's first target, in doubles."""
    instance = draw(number)
    b, options = instance.B[:, 0], options_of(name, branch)
    problem = make_problem(name, instance.A, b, instance.w, **options)
    return find_minimiser(problem, problem.start())[0]


def arrays(instance: Instance) -> tuple[Any, Any, Any]:
    """Return A, B and w as the kind of array that the instance asks for."""
    A, B, w = instance.A, instance.B, instance.w
    if instance.kind.endswith("32"):
        A, B = A.astype(np.float32), B.astype(np.float32)
        w = None if w is None else w.astype(np.float32)
    if instance.kind == "sparse":
        from scipy import sparse

        return sparse.csr_array(A), B, w
    if instance.kind.startswith("torch"):
        import torch

        return torch.tensor(A), torch.tensor(B), None if w is None else torch.tensor(w)
    return A, B, w
