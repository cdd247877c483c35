"""Files out of published packages, and what reads models in them."""
