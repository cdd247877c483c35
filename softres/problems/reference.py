"""The certified minimiser that errors are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import norm
from softres.common.checks import shown
from softres.common.errors import InputError
from softres.matrices import given_array
from softres.problems.evaluation import Evaluation
from softres.problems.problem import Problem

__all__ = ["Certificate", "Reference"]

#: Relative error that a certified minimiser is known to.
CERTIFIED = 1e-9
#: Units of rounding up to which the gradient of a certified minimiser is none.
GRADIENT_UNITS = 100.0


@dataclass(frozen=True)
class Certificate:
    """What is known of a computed minimiser x*.

    Attributes
    ----------
    relative_gradient
        |g(x*)| over |A|_F |gradient in z|: its rounding floor is about 1e-16.
    estimated_error
        |H^+ g| / |x* - x0|, the size of one more Newton step: how well x* is known. Relative to
        |x*| where x0 is x* to rounding.
    smallest_eigenvalue, largest_eigenvalue
        Of the Hessian at x*, on the range of A^T.
    rank
        Rank of the Hessian at x*; d where the minimiser is isolated.
    negative
        Negative eigenvalues of the Hessian at x*; 0 at a minimiser.
    gradient_units
        The largest entry of g(x*) in units of what rounding makes of it.
    interior
        Whether x* lies inside alpha >= beta, and not where the loss falls towards that boundary.
    confirmed
        Whether the gradient and the curvature were seen to be a local minimiser's, direction by
        direction; up to 600 columns.
    """

    relative_gradient: float
    estimated_error: float
    smallest_eigenvalue: float
    largest_eigenvalue: float
    rank: int
    negative: int
    gradient_units: float
    interior: bool
    confirmed: bool

    @property
    def certified(self) -> bool:
        """Whether x* is a minimiser, known to a relative error of 1e-9 or better."""
        curved = self.negative == 0 and self.rank > 0
        return (
            curved
            and self.interior
            and self.confirmed
            and self.estimated_error <= CERTIFIED
            and self.gradient_units <= GRADIENT_UNITS
        )


class Reference:
    """A minimiser x* with its certificate, and the norms that errors are measured in.

    Parameters
    ----------
    problem
        The problem, on the backend that the iterates will be on.
    x
        x*, shape (d,), on the host in float64.
    certificate
        What is known of x*.

    Raises
    ------
    InputError
        If an argument is of another kind, or x of another shape.

    Examples
    --------
    >>> import numpy as np, softres
    >>> problem = softres.SoftmaxRegression(np.eye(3, 2), [0.6, 0.3, 0.1], w=0.1)
    >>> reference = softres.certify(problem)
    >>> softres.solve(problem, x0=reference.x, reference=reference).steps
    0
    """

    def __init__(
        self, problem: Problem, x: npt.NDArray[np.float64], certificate: Certificate
    ) -> None:
        if not isinstance(problem, Problem):
            raise InputError(f"problem={shown(problem)}: allowed is a regression problem")
        if not isinstance(certificate, Certificate):
            raise InputError(f"certificate={shown(certificate)}: allowed is a Certificate")
        self.problem = problem
        self.x = x
        self.certificate = certificate
        self.point: Evaluation = problem.at(given_array(problem.matrix, "x", x, (problem.d,)))

    def errors(self, point: Evaluation) -> dict[str, float]:
        """Return |x - x*| in the Euclidean norm and in the norm of the Hessian at x*.

        Keys ``"l2"`` and ``"H"``. One pass over A.
        """
        difference = point.x - self.point.x
        return {"l2": norm(difference), "H": self.norm_H(difference)}

    def reached(self, error: float) -> bool:
        """Whether an error in the Euclidean norm is no more than x* itself is rounded by."""
        return error <= 2.0 * self.problem.unit * float(np.linalg.norm(self.x))

    def norm_H(self, difference: Any) -> float:
        """Return the norm of a vector of shape (d,) in the Hessian at x*."""
        image = self.problem.matrix.matmul(difference)
        return sqrt(max(0.0, self.point.curvature.quadratic(image)))
