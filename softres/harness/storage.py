"""How the A of an instance is stored, known before the instance is made or read."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from softres.common.errors import InputError
from softres.data.registry import DataOptions
from softres.data.sets.file import FileOptions
from softres.data.sets.streamed import StreamedOptions
from softres.data.sets.synthetic import SyntheticOptions
from softres.matrices.backends import BackendOptions

__all__ = ["Storage", "check_backend", "storage"]

#: The real data whose A is sparse, with its stored entries.
SPARSE = {"flights": 2_018_144, "word_ngrams": 6_801_678, "babynames": 2_397_270}


@dataclass(frozen=True)
class Storage:
    """How A is stored.

    Attributes
    ----------
    kind
        ``"dense"``, ``"sparse"``, or ``"disk"``: in row blocks that are read as they are needed.
    entries
        Stored entries; of a random sparse A, about.
    """

    kind: str
    entries: int


def storage(name: str, data: DataOptions, n: int, d: int) -> Storage:
    """Return how the n x d matrix A of some data is stored; a user's file has been read by then."""
    if name in SPARSE:
        return Storage("sparse", SPARSE[name])
    if isinstance(data, SyntheticOptions) and data.density < 1:
        return Storage("sparse", int(data.density * n * d))
    if isinstance(data, FileOptions):
        A = data.load(n, d, None, 0).A
        return Storage("sparse", int(A.nnz)) if sparse.issparse(A) else Storage("dense", n * d)
    return Storage("disk" if isinstance(data, StreamedOptions) else "dense", n * d)


def check_backend(name: str, stored: Storage, backend: BackendOptions) -> None:
    """Refuse a backend that cannot hold such an A, before anything is prepared for it.

    Raises
    ------
    InputError
        Names the data, the backend, and the backends that take them.
    """
    if stored.kind == "sparse" and backend.name == "dask":
        raise InputError(
            f"backend=dask with data={name}: its A is sparse, which backend=numpy or torch take"
        )
    if stored.kind == "disk" and (backend.name == "torch" or backend.dtype != "float64"):
        raise InputError(
            f"backend={backend.name} ({backend.device}, {backend.dtype}) with data={name}: an A on "
            "disk is read by backend=numpy or dask in float64 only"
        )
