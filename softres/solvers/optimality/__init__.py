"""What the curvature at a point says of it: a minimiser, a saddle, or neither yet."""

from softres.solvers.optimality.attained import falls_on
from softres.solvers.optimality.boundary import at_boundary
from softres.solvers.optimality.escape import escape
from softres.solvers.optimality.examination import Examination, examine
from softres.solvers.optimality.metric import Metric, Projected
from softres.solvers.optimality.rounding import is_noise, units_of_rounding

__all__ = [
    "Examination",
    "Metric",
    "Projected",
    "at_boundary",
    "escape",
    "examine",
    "falls_on",
    "is_noise",
    "units_of_rounding",
]
