"""Draw sparsifiers and run the safeguarded Algorithm 1 again and again, by fresh numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.claims.sampling.sampled_gram import Errors, instance_arrays
from softres.certification.minimiser import find_minimiser
from softres.data.seeds import stream
from softres.data.weights import weight
from softres.harness.probe import ProbeContext
from softres.problems import make_problem
from softres.problems.evaluation import Evaluation
from softres.problems.reference import Reference
from softres.sketching import (
    SCHEMES,
    RowSample,
    approximate_scores,
    exact_scores,
    sample_rows,
    sample_size,
)
from softres.solvers import solve
from softres.theory import predicted_steps, proven_rows
from softres.theory.predictions import CONTRACTION

__all__ = [
    "APPROXIMATE",
    "OWN",
    "PROVEN",
    "REGIMES",
    "THEOREM",
    "measure",
]

Matrix = npt.NDArray[np.float64]

#: How rows are drawn: by scores from a sketch, as Algorithm 1 draws them, or so many by exact
#: scores that the lemma is proven.
APPROXIMATE, PROVEN = "approximate", "proven"
#: Weights of whole runs: the theorem's, or the run's own.
THEOREM, OWN = REGIMES = ("theorem", "own")


def measure(context: ProbeContext) -> pd.DataFrame:
    """Repeat the sparsifier and the whole run with fresh random numbers.

    The sparsifiers are of the run's own problem at x*; the whole runs are of the same A and b from
    x0, with the theorem's weights and with the run's own, drawing rows anew at every step.

    Returns
    -------
    One row a repetition. ``part``: ``"sparsifier"`` or ``"run"``; ``draw``, ``sampling``, ``C`` and
    ``rows``: how rows were drawn, and how many; ``failed``: 0 or 1; ``measured``: spectral error
    over eps0, or steps over those that the factor 0.4 predicts; ``factor_H``, ``factor_l2``: the
    factor of a step. Of a sparsifier it is that of one step from near x* in the worst direction;
    of a run the largest of its steps. ``left``: what the rank-two part leaves of A^T D A at x*.
    ``factor_exact``: the largest of exact Newton's steps from the same x0, which no chance enters.
    ``fitted``: the share of the data term that a run takes away.
    """
    options = context.settings.experiment
    rows: list[dict[str, Any]] = []
    for C in options["constants"]:
        rows += _approximate(context, float(C))
    for scheme in SCHEMES:
        rows += _proven(context, scheme)
    for regime in REGIMES:
        rows += _runs(context, float(options["constants"][-1]), regime)
    return pd.DataFrame(rows)


def _approximate(context: ProbeContext, C: float) -> list[dict[str, Any]]:
    """Draw with scores from a sketch, new ones every time."""
    errors = Errors.at(context.prepared.problem.at(context.prepared.minimiser))
    options, problem = context.settings.experiment, context.prepared.problem
    rng = context.rng(f"sparsifiers {C:g}")
    s = sample_size(problem.d, float(options["eps0"]), float(options["delta"]), C)
    root = np.sqrt(errors.diagonal)

    def draw() -> RowSample:
        return sample_rows(approximate_scores(problem.matrix, root, rng), s, rng)

    return _drawn(context, errors, draw, f"worst_{C:g}", {"draw": APPROXIMATE, "C": C, "rows": s})


def _proven(context: ProbeContext, scheme: str) -> list[dict[str, Any]]:
    """Draw as many rows by exact scores as the bound asks for."""
    errors = Errors.at(context.prepared.problem.at(context.prepared.minimiser))
    options, problem = context.settings.experiment, context.prepared.problem
    rng = context.rng(f"proven {scheme}")
    rank = errors.whiten.shape[1]
    s = proven_rows(rank, float(options["eps0"]), float(options["delta"]))
    scores = exact_scores(problem.matrix, np.sqrt(errors.diagonal))
    common = {"draw": PROVEN, "C": float("nan"), "rows": s, "sampling": scheme}
    return _drawn(
        context, errors, lambda: sample_rows(scores, s, rng, scheme), f"worst_{scheme}", common
    )


def _drawn(
    context: ProbeContext, errors: Errors, draw: Any, name: str, common: dict[str, Any]
) -> list[dict[str, Any]]:
    """Compare sparsifier after sparsifier with A^T D A, and keep the worst with its instance."""
    options = context.settings.experiment
    eps0 = float(options["eps0"])
    matrix = errors.point.problem.matrix
    rows: list[dict[str, Any]] = []
    kept: dict[str, Any] = {}
    worst, left = 0.0, errors.left
    for _ in range(int(options["sparsifiers"])):
        sample = draw()
        gram = np.asarray(sample.gram(matrix, errors.diagonal))
        error = errors.spectral(gram)
        in_H, in_l2 = errors.factors(gram)
        found = {"part": "sparsifier", "failed": int(error > eps0), "measured": error / eps0}
        rows.append(
            {"sampling": SCHEMES[0], "regime": OWN}
            | common
            | found
            | {"factor_H": in_H, "factor_l2": in_l2, "left": left}
        )
        if error > worst:
            worst = error
            kept = {"sampled": gram, "index": sample.index, "weight": sample.weight}
    of = instance_arrays(context.prepared.instance, errors.point)
    context.keep(name, **of, **kept, exact=errors.exact, diagonal=errors.diagonal, eps0=eps0)
    return rows


def _runs(context: ProbeContext, C: float, regime: str) -> list[dict[str, Any]]:
    """Run Algorithm 1 from x0, each step with a sample of its own, and keep the worst run's start.

    The solver is the safeguarded variant: the rank-two part exact, steps searched along.
    """
    settings, prepared = context.settings, context.prepared
    options = settings.experiment
    reference = _reference(context, regime)
    problem, start = reference.problem, reference.problem.at(prepared.x0)
    allowed = predicted_steps(settings.eps)
    exact = solve(problem, "exact_newton", prepared.x0, eps=settings.eps, reference=reference)
    chance_free = max((row["contraction_H"] for row in exact.rows[1:]), default=0.0)
    rows: list[dict[str, Any]] = []
    worst = 0.0
    for repetition in range(int(options["runs"][regime])):
        seed = stream(settings.seed, "run", C, repetition)
        result = solve(
            problem,
            "approx_newton",
            prepared.x0,
            eps=settings.eps,
            max_steps=allowed,
            seed=seed,
            reference=reference,
            eps0=float(options["eps0"]),
            # The family's algorithm shares delta out among the steps.
            delta=float(options["delta"]) / allowed,
            constant=C,
            reuse=1.0,
            hold=0.0,
        )
        steps, last = result.rows[1:], result.rows[-1]
        factors = {key: max(row[f"contraction_{key}"] for row in steps) for key in ("H", "l2")}
        failed = not result.status.success or factors["H"] > CONTRACTION
        rows.append(
            {"part": "run", "draw": APPROXIMATE, "regime": regime, "sampling": SCHEMES[0], "C": C}
            | {"rows": last["rows_drawn"], "failed": int(failed)}
            | {"measured": result.steps / allowed, "status": result.status.value}
            | {f"factor_{key}": value for key, value in factors.items()}
            | {"factor_exact": chance_free}
            | {"fitted": 1.0 - last["data_loss"] / result.rows[0]["data_loss"]}
            | {"moved": _moved(reference, start)}
        )
        if factors["H"] > worst:
            worst = factors["H"]
            of = instance_arrays(prepared.instance, reference.point)
            errors = [row["error_H"] for row in result.rows]
            context.keep(f"run_{regime}", **of, x0=prepared.x0, seed=seed, error_H=errors)
    return rows


def _reference(context: ProbeContext, regime: str) -> Reference:
    """Return the minimiser of the run's own problem, or of the one with the theorem's weights."""
    settings, prepared = context.settings, context.prepared
    if regime == OWN:
        return Reference(prepared.problem, prepared.minimiser, prepared.certificate)
    A, b = prepared.instance.A, prepared.instance.b
    bare = make_problem(settings.problem, A, b, **settings.problem_options)
    theorem = replace(settings.weights, name="theorem")
    w = weight(theorem, bare, prepared.spectrum.sigma_min)
    problem = make_problem(settings.problem, A, b, w, **settings.problem_options)
    return Reference(problem, *find_minimiser(problem, prepared.x0))


def _moved(reference: Reference, start: Evaluation) -> float:
    """Return |H(x0) - H(x*)| over the l of the Hessian at x*: M |x0 - x*| / l for the least M."""
    change = np.asarray(start.hessian()) - np.asarray(reference.point.hessian())
    return float(np.linalg.norm(change, 2)) / reference.certificate.smallest_eigenvalue
