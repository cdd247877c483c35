"""Algorithm 1, to the letter and safeguarded: Newton's method with a sampled Hessian."""
