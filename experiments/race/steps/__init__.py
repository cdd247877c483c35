"""What a step of the safeguarded Algorithm 1 costs beside one of exact Newton."""
