"""The landscape of the loss: its critical points, and which of them a solver finds."""
