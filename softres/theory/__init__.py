"""What the paper assumes and predicts, as functions of an instance."""

from softres.theory.assumptions import Assumption, check_assumptions
from softres.theory.predictions import predicted_steps
from softres.theory.sample_size import proven_eps0, proven_rows

__all__ = ["Assumption", "check_assumptions", "predicted_steps", "proven_eps0", "proven_rows"]
