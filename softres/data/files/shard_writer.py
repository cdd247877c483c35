"""Writing a folder of row blocks from a generator, with a block in memory at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.common.paths import expanded
from softres.data.files.shard_folder import FORMAT, MANIFEST, SHARD_FORMATS, Manifest

__all__ = ["ShardWriter", "write_folder"]

#: Bytes of one file, and of one row group of a Parquet file.
SHARD_BYTES = 256 << 20
GROUP_BYTES = 8 << 20


class ShardWriter:
    """Writes blocks of rows one after the other, and the manifest at the end.

    Until :meth:`finish` there is no manifest: a folder that was left half written is not taken
    for a whole one. Used in a ``with`` statement, it closes the file that is open.

    Parameters
    ----------
    folder
        New or empty.
    kind
        ``"npy"`` or ``"parquet"``.
    dtype
        ``"float64"`` or ``"float32"``.
    shard_bytes
        Bytes of entries after which the next file begins.

    Raises
    ------
    InputError
        If the folder holds something already, or an option is unknown.
    """

    def __init__(
        self,
        folder: str | Path,
        kind: str = "npy",
        dtype: str = "float64",
        shard_bytes: int = SHARD_BYTES,
    ) -> None:
        if kind not in SHARD_FORMATS or dtype not in ("float64", "float32"):
            raise InputError(
                f"kind={kind}, dtype={dtype}: allowed are {', '.join(SHARD_FORMATS)} of float64 or "
                "float32"
            )
        self.folder = expanded(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if any(self.folder.iterdir()):
            raise InputError(f"{self.folder}: is not empty; shards are written to a new folder")
        self.kind, self.dtype, self.shard_bytes = kind, np.dtype(dtype), shard_bytes
        self.columns: int | None = None
        self._files: list[Mapping[str, object]] = []
        self._open: Any = None
        self._rows = 0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._open is not None:
            self._open.close()

    def add(self, block: npt.ArrayLike) -> None:
        """Append rows of A, shape (k, d).

        Raises
        ------
        InputError
            If they are not finite, or not as long as those before.
        """
        rows = np.ascontiguousarray(block, dtype=self.dtype)
        d = self.columns or (rows.shape[1] if rows.ndim == 2 else 1)
        if rows.ndim != 2 or rows.shape[1] != d or d < 1:
            raise InputError(f"a block of rows has shape {rows.shape}, and should have (k, {d})")
        if not np.isfinite(rows).all():
            raise InputError("a block of rows holds NaN or infinite values; all must be finite")
        self.columns = rows.shape[1]
        most = max(1, self.shard_bytes // (self.columns * self.dtype.itemsize))
        while len(rows):
            if self._open is None:
                self._begin()
            part, rows = rows[: most - self._rows], rows[most - self._rows :]
            self._write(part)
            self._rows += len(part)
            if self._rows == most:
                self._end()

    def finish(self, b: npt.ArrayLike, w: npt.ArrayLike | None = None) -> Manifest:
        """Write b, shape (n,), and w, if given, and the manifest.

        Raises
        ------
        InputError
            If there are no rows, or not as many entries as rows.
        """
        if self._open is not None:
            self._end()
        n = sum(int(str(file["rows"])) for file in self._files)
        if n == 0 or self.columns is None:
            raise InputError(f"{self.folder}: no rows were written")
        vectors = []
        for name, values in (("b", b), ("w", w)):
            if values is None:
                continue
            vector = np.asarray(values, dtype=np.float64)
            if vector.shape != (n,):
                raise InputError(f"{name} must have shape ({n},), not {vector.shape}")
            np.save(self.folder / f"{name}.npy", vector, allow_pickle=False)
            vectors.append(_described(self.folder / f"{name}.npy", n))
        tree = {
            "format": FORMAT,
            "kind": self.kind,
            "dtype": str(self.dtype),
            "rows": n,
            "columns": self.columns,
            "A": self._files,
            "vectors": vectors,
        }
        partial = self.folder / f"{MANIFEST}.part"
        partial.write_text(json.dumps(tree, indent=1), encoding="utf-8")
        partial.replace(self.folder / MANIFEST)
        return Manifest.read(self.folder)

    @property
    def _path(self) -> Path:
        return self.folder / f"A-{len(self._files):05d}.{self.kind}"

    def _begin(self) -> None:
        self._rows = 0
        if self.kind == "npy":
            self._open = self._path.open("wb")
            self._header(self._open)
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        kind = pa.float64() if self.dtype == np.float64 else pa.float32()
        schema = pa.schema([(f"a{j}", kind) for j in range(self.columns or 0)])
        # Numbers of full precision hardly compress; a dictionary of them only takes time.
        self._open = pq.ParquetWriter(self._path, schema, compression="none", use_dictionary=False)

    def _header(self, file: BinaryIO) -> None:
        """Write the header; its length does not depend on the number of rows."""
        header = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self._rows, self.columns),
        }
        np.lib.format.write_array_header_1_0(file, header)

    def _write(self, part: npt.NDArray[Any]) -> None:
        if self.kind == "npy":
            self._open.write(part.data)
            return
        import pyarrow as pa

        step = max(1, GROUP_BYTES // (part.shape[1] * 8))
        for start in range(0, len(part), step):
            columns = [pa.array(column) for column in part[start : start + step].T.copy()]
            self._open.write_table(pa.table(columns, schema=self._open.schema))

    def _end(self) -> None:
        if self.kind == "npy":
            self._open.seek(0)
            self._header(self._open)
        self._open.close()
        self._open = None
        self._files.append(_described(self._path, self._rows))


def _described(path: Path, rows: int) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return {"file": path.name, "rows": rows, "bytes": path.stat().st_size, "hash": digest}


def write_folder(
    folder: str | Path,
    blocks: Iterable[npt.ArrayLike],
    b: npt.ArrayLike,
    w: npt.ArrayLike | None = None,
    **options: Any,
) -> Manifest:
    """Write blocks of rows, b and w for ``data=streamed``; see :class:`ShardWriter`."""
    with ShardWriter(folder, **options) as writer:
        for block in blocks:
            writer.add(block)
        return writer.finish(b, w)
