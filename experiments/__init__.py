"""One module a claim of the paper: what it measures, how it judges, what it draws."""
