"""Instances: the matrix A and the target b that a problem is made of."""
