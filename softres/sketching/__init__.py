"""Random reductions of A: embeddings, approximate leverage scores, and sampled Gram matrices."""

from softres.sketching.blocks import block_scores
from softres.sketching.embeddings import EMBEDDINGS, embedding, sketch
from softres.sketching.leverage import approximate_scores, exact_scores
from softres.sketching.reuse import RowForms
from softres.sketching.sampling import SCHEMES, RowSample, sample_rows, sample_size

__all__ = [
    "EMBEDDINGS",
    "SCHEMES",
    "RowForms",
    "RowSample",
    "approximate_scores",
    "block_scores",
    "embedding",
    "exact_scores",
    "sample_rows",
    "sample_size",
    "sketch",
]
