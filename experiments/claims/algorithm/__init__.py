"""Algorithm 1 to the letter: what allows it to drop the rank-two part, and where it stops."""
