"""What a person types: read before Hydra does, and answered where it cannot be."""
