"""Steps, runs and the basin of Newton's method."""
