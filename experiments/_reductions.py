"""Estimates of A^T D A from few rows, and what they cost beside the exact one."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.harness.probe import ProbeContext
from softres.matrices import DesignMatrix, as_matrix
from softres.sketching import approximate_scores, embedding, sample_rows, sample_size

__all__ = ["SKETCHES", "reduced_gram", "time_grams"]

Matrix = npt.NDArray[np.float64]

#: Leverage sampling is the lemma's; the other two are there for contrast.
SKETCHES = ("leverage", "uniform", "count_sketch")


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
