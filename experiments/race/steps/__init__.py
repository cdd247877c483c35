"""What a step of Algorithm 1 costs beside one of exact Newton."""
