"""Dense linear algebra on d x d matrices, and the null space and spectrum of A."""
