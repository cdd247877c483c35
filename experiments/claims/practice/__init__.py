"""What the theory is worth: weights, problems, real data."""
