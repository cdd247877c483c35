"""Algorithm 1: Newton's method with a sampled Hessian."""
