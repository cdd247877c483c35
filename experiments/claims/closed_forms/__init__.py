"""Gradient, Hessian, and low rank plus diagonal."""
