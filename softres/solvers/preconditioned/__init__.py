"""The fast solver: a Hessian that is factored as rarely as possible."""
