"""Estimates of A^T D A from few rows: their errors, and what they cost beside the exact one."""

from __future__ import annotations

from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.claims.sampling.sampled_gram import Errors, instance_arrays
from softres.harness.probe import ProbeContext
from softres.matrices import DesignMatrix, as_matrix
from softres.sketching import approximate_scores, embedding, sample_rows, sample_size

__all__ = ["EXACT", "SKETCHES", "measure", "reduced_gram", "time_grams"]

Vector = npt.NDArray[np.float64]

#: Leverage sampling is the lemma's; the other two are there for contrast.
SKETCHES = ("leverage", "uniform", "count_sketch")
#: What a sketch's time is compared with: the Gram matrix of all rows.
EXACT = "exact"


def measure(context: ProbeContext) -> pd.DataFrame:
    """Measure spectral errors over rows drawn, and seconds over the size of A.

    D is the diagonal of the Gauss-Newton matrix at x*, which is positive as the lemma asks.

    Returns
    -------
    Rows of two kinds, told apart by ``part``. ``"error"``: one sketch, with the ``rows`` drawn and
    its spectral ``error``. ``"time"``: processor ``seconds`` of one sketch and of the exact Gram
    matrix, by ``n``, ``d`` and ``nnz``.
    """
    options = context.settings.experiment
    rng = context.rng("sketches")
    prepared = context.prepared
    matrix, d = prepared.problem.matrix, prepared.problem.d
    errors = Errors.at(prepared.problem.at(prepared.minimiser))
    constant, delta = float(options["constant"]), float(options["delta"])
    sizes = {int(multiple) * d for multiple in options["multiples"]}
    sizes |= {sample_size(d, float(eps0), delta, constant) for eps0 in options["eps0"]}
    rows: list[dict[str, Any]] = []
    worst = 0.0
    for repetition in range(int(options["repetitions"])):
        for s in sorted(sizes):
            for name in SKETCHES:
                gram, arrays = reduced_gram(name, matrix, errors.diagonal, s, rng)
                error = errors.spectral(gram)
                rows.append(
                    {"part": "error", "sketch": name, "rows": s, "rows_over_d": s / d}
                    | {"repetition": repetition, "error": error}
                )
                # The promise goes with the root of the rows.
                if name == "leverage" and error * s**0.5 > worst:
                    worst = error * s**0.5
                    of = instance_arrays(prepared.instance, errors.point)
                    arrays |= {"exact": errors.exact, "sampled": gram, "rows": s}
                    context.keep("worst", **of, **arrays, diagonal=errors.diagonal)
    return pd.DataFrame(rows + time_grams(context))


def reduced_gram(
    name: str, matrix: DesignMatrix, D: Vector, s: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """Return an estimate of A^T D A, shape (d, d), from s rows, by one of :data:`SKETCHES`.

    And, where rows are sampled, which ones with what weights.
    """
    n = matrix.shape[0]
    if name == "count_sketch":
        S = embedding("count_sketch", s, n, rng)
        S.data *= np.sqrt(D)
        reduced = np.asarray(matrix.sketch(S))
        return np.asarray(reduced.T @ reduced), {}
    leverage = name == "leverage"
    scores = approximate_scores(matrix, np.sqrt(D), rng) if leverage else np.ones(n)
    sample = sample_rows(scores, s, rng)
    drawn = {"index": sample.index, "weight": sample.weight}
    return np.asarray(sample.gram(matrix, D)), drawn


def time_grams(context: ProbeContext) -> list[dict[str, Any]]:
    """Time scores, sample and its Gram matrix against the exact one, alternating.

    On matrices without structure, for seconds do not depend on any; once in a sweep.
    """
    settings = context.settings
    options = settings.experiment["timing"]
    once = settings.seed == 0 and getattr(settings.data, "rows", None) == "gaussian"
    if not options["n"] or not once:
        return []
    rng = context.rng("timing")
    found = []
    for d in options["d"]:
        s = sample_size(int(d), float(options["eps0"]), 0.01, 1.0)
        for n in options["n"]:
            design = as_matrix(rng.standard_normal((int(n), int(d))))
            D = np.ones(int(n))
            for repetition in range(int(options["repetitions"]) + 1):
                for name in (EXACT, "leverage"):
                    start = process_time()
                    if name == EXACT:
                        design.gram(D)
                    else:
                        reduced_gram(name, design, D, s, rng)
                    seconds = process_time() - start
                    if repetition > 0:  # the first warms caches and memory
                        found.append(
                            {"part": "time", "sketch": name, "rows": s, "n": float(n)}
                            | {"d": float(d), "nnz": float(design.nnz), "seconds": seconds}
                        )
    return found
