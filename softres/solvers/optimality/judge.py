"""Who decides how a solve has ended: a solver may say that it has converged, and is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite

from softres.problems.evaluation import Evaluation
from softres.problems.reference import Reference
from softres.solvers.base import State
from softres.solvers.clock import Meter
from softres.solvers.optimality import at_boundary, escape, examine, falls_on, is_noise
from softres.solvers.result import Row, Status

__all__ = ["Judge", "Judgement"]

#: Endings that a solver reports of itself where it sees no way on.
STUCK = (Status.STALLED, Status.LINEAR_SOLVE_FAILED)
#: Saddles that are left in one solve.
ESCAPES = 20
#: Estimate, over one that could not be confirmed, that is looked at again.
SMALLER = 0.1
#: Relative error, in the norm of the Hessian, beyond which a minimiser is not the reference.
ELSEWHERE = 1e-3


@dataclass(frozen=True)
class Judgement:
    """What becomes of a solve.

    Attributes
    ----------
    status
        How it has ended; ``None`` while it goes on.
    escaped
        Where to begin again, where the solver was at a saddle.
    point
        The same x with A x formed anew, where that was looked at.
    elsewhere
        Whether it has ended at a minimiser that is not the reference's.
    """

    status: Status | None = None
    escaped: Evaluation | None = None
    point: Evaluation | None = None
    elsewhere: bool = False


class Judge:
    """Decides after every step whether a solve has ended.

    With a reference the true error decides whether it has converged. Without one, a solver's
    estimate of its error and a gradient without a slope are only reasons to look: converged means
    that the gradient and the curvature show a local minimiser, see
    :func:`softres.solvers.optimality.examine`. A solver that sees no way on is looked at too: it
    may be at the minimiser, at a saddle, or at the boundary alpha = beta. If it is at none of
    these, and can go on from any point, it is sent on once, with A x formed anew. A method that is
    to be seen as it is gets neither help.
    """

    def __init__(
        self,
        start: Evaluation,
        eps: float,
        meter: Meter,
        reference: Reference | None,
        resumes: bool = False,
        *,
        helps: bool = True,
    ) -> None:
        self.start, self.eps, self.meter, self.reference = start, eps, meter, reference
        self._enough = eps  # estimate from which on it is worth a look
        self._escapes = 0 if helps else ESCAPES
        # Whether the solver may still be sent on with A x formed anew.
        self._resumes = resumes and helps

    def __call__(self, state: State, row: Row, limit: Status | None) -> Judgement:
        """Return what becomes of a solve that has got to a state.

        Parameters
        ----------
        row
            The state's row of the trace.
        limit
            What ends the solve unless it has converged.
        """
        if limit is Status.DIVERGED:
            return Judgement(limit)
        stuck = limit in STUCK
        if self.reference is not None:
            if row["relative_error_l2"] <= self.eps or self.reference.reached(row["error_l2"]):
                return Judgement(Status.CONVERGED)
            claims = False
        else:
            claims = state.estimate <= self._enough
        flat = row["gradient_norm"] == 0.0 or (row["step"] == 0 and is_noise(state.point))
        if not (claims or stuck or flat):
            return Judgement(limit)
        with self.meter.phase("optimality"):
            found = self._look(state, stuck or row["gradient_norm"] == 0.0, limit)
        far = row.get("relative_error_H", 0.0) > ELSEWHERE
        return found if far else replace(found, elsewhere=False)

    def _look(self, state: State, stuck: bool, limit: Status | None) -> Judgement:
        found = examine(state.point, self.start, self.eps, state.metric)
        outside = at_boundary(found.point, found.step)
        if found.minimiser and falls_on(found.point, self.start, found.step, self.eps):
            # Its minimum lies at infinity: there is none to converge to, and the solver goes on.
            found = replace(found, minimiser=False, error=inf)
        if found.minimiser and self.reference is None:
            return Judgement(Status.BOUNDARY if outside else Status.CONVERGED)
        if found.downhill is not None and self._escapes < ESCAPES:
            self._escapes += 1
            lower = escape(found.point, found.downhill)
            if lower is not None:
                self._enough = self.eps
                return Judgement(escaped=lower)
        if stuck:
            if outside:
                return Judgement(Status.BOUNDARY)
            fresh = found.point is not state.point and not found.minimiser
            if self._resumes and fresh and (limit is None or limit in STUCK):
                # The z carried along from step to step may be at its end where A x is not.
                self._resumes = False
                return Judgement(point=found.point)
            ended = Status.STALLED if limit is None else limit
            return Judgement(ended, elsewhere=found.minimiser)
        # Not yet: the error is larger than the solver thinks.
        share = self.eps / found.error if isfinite(found.error) else 0.0
        self._enough = min(self._enough, state.estimate * min(0.5, max(share, SMALLER)))
        return Judgement(limit, point=found.point)
