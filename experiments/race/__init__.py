"""The race: every solver's time to a given accuracy, on one grid of instances."""
