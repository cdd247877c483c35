"""One module a claim of the paper: what it sweeps, how it judges, what it draws."""
