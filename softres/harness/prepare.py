"""From checked options to a problem with weights, a start, and a certified minimiser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.certification.cached import certified_minimiser
from softres.certification.minimiser import digest
from softres.data.base import DataSet
from softres.data.instance import Instance
from softres.data.start import StartOptions, starting_point
from softres.data.weights import weight
from softres.harness.settings import Settings
from softres.linalg.spectrum import Spectrum, spectrum
from softres.matrices import as_matrix
from softres.problems import Problem, make_problem
from softres.problems.reference import Certificate

__all__ = ["Prepared", "on_backend", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """An instance, ready to be solved on any backend.

    Attributes
    ----------
    instance
        A and b on the host.
    problem
        The problem on the host in float64, weights included.
    w
        The weight, one number for all rows or shape (n,).
    x0
        The start, shape (d,), on the host.
    minimiser
        x*, shape (d,), on the host.
    certificate
        What is known of x*.
    spectrum
        Singular values of A.
    key
        Hash of A, b, w, the problem and x0.
    """

    instance: Instance
    problem: Problem
    w: float | npt.NDArray[np.float64]
    x0: npt.NDArray[np.float64]
    minimiser: npt.NDArray[np.float64]
    certificate: Certificate
    spectrum: Spectrum
    key: str


@lru_cache(maxsize=1)
def _load(
    data: DataSet, n: int, d: int, R: float | None, seed: int
) -> tuple[Instance, Spectrum, str]:
    """Load an instance; the last one is kept, for a sweep's next job often has the same."""
    instance = data.load(n, d, R, seed)
    return instance, spectrum(as_matrix(instance.A)), digest(instance.A, instance.b)


def prepare(settings: Settings) -> Prepared:
    """Load the data, choose the weights and the start, and find x*.

    Raises
    ------
    InputError
        If the data cannot be used, or a cached file is damaged.
    """
    instance, singular, data_key = _load(
        settings.data, settings.n, settings.d, settings.R, settings.seed
    )

    def problem_with(w: Any) -> Problem:
        return make_problem(settings.problem, instance.A, instance.b, w, **settings.problem_options)

    bare = problem_with(None)
    w: Any = instance.w
    if w is None:
        w = weight(settings.weights, bare, singular.sigma_min)
    problem = problem_with(w)

    def minimiser_from(x0: npt.NDArray[np.float64]) -> tuple[str, Any, Certificate]:
        options = sorted(settings.problem_options.items())
        key = digest(data_key, np.asarray(w), settings.problem, options, x0)
        return key, *certified_minimiser(problem, x0, key)

    default = problem.start()
    if settings.start.kind == "minimiser":
        # x* itself does not depend on how near to it this run starts.
        key, minimiser, certificate = minimiser_from(
            starting_point(StartOptions(), default, None, settings.seed)
        )
        x0 = starting_point(settings.start, default, minimiser, settings.seed)
    else:
        x0 = starting_point(settings.start, default, None, settings.seed)
        key, minimiser, certificate = minimiser_from(x0)
    return Prepared(instance, problem, w, x0, minimiser, certificate, singular, key)


def on_backend(prepared: Prepared, settings: Settings) -> Problem:
    """Return the problem on the run's backend, with pass counters of its own."""
    A = settings.backend.convert(prepared.instance.A)
    return make_problem(
        settings.problem, A, prepared.problem.b, prepared.w, **settings.problem_options
    )
