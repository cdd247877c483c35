"""What the user interface shows of runs."""
