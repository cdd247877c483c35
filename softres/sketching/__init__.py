"""Random reductions of A: embeddings, approximate leverage scores, and sampled Gram matrices."""

from softres.sketching.embeddings import EMBEDDINGS, embedding
from softres.sketching.leverage import approximate_scores, exact_scores
from softres.sketching.sampling import SCHEMES, RowSample, sample_rows, sample_size

__all__ = [
    "EMBEDDINGS",
    "SCHEMES",
    "RowSample",
    "approximate_scores",
    "embedding",
    "exact_scores",
    "sample_rows",
    "sample_size",
]
