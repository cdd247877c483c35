"""Estimates of A^T D A from few rows: their errors, and what they cost beside the exact one."""

from __future__ import annotations

from math import log, sqrt
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from softres.harness.probe import ProbeContext
from softres.matrices import DesignMatrix, as_matrix
from softres.sketching import approximate_scores, embedding, sample_rows, sample_size

__all__ = ["SKETCHES", "measure", "reduced_gram", "time_grams"]


Matrix = npt.NDArray[np.float64]


#: Leverage sampling is the lemma's; the other two are there for contrast.
SKETCHES = ("leverage", "uniform", "count_sketch")


def measure(context: ProbeContext) -> pd.DataFrame:
    """Measure spectral errors over rows drawn, and seconds over the size of A.

    D is the diagonal of the Gauss-Newton matrix at x*, which is positive as the lemma asks.

    Returns
    -------
    Rows of two kinds, told apart by ``part``. ``"error"``: one sketch, with its ``error`` and the
    ``eps0`` that the lemma promises for as many rows. ``"time"``: ``seconds`` of one sketch
    and of the exact Gram matrix, by ``nnz``.
    """
    options = context.settings.experiment
    rng = context.rng("sketches")
    prepared = context.prepared
    matrix, d = prepared.problem.matrix, prepared.problem.d
    D = np.asarray(prepared.problem.at(prepared.minimiser).gauss_newton.diagonal)
    exact = np.asarray(matrix.gram(D))
    values, vectors = np.linalg.eigh(exact)
    whiten = vectors / np.sqrt(values)
    constant, delta = float(options["constant"]), float(options["delta"])
    sizes = {int(multiple) * d for multiple in options["multiples"]}
    sizes |= {sample_size(d, float(eps0), delta, constant) for eps0 in options["eps0"]}
    rows: list[dict[str, Any]] = []
    worst = 0.0
    for s in sorted(sizes):
        promised = sqrt(constant * d * max(1.0, log(d / delta)) / s)
        for name in SKETCHES:
            for repetition in range(int(options["repetitions"])):
                gram = reduced_gram(name, matrix, D, s, rng)
                off = whiten.T @ (gram - exact) @ whiten
                error = float(np.abs(np.linalg.eigvalsh(off)).max())
                rows.append(
                    {
                        "part": "error",
                        "sketch": name,
                        "rows": s,
                        "rows_over_d": s / d,
                        "eps0": promised,
                        "repetition": repetition,
                        "error": error,
                    }
                )
                if name == "leverage" and error / promised > worst:
                    worst = error / promised
                    context.keep("worst", exact=exact, sampled=gram, rows=s, diagonal=D)
    return pd.DataFrame(rows + time_grams(context))


def reduced_gram(
    name: str, matrix: DesignMatrix, D: Matrix, s: int, rng: np.random.Generator
) -> Matrix:
    """Return an estimate of A^T D A, shape (d, d), from s rows, by one of :data:`SKETCHES`."""
    n = matrix.shape[0]
    if name == "count_sketch":
        S = embedding("count_sketch", s, n, rng)
        S.data *= np.sqrt(D)
        reduced = np.asarray(matrix.sketch(S))
        return np.asarray(reduced.T @ reduced)
    leverage = name == "leverage"
    scores = approximate_scores(matrix, np.sqrt(D), rng) if leverage else np.ones(n)
    return np.asarray(sample_rows(scores, s, rng).gram(matrix, D))


def time_grams(context: ProbeContext) -> list[dict[str, Any]]:
    """Time sketch with sampling against the exact Gram matrix; alternating, one at a time."""
    options = context.settings.experiment["timing"]
    if not options["n"] or context.settings.seed != 0:
        return []
    rng = context.rng("timing")
    found = []
    for n in options["n"]:
        d = int(options["d"])
        instance = context.settings.data.load(int(n), d, context.settings.R, 0)
        design, D = as_matrix(instance.A), np.ones(int(n))
        s = sample_size(d, float(options["eps0"]), 0.01, 1.0)
        for repetition in range(int(options["repetitions"]) + 1):
            for name in ("exact", "leverage"):
                start = perf_counter()
                if name == "exact":
                    design.gram(D)
                else:
                    reduced_gram("leverage", design, D, s, rng)
                seconds = perf_counter() - start
                if repetition > 0:  # the first warms caches and memory
                    found.append(
                        {
                            "part": "time",
                            "sketch": name,
                            "rows": s,
                            "nnz": float(design.nnz),
                            "width": d,
                            "seconds": seconds,
                        }
                    )
    return found
