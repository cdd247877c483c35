"""Newton's method on many problems at once: many targets over one A, or many small problems."""

from softres.solvers.many.instances import solve_instances
from softres.solvers.many.result import InstancesResult, ManyResult
from softres.solvers.many.solve import ManyOptions, solve_many

__all__ = ["InstancesResult", "ManyOptions", "ManyResult", "solve_instances", "solve_many"]
