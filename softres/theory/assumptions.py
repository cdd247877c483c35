"""The assumptions of Theorem 9.1, checked on an instance: which hold, and by what figure."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, log10

from softres.data.weights import WeightOptions
from softres.linalg.spectrum import Spectrum
from softres.problems.evaluation import Evaluation
from softres.theory.predictions import log10_lipschitz_recalled

__all__ = ["SEGMENT", "Assumption", "check_assumptions", "lowest_log_alpha"]

#: Points between x0 and x* at which alpha is looked at, both ends included.
SEGMENT = 17
#: Rounding by which a norm that was scaled to R may exceed it, and a sum its bound.
SLACK = 1 + 1e-9


@dataclass(frozen=True)
class Assumption:
    """One assumption of the theorem.

    Attributes
    ----------
    id
        Short name, used as the key when logged.
    statement
        What the theorem asks for.
    figure
        What was found, as text.
    holds
        Whether it holds on this instance.
    value, bound
        The two sides compared, on the scale of ``figure``; logged as numbers.
    """

    id: str
    statement: str
    figure: str
    holds: bool
    value: float
    bound: float


def lowest_log_alpha(start: Evaluation, minimum: Evaluation) -> float:
    """Return the least log(alpha) on the segment from x0 to x*, the path known beforehand.

    The path that a solver really takes is in its trace, column ``log_alpha``. No pass over A.
    """
    problem = start.problem
    points = (
        problem.at(start.x, start.z + (k / (SEGMENT - 1)) * (minimum.z - start.z))
        for k in range(SEGMENT)
    )
    return min(point.log_alpha for point in points)


def check_assumptions(
    *,
    start: Evaluation,
    minimum: Evaluation,
    spectrum: Spectrum,
    R: float,
    weights: WeightOptions,
    smallest_eigenvalue: float,
) -> list[Assumption]:
    """Check each assumption of Theorem 9.1.

    Parameters
    ----------
    start, minimum
        Evaluations at x0 and at the certified x*, on the host.
    spectrum
        Of A.
    R
        The radius the theorem is read with: it bounds |A|_2 and |x*|.
    weights
        Brings the constants C and l.
    smallest_eigenvalue
        Of the Hessian at x*: the l that really holds there, for the basin's radius.

    Notes
    -----
    M = beta^-2 n^1.5 exp(20 R^2) and C are recalled from the family of papers, not quoted.
    """
    checks = [
        _norm_of_A(spectrum, R),
        _norm_of_x(minimum, R),
        _weights(start, spectrum, weights),
        _target(start),
    ]
    if start.problem.normalised:
        lowest = lowest_log_alpha(start, minimum)
        checks += [
            _alpha(start, lowest),
            _start(start, minimum, R, lowest, smallest_eigenvalue),
        ]
    return checks


def _norm_of_A(spectrum: Spectrum, R: float) -> Assumption:
    return Assumption(
        "A_norm",
        "|A|_2 <= R",
        f"|A|_2 = {spectrum.sigma_max:.4g}, R = {R:.4g}",
        spectrum.sigma_max <= R * SLACK,
        spectrum.sigma_max,
        R,
    )


def _norm_of_x(minimum: Evaluation, R: float) -> Assumption:
    norm = float(minimum.x @ minimum.x) ** 0.5
    return Assumption("x_norm", "|x*| <= R", f"|x*| = {norm:.4g}, R = {R:.4g}", norm <= R, norm, R)


def _weights(start: Evaluation, spectrum: Spectrum, weights: WeightOptions) -> Assumption:
    least = float(start.problem.w2.min())
    sigma_min = spectrum.sigma_min
    needed = weights.constant + weights.l / sigma_min**2 if sigma_min > 0 else inf
    return Assumption(
        "weights",
        "min w^2 >= C + l / sigma_min^2",
        f"{least:.3g}, needed {needed:.4g} (C = {weights.constant:g})",
        least >= needed / SLACK,
        least,
        needed,
    )


def _target(start: Evaluation) -> Assumption:
    b = start.problem.b
    least, total = float(b.min()), start.problem.sum_of_shares()
    return Assumption(
        "target",
        "b >= 0, sum(b) <= 1",
        f"min b = {least:.3g}, sum b = {total:.6g}",
        least >= 0 and total <= SLACK,
        total,
        1.0,
    )


def _alpha(start: Evaluation, lowest: float) -> Assumption:
    """Check alpha >= beta, for the least log(alpha) between x0 and x*."""
    log_beta = _log_beta(start)
    return Assumption(
        "alpha",
        "alpha >= beta, x0 to x*",
        f"min alpha = {_exp(lowest)}, beta = {start.problem.beta:.3g}",
        lowest >= log_beta,
        lowest / log(10),
        log_beta / log(10),
    )


def _start(
    start: Evaluation, minimum: Evaluation, R: float, lowest: float, smallest_eigenvalue: float
) -> Assumption:
    """Check that x0 lies in the basin, on a scale of log10.

    The sharpest beta that holds between x0 and x* gives the theorem its best M.
    """
    moved = minimum.x - start.x
    distance = float(moved @ moved) ** 0.5
    log10_M = log10_lipschitz_recalled(start.problem.n, R, max(lowest, _log_beta(start)))
    left = log10_M + log10(distance) if distance > 0 else -inf
    l_found = max(smallest_eigenvalue, 0.0)
    right = log10(0.1 * l_found) if l_found > 0 else -inf
    return Assumption(
        "start",
        "M |x0 - x*| <= 0.1 l",
        f"10^{left:.1f} against 10^{right:.1f}",
        left <= right,
        left,
        right,
    )


def _log_beta(start: Evaluation) -> float:
    beta = start.problem.beta
    return log(beta) if beta > 0 else -inf


def _exp(log_value: float) -> str:
    return f"{exp(log_value):.4g}" if log_value < 700 else f"10^{log_value / log(10):.1f}"
