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
    problem = start.problem
    b, w2 = problem.b, problem.w2
    norm_x = float(minimum.x @ minimum.x) ** 0.5
    moved = minimum.x - start.x
    distance = float(moved @ moved) ** 0.5
    least_w2 = float(w2.min())
    bound_w2 = (
        weights.constant + weights.l / spectrum.sigma_min**2 if spectrum.sigma_min > 0 else inf
    )
    total = float(b.sum())
    slack = 1 + 1e-9  # a norm that was scaled to R exceeds it by rounding
    checks = [
        Assumption(
            "A_norm",
            "|A|_2 <= R",
            f"|A|_2 = {spectrum.sigma_max:.4g}, R = {R:.4g}",
            spectrum.sigma_max <= R * slack,
            spectrum.sigma_max,
            R,
        ),
        Assumption(
            "x_norm", "|x*| <= R", f"|x*| = {norm_x:.4g}, R = {R:.4g}", norm_x <= R, norm_x, R
        ),
        Assumption(
            "weights",
            "min w^2 >= C + l / sigma_min^2",
            f"min w^2 = {least_w2:.3g}, needed {bound_w2:.4g} (C = {weights.constant:g})",
            least_w2 >= bound_w2 / slack,
            least_w2,
            bound_w2,
        ),
        Assumption(
            "target",
            "b >= 0, sum(b) <= 1",
            f"min b = {float(b.min()):.3g}, sum b = {total:.6g}",
            float(b.min()) >= 0 and total <= slack,
            total,
            1.0,
        ),
    ]
    if problem.normalised:
        lowest = lowest_log_alpha(start, minimum)
        beta = problem.beta
        log_beta = log(beta) if beta > 0 else -inf
        checks.append(
            Assumption(
                "alpha",
                "alpha >= beta, x0 to x*",
                f"min alpha = {_exp(lowest)}, beta = {beta:.3g}",
                lowest >= log_beta,
                lowest / log(10),
                log_beta / log(10),
            )
        )
        # The sharpest beta that holds on the segment gives the theorem its best M.
        tightest = max(lowest, log_beta)
        log10_M = log10_lipschitz_recalled(problem.n, R, tightest)
        left = log10_M + log10(distance) if distance > 0 else -inf
        l_found = max(smallest_eigenvalue, 0.0)
        right = log10(0.1 * l_found) if l_found > 0 else -inf
        checks.append(
            Assumption(
                "start",
                "M |x0 - x*| <= 0.1 l",
                f"10^{left:.1f} against 10^{right:.1f}",
                left <= right,
                left,
                right,
            )
        )
    return checks


def _exp(log_value: float) -> str:
    return f"{exp(log_value):.4g}" if log_value < 700 else f"10^{log_value / log(10):.1f}"
