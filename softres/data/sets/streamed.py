"""``data=streamed``: an A that stays on disk, in a folder that a manifest describes."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from softres.common.errors import InputError
from softres.common.paths import expanded
from softres.data.base import DataSet
from softres.data.files.shard_folder import Manifest
from softres.data.instance import Instance
from softres.data.storage import Storage
from softres.linalg.spectrum import spectrum
from softres.matrices import StreamedMatrix
from softres.matrices.streamed import WINDOW_BYTES

__all__ = ["Streamed", "load_streamed"]

GIB = 2**30
#: Vectors of n float64 that a job holds: two evaluations, a line search, a curvature and its copy.
VECTORS = 32
#: Matrices of d x d float64 that it holds.
SQUARES = 12
#: Windows whose space a block of A takes: its own, the next one's, and what is made of it.
WINDOWS = 4


@dataclass(frozen=True)
class Streamed(DataSet):
    """An A that stays on disk, in row blocks, in so much memory.

    Attributes
    ----------
    path
        A folder as :func:`softres.data.files.shard_writer.write_folder` makes it.
    memory
        GiB that a job may take beyond the program itself: vectors of n, matrices of d x d, and
        one window of A at a time. A solver that keeps more of either, such as one that samples
        many rows, takes more.
    """

    name: ClassVar[str] = "streamed"
    order: ClassVar[int] = 201
    path: str = ""
    memory: float = 2.0

    def __post_init__(self) -> None:
        if not self.path:
            raise InputError("data.path: data=streamed needs a folder with a manifest.json")
        if not 0 < self.memory < inf:
            raise InputError(f"data.memory={self.memory}: allowed is a positive number of GiB")

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return the size that the manifest names, and refuse another."""
        manifest = self.manifest()
        there = manifest.rows, manifest.columns
        self._check_size(n, d, there, self.path)
        self.window_bytes(*there)
        return there

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Open the folder; with R given, A is scaled to |A|_2 = R."""
        return load_streamed(self, R)

    def storage(self, n: int, d: int) -> Storage:
        """Return that A stays on disk."""
        return Storage("disk", n * d)

    def manifest(self) -> Manifest:
        """Read the manifest.

        Raises
        ------
        InputError
            If the folder is not whole.
        """
        try:
            return Manifest.read(expanded(self.path, "data.path"))
        except InputError as error:
            raise InputError(f"data.path={self.path}: {error}") from None

    def fingerprint(self) -> str:
        """Return a hash of the files' hashes, so that other content is another instance."""
        return self.manifest().checksum

    def window_bytes(self, n: int, d: int) -> int:
        """Return the bytes of a window of A.

        Raises
        ------
        InputError
            If the vectors alone take more than ``memory``.
        """
        fixed = 8.0 * (VECTORS * n + SQUARES * d * d)
        left = self.memory * GIB - fixed
        if left < WINDOWS * 8 * d:
            raise InputError(
                f"data.memory={self.memory:g}: vectors of n={n} and matrices of d={d} alone take "
                f"{fixed / GIB:.3g} GiB"
            )
        return int(min(WINDOW_BYTES, left / WINDOWS))


def load_streamed(options: Streamed, R: float | None) -> Instance:
    """Open the folder and read A once to check it; with R given, twice, to scale it.

    Raises
    ------
    InputError
        If a file is missing, has been cut off, has another shape, or holds a value that is not
        finite; or A is zero and cannot be scaled.
    """
    manifest = options.manifest()
    window = options.window_bytes(manifest.rows, manifest.columns)
    try:
        matrix = StreamedMatrix(manifest.shards(), manifest.checksum, window)
        matrix.check()
        b, w = manifest.vector("b"), manifest.vector("w")
    except InputError as error:
        raise InputError(f"data.path={options.path}: {error}") from None
    if b is None:
        raise InputError(f"data.path={options.path}: the manifest names no b.npy")
    if R is not None:
        norm = spectrum(matrix).sigma_max
        if norm == 0:
            raise InputError(f"R={R}: A has no entries but zeros, so it cannot be scaled")
        matrix = matrix.scaled(R / norm)
    return Instance("streamed", matrix, b, w=w, facts={"path": options.path})
