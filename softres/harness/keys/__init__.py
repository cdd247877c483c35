"""What makes two runs the same: configuration and code."""
