"""Whether Gauss-Newton steps get anywhere, or a saddle may be near."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

__all__ = ["Stagnation"]

#: Gauss-Newton steps with a new factor that contract by less than half, while the error does not
#: halve, before a saddle is suspected.
SADDLE_PATIENCE = 6


@dataclass
class Stagnation:
    """Counts weak Gauss-Newton steps; it changes in place.

    Attributes
    ----------
    weak_steps
        Steps with a new Gauss-Newton factor that contracted by less than half, since the estimated
        error last halved.
    least_estimate
        The least estimated error since the first of them.
    """

    weak_steps: int = 0
    least_estimate: float = inf

    @property
    def suspects_saddle(self) -> bool:
        """Whether Gauss-Newton has got nowhere for so long that a saddle may be near."""
        return self.weak_steps >= SADDLE_PATIENCE

    def note(self, contraction: float, estimate: float, *, exact: bool) -> None:
        """Take in a step with a new factor.

        Parameters
        ----------
        contraction
            By how much the step shrank the error.
        estimate
            The estimated relative error after it.
        exact
            Whether the factor was the Hessian's, and not Gauss-Newton's.
        """
        if not exact and contraction > 0.5:
            self.weak_steps += 1
        elif estimate <= 0.5 * self.least_estimate:
            # A single good step is no progress where the next one undoes it.
            self.weak_steps = 0
        self.least_estimate = min(self.least_estimate, estimate) if self.weak_steps else estimate

    def restart(self) -> None:
        """Forget the steps: the next one is of another kind."""
        self.weak_steps, self.least_estimate = 0, inf
