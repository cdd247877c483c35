"""A folder of row blocks on disk, and the manifest that says what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.matrices.shards import NpyShard, ParquetShard, Shard

__all__ = ["FORMAT", "MANIFEST", "SHARD_FORMATS", "Manifest"]

MANIFEST = "manifest.json"
FORMAT = "softres shards 1"
#: Formats of a shard, and what opens one.
SHARD_FORMATS: dict[str, Callable[[Path], Shard]] = {
    "npy": NpyShard.open,
    "parquet": ParquetShard.open,
}


@dataclass(frozen=True)
class Manifest:
    """What a folder holds.

    Attributes
    ----------
    folder
        The folder.
    rows, columns
        Size of A.
    kind
        ``"npy"`` or ``"parquet"``.
    dtype
        Of the entries of A, ``"float64"`` or ``"float32"``.
    files
        Each file of A in order, with its rows, its bytes, and a hash of its content.
    vectors
        The same for ``b.npy`` and, where there is one, ``w.npy``.
    """

    folder: Path
    rows: int
    columns: int
    kind: str
    dtype: str
    files: tuple[tuple[str, int, int, str], ...]
    vectors: tuple[tuple[str, int, int, str], ...]

    @property
    def checksum(self) -> str:
        """A hash of the files' hashes: it stands for the content of A, b and w."""
        text = repr((self.rows, self.columns, self.dtype, self.files, self.vectors))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a manifest, and check that its files are there with the right lengths.

        Raises
        ------
        InputError
            If it is missing or not valid, or a file is missing or of another length.
        """
        path = folder / MANIFEST
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
            if tree["format"] != FORMAT or tree["kind"] not in SHARD_FORMATS:
                raise ValueError(f"its format is not {FORMAT} with {' or '.join(SHARD_FORMATS)}")
            files, vectors = (
                tuple((str(f["file"]), int(f["rows"]), int(f["bytes"]), str(f["hash"])) for f in of)
                for of in (tree["A"], tree["vectors"])
            )
            manifest = cls(
                folder,
                int(tree["rows"]),
                int(tree["columns"]),
                tree["kind"],
                str(tree["dtype"]),
                files,
                vectors,
            )
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a valid manifest ({error!r})") from None
        if not files or sum(rows for _, rows, _, _ in files) != manifest.rows:
            raise InputError(f"{path}: the rows of its files are not {manifest.rows} in all")
        for name, _, size, _ in (*files, *vectors):
            if Path(name).name != name:
                raise InputError(f"{path}: {name} is not the name of a file in its folder")
            try:
                found = (folder / name).stat().st_size
            except OSError as error:
                raise InputError(f"{folder / name}: {error.strerror or error}") from None
            if found != size:
                raise InputError(f"{folder / name}: has {found} bytes, and should have {size}")
        return manifest

    def shards(self) -> list[Shard]:
        """Open the files of A.

        Raises
        ------
        InputError
            If one of them is of another shape than the manifest says.
        """
        shards: list[Shard] = []
        for name, rows, _, _ in self.files:
            shard = SHARD_FORMATS[self.kind](self.folder / name)
            if shard.shape != (rows, self.columns):
                raise InputError(
                    f"{self.folder / name}: its shape is {shard.shape}, and should be "
                    f"{(rows, self.columns)}"
                )
            shards.append(shard)
        return shards

    def vector(self, name: str) -> npt.NDArray[np.float64] | None:
        """Return b or w, shape (n,); ``None`` where the folder has none."""
        if f"{name}.npy" not in (file for file, _, _, _ in self.vectors):
            return None
        path = self.folder / f"{name}.npy"
        try:
            values = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path}: {error}") from None
        if values.shape != (self.rows,) or values.dtype.kind not in "fiu":
            raise InputError(f"{path}: must be a real vector of {self.rows} entries")
        return np.asarray(values, dtype=np.float64)
