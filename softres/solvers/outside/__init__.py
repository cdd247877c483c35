"""Baselines from other packages, as solvers of this one."""
