"""When a factor is brought up to date: predicted savings against predicted prices."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, log

from softres.solvers.preconditioned.cost_model import CostModel, FactorPlan

__all__ = ["Progress", "RefreshPolicy"]

#: Contraction that a step is expected to have once rows have been brought up to date.
UPDATED_CONTRACTION = 0.05
#: The same after the Hessian has been formed anew.
REBUILT_CONTRACTION = 0.1
#: Contraction worse than which forming it anew is considered, after two such steps.
SLOW_CONTRACTION = 0.3
#: Estimated error after the first step without a factor beyond which there will be no second: on
#: well-conditioned instances it was at most 0.07, on the others at least 1.
PROMISING_ERROR = 0.2
#: Contraction better than which corrections with the same Hessian are considered.
CORRECTION_CONTRACTION = 0.5
#: Most slow steps between two Hessians formed anew where that did not help.
MAX_SLOW_STEPS = 16
#: Price of a Cholesky factor, in steps, above which every one has to pay for itself.
EXPENSIVE = 3.0
#: Price of a factor, in steps, below which it is not worth a step to try without.
TRIAL_PRICE = 2.0


@dataclass
class Progress:
    """How the last steps went; it changes in place.

    Attributes
    ----------
    dual_norm
        The gradient in the norm of M^-1, an estimate of the error in the norm of the Hessian.
    previous_dual_norm
        The same before the last step, with the M of then; infinite where that is unknown.
    estimate
        The estimated relative error.
    slow_steps
        Steps in a row that contracted by less than :data:`SLOW_CONTRACTION`.
    before_row_update
        Contraction before rows were last updated although the change was spread over many more;
        0 where they never were.
    patience
        Slow steps after which forming the Hessian anew is considered.
    before_rebuild
        Contraction before the Hessian was last formed anew, until the step after it; then 0.
    steps
        Steps since the contraction was last forgotten.
    estimate_at_rebuild
        The estimated relative error where the Hessian was last formed anew.
    """

    dual_norm: float = inf
    previous_dual_norm: float = inf
    estimate: float = 1.0
    slow_steps: int = 0
    before_row_update: float = 0.0
    patience: int = 2
    before_rebuild: float = 0.0
    steps: int = 0
    estimate_at_rebuild: float = 1.0

    @property
    def contraction(self) -> float:
        """By how much the last step shrank the error; 0 where that is unknown."""
        previous = self.previous_dual_norm
        return self.dual_norm / previous if 0 < previous < inf else 0.0

    def note(self, dual_norm: float, estimate: float) -> None:
        """Take in a step."""
        self.steps += 1
        self.previous_dual_norm, self.dual_norm = self.dual_norm, dual_norm
        self.estimate = min(1.0, estimate)
        self.slow_steps = self.slow_steps + 1 if self.contraction > SLOW_CONTRACTION else 0
        if self.before_rebuild:
            # Far from a solution no quadratic model is good for long, however fresh.
            helped = self.contraction <= 0.5 * self.before_rebuild
            self.patience = 2 if helped else min(2 * self.patience, MAX_SLOW_STEPS)
            self.before_rebuild = 0.0

    def note_rebuild(self) -> None:
        """Note that the Hessian is being formed anew."""
        self.before_rebuild, self.slow_steps = self.contraction, 0
        self.estimate_at_rebuild = self.estimate

    def restart(self) -> None:
        """Forget the contraction: the norm it is measured in has changed."""
        self.previous_dual_norm = self.dual_norm = inf
        self.slow_steps = self.steps = 0


@dataclass(frozen=True)
class RefreshPolicy:
    """Decides by cost: each method compares what a change would save with what it would cost.

    Attributes
    ----------
    costs
        Predicted seconds of the parts of a step.
    plan
        The factor that the solve starts from.
    eps
        The relative error that is asked for.
    """

    costs: CostModel
    plan: FactorPlan
    eps: float

    @property
    def try_without_factor(self) -> bool:
        """Whether a factor is expensive enough to spend a step on trying to do without."""
        return self.plan.seconds > TRIAL_PRICE * self.costs.step

    @property
    def always_rebuild(self) -> bool:
        """Whether a Gram matrix costs less than a step's products: then nothing is to be saved."""
        return self.costs.gram <= self.costs.step

    @property
    def expensive_factor(self) -> bool:
        """Whether a Cholesky factor costs more than a few steps, as with a wide sparse A.

        Then a factor is kept for as long as the steps that a better one would save cost less.
        """
        return self.costs.factor > EXPENSIVE * self.costs.step

    def continue_without_factor(self, progress: Progress) -> bool:
        """Whether doing without a factor still looks faster than forming one."""
        if progress.previous_dual_norm == inf:  # one step tells no rate yet
            return progress.estimate <= PROMISING_ERROR
        steps = self._steps(progress, progress.contraction)
        return steps * self.costs.step <= self.plan.total

    def correction_pays(self, progress: Progress) -> bool:
        """Whether a further step with the same Hessian is on the fastest way to the goal.

        A fresh Hessian contracts in proportion to the error where it was formed, as Newton's
        method does: it pays to bring the error down first, by steps that cost little.
        """
        rate, error = progress.contraction, progress.estimate
        if not (
            0.0 < rate < CORRECTION_CONTRACTION and self.eps < error <= progress.estimate_at_rebuild
        ):
            return False
        # Logarithms of the error to go, and of what a step takes off it.
        goal, gain = log(error) - log(self.eps), -log(rate)
        rebuilt_gain = gain + log(progress.estimate_at_rebuild / error)
        step, rebuilt = self.costs.correction, self.costs.rebuilt_step

        def seconds(corrections: int) -> float:
            left = goal - corrections * gain
            further = ceil(left / (rebuilt_gain + corrections * gain)) - 1
            return (corrections + max(0, further)) * step + rebuilt

        without = ceil(goal / gain) * step
        return min(without, seconds(1)) <= seconds(0)

    def keep_factor(self, progress: Progress) -> bool:
        """Whether an expensive factor serves another step: a better one would not pay."""
        rate = progress.contraction
        if not self.expensive_factor or rate == 0.0:
            return False
        saved = self._seconds_saved(progress, UPDATED_CONTRACTION)
        return saved <= self.costs.factor + min(self.costs.gram, self._rows_price)

    def row_update_pays(self, progress: Progress) -> bool:
        """Whether bringing up to date a few of many moved rows would pay."""
        rate = progress.contraction
        if rate == 0.0:
            return True
        if progress.before_row_update and rate > 0.5 * progress.before_row_update:
            return False  # it was tried, and did not help
        saved = self._seconds_saved(progress, UPDATED_CONTRACTION)
        return saved > self._rows_price + self.costs.factor

    def rebuild_pays(self, progress: Progress) -> bool:
        """Whether forming the Hessian anew would pay."""
        if self.expensive_factor and self.costs.gram <= self.costs.factor:
            return True  # beside the factor it costs little
        if progress.slow_steps < progress.patience:
            return False
        return self._seconds_saved(progress, REBUILT_CONTRACTION) > self.costs.gram

    @property
    def _rows_price(self) -> float:
        return self.costs.row_limit() / self.costs.n * self.costs.gram

    def _seconds_saved(self, progress: Progress, rate: float) -> float:
        """Return the seconds of the steps that a contraction of ``rate`` saves."""
        steps = self._steps(progress, progress.contraction) - self._steps(progress, rate)
        return steps * self.costs.step

    def _steps(self, progress: Progress, rate: float) -> float:
        """Return the steps to the goal at a contraction of ``rate`` each."""
        rate = min(max(rate, 1e-3), 0.99)
        error = max(progress.estimate, self.eps)
        return (log(self.eps) - log(error)) / log(rate)
