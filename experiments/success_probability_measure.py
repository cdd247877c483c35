"""Draw sparsifiers and run Algorithm 1 again and again with fresh random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from softres.data.seeds import stream
from softres.harness.probe import ProbeContext
from softres.reference import Reference
from softres.sketching import approximate_scores, sample_rows, sample_size
from softres.solvers import solve
from softres.theory import predicted_steps

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Repeat the sparsifier and the whole run with fresh random numbers.

    Returns
    -------
    One row a repetition: ``part``, ``failed`` (0 or 1), ``measured`` (spectral error over eps0,
    or steps over the predicted steps) and ``C`` of the sample's size.
    """
    options = context.settings.experiment
    rows: list[dict[str, Any]] = []
    for C in options["constants"]:
        rows += _sparsifiers(context, float(C), int(options["sparsifiers"]))
        rows += _runs(context, float(C), int(options["runs"]))
    return pd.DataFrame(rows)


def _sparsifiers(context: ProbeContext, C: float, repetitions: int) -> list[dict[str, Any]]:
    options, prepared = context.settings.experiment, context.prepared
    eps0, delta = float(options["eps0"]), float(options["delta"])
    rng = context.rng(f"sparsifiers {C:g}")
    matrix = prepared.problem.matrix
    D = np.asarray(prepared.problem.at(prepared.minimiser).gauss_newton.diagonal)
    exact = np.asarray(matrix.gram(D))
    values, vectors = np.linalg.eigh(exact)
    # Where A lacks rank, as real data may, both matrices vanish outside of its row space.
    there = values > len(values) * np.finfo(float).eps * values[-1]
    whiten = vectors[:, there] / np.sqrt(values[there])
    size = sample_size(prepared.problem.d, eps0, delta, C)
    rows: list[dict[str, Any]] = []
    worst = 0.0
    for _ in range(repetitions):
        sample = sample_rows(approximate_scores(matrix, np.sqrt(D), rng), size, rng)
        gram = np.asarray(sample.gram(matrix, D))
        off = np.linalg.eigvalsh(whiten.T @ (gram - exact) @ whiten)
        error = float(np.abs(off).max())
        rows.append(_row("sparsifier", C, error > eps0, error / eps0))
        if error > worst:
            worst = error
            context.keep(
                "worst",
                exact=exact,
                sampled=gram,
                index=sample.index,
                weight=sample.weight,
                diagonal=D,
            )
    return rows


def _runs(context: ProbeContext, C: float, repetitions: int) -> list[dict[str, Any]]:
    settings, prepared = context.settings, context.prepared
    options = settings.experiment
    reference = Reference(prepared.problem, prepared.minimiser, prepared.certificate)
    allowed = predicted_steps(settings.eps)
    rows = []
    for repetition in range(repetitions):
        seed = stream(settings.seed, "run", C, repetition)
        result = solve(
            prepared.problem,
            "approx_newton",
            prepared.x0,
            eps=settings.eps,
            max_steps=allowed,
            seed=seed,
            reference=reference,
            eps0=float(options["eps0"]),
            delta=float(options["delta"]),
            constant=C,
        )
        failed = not result.status.success
        rows.append(_row("run", C, failed, result.steps / allowed))
    return rows


def _row(part: str, C: float, failed: bool, measured: float) -> dict[str, Any]:
    return {"part": part, "C": C, "failed": int(failed), "measured": measured}
