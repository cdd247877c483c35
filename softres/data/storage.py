"""How the A of an instance is stored, known before the instance is made or read."""

from __future__ import annotations

from dataclasses import dataclass

from softres.common.errors import MismatchError
from softres.matrices.backends import BackendOptions

__all__ = ["Storage"]


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

    def check(self, data: str, backend: BackendOptions) -> None:
        """Refuse a backend that cannot hold such an A, before anything is prepared for it.

        Raises
        ------
        MismatchError
            Names the data, the backend, and the backends that take them.
        """
        if self.kind == "sparse" and backend.name == "dask":
            raise MismatchError(
                f"backend=dask with data={data}: its A is sparse, which backend=numpy or torch take"
            )
        if self.kind == "disk" and (backend.name == "torch" or backend.dtype != "float64"):
            raise MismatchError(
                f"backend={backend.name} ({backend.device}, {backend.dtype}) with data={data}: "
                "an A on disk is read by backend=numpy or dask in float64 only"
            )
