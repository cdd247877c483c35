"""Documents that are made from the kept results."""
