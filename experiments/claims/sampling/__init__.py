"""Sampled Hessians: accuracy, failures, cost."""
