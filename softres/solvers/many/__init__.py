"""Newton's method on many targets over one A at once."""

from softres.solvers.many.result import ManyResult
from softres.solvers.many.solve import ManyOptions, solve_many

__all__ = ["ManyOptions", "ManyResult", "solve_many"]
