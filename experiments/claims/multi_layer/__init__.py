"""The model of several layers, which the paper leaves to future work."""
