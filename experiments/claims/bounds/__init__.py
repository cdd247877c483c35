"""Bounds and Lipschitz constants, against an adversary."""
