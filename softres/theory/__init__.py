"""What the paper assumes and predicts, as functions of an instance."""

from softres.theory.assumptions import Assumption, check_assumptions
from softres.theory.predictions import predicted_steps
from softres.theory.registry import THEOREMS, make_theorem
from softres.theory.sample_size import proven_eps0, proven_rows
from softres.theory.theorem import Theorem

__all__ = [
    "THEOREMS",
    "Assumption",
    "Theorem",
    "check_assumptions",
    "make_theorem",
    "predicted_steps",
    "proven_eps0",
    "proven_rows",
]
