"""When a factor is brought up to date: what steps have told, and savings against prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, inf, log

from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.cost_model import CostModel, FactorPlan

__all__ = ["Progress", "RefreshPolicy", "Stagnation"]


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
        Slow steps in a row.
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
    patience: int = field(default_factory=lambda: tuning.PATIENCE)
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
        slow = self.contraction > tuning.SLOW_CONTRACTION
        self.slow_steps = self.slow_steps + 1 if slow else 0
        if self.before_rebuild:
            # Far from a solution no quadratic model is good for long, however fresh.
            helped = self.contraction <= tuning.REBUILD_HELPED * self.before_rebuild
            longer = min(tuning.PATIENCE_GROWTH * self.patience, tuning.MAX_SLOW_STEPS)
            self.patience = tuning.PATIENCE if helped else longer
            self.before_rebuild = 0.0

    def note_rebuild(self) -> None:
        """Note that the Hessian is being formed anew."""
        self.before_rebuild, self.slow_steps = self.contraction, 0
        self.estimate_at_rebuild = self.estimate

    def restart(self) -> None:
        """Forget the contraction: the norm it is measured in has changed."""
        self.previous_dual_norm = self.dual_norm = inf
        self.slow_steps = self.steps = 0


@dataclass
class Stagnation:
    """Whether Gauss-Newton steps get anywhere, or a saddle may be near; it changes in place.

    Attributes
    ----------
    weak_steps
        Steps with a new Gauss-Newton factor that hardly contracted, since the estimated error
        last fell well.
    least_estimate
        The least estimated error since the first of them.
    """

    weak_steps: int = 0
    least_estimate: float = inf

    @property
    def suspects_saddle(self) -> bool:
        """Whether Gauss-Newton has got nowhere for so long that a saddle may be near."""
        return self.weak_steps >= tuning.SADDLE_PATIENCE

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
        if not exact and contraction > tuning.WEAK_CONTRACTION:
            self.weak_steps += 1
        elif estimate <= tuning.SADDLE_PROGRESS * self.least_estimate:
            # A single good step is no progress where the next one undoes it.
            self.weak_steps = 0
        self.least_estimate = min(self.least_estimate, estimate) if self.weak_steps else estimate

    def restart(self) -> None:
        """Forget the steps: the next one is of another kind."""
        self.weak_steps, self.least_estimate = 0, inf


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
    by_rows
        Whether a few rows can be brought up to date; with several layers all are.
    """

    costs: CostModel
    plan: FactorPlan
    eps: float
    by_rows: bool = True

    @property
    def try_without_factor(self) -> bool:
        """Whether a factor is expensive enough to spend a step on trying to do without."""
        return self.plan.seconds > tuning.TRIAL_PRICE * self.costs.step

    @property
    def always_rebuild(self) -> bool:
        """Whether a Gram matrix costs less than a step's products: then nothing is to be saved.

        Or whether there is no other way.
        """
        return not self.by_rows or self.costs.gram <= tuning.CHEAP_GRAM * self.costs.step

    @property
    def expensive_factor(self) -> bool:
        """Whether a Cholesky factor costs more than a few steps, as with a wide sparse A.

        Then a factor is kept for as long as the steps that a better one would save cost less.
        """
        return self.costs.factor > tuning.EXPENSIVE * self.costs.step

    def continue_without_factor(self, progress: Progress) -> bool:
        """Whether doing without a factor still looks faster than forming one."""
        if progress.previous_dual_norm == inf:  # one step tells no rate yet
            return progress.estimate <= tuning.PROMISING_ERROR
        steps = self._steps(progress, progress.contraction)
        return steps * self.costs.step <= self.plan.total

    def correction_pays(self, progress: Progress) -> bool:
        """Whether a further step with the same Hessian is on the fastest way to the goal.

        A fresh Hessian contracts in proportion to the error where it was formed, as Newton's
        method does: it pays to bring the error down first, by steps that cost little.
        """
        rate, error = progress.contraction, progress.estimate
        contracts = 0.0 < rate < tuning.CORRECTION_CONTRACTION
        if not (contracts and self.eps < error <= progress.estimate_at_rebuild):
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
        saved = self._seconds_saved(progress, tuning.UPDATED_CONTRACTION)
        return saved <= self.costs.factor + min(self.costs.gram, self._rows_price)

    def row_update_pays(self, progress: Progress) -> bool:
        """Whether bringing up to date a few of many moved rows would pay."""
        rate = progress.contraction
        if rate == 0.0:
            return True
        if progress.before_row_update and rate > tuning.ROWS_HELPED * progress.before_row_update:
            return False  # it was tried, and did not help
        saved = self._seconds_saved(progress, tuning.UPDATED_CONTRACTION)
        return saved > self._rows_price + self.costs.factor

    def rebuild_pays(self, progress: Progress) -> bool:
        """Whether forming the Hessian anew would pay."""
        if self.expensive_factor and self.costs.gram <= self.costs.factor:
            return True  # beside the factor it costs little
        if progress.slow_steps < progress.patience:
            return False
        return self._seconds_saved(progress, tuning.REBUILT_CONTRACTION) > self.costs.gram

    @property
    def _rows_price(self) -> float:
        return self.costs.row_limit() / self.costs.n * self.costs.gram

    def _seconds_saved(self, progress: Progress, rate: float) -> float:
        """Return the seconds of the steps that a contraction of ``rate`` saves."""
        steps = self._steps(progress, progress.contraction) - self._steps(progress, rate)
        return steps * self.costs.step

    def _steps(self, progress: Progress, rate: float) -> float:
        """Return the steps to the goal at a contraction of ``rate`` each."""
        rate = min(max(rate, tuning.BEST_CONTRACTION), tuning.WORST_CONTRACTION)
        error = max(progress.estimate, self.eps)
        return (log(self.eps) - log(error)) / log(rate)
