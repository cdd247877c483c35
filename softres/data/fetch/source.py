"""What an instance is derived from: pinned packages, and the file its arrays are cached in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy.typing as npt

from softres.common.cache import Arrays, DamagedError, array_path, cached_arrays
from softres.common.errors import InputError
from softres.data.fetch.download import Package, fetch

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """The packages behind an instance.

    Attributes
    ----------
    name
        The instance's name, with which the cached file's name starts.
    files
        Each package with the members that are wanted of it.
    recipe
        Version of the derivation: another number is another cached file.
    readers
        Modules of the extra ``data`` that read the files.
    """

    name: str
    files: tuple[tuple[Package, tuple[str, ...]], ...]
    recipe: int
    readers: tuple[str, ...] = ()

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages, without their members."""
        return tuple(package for package, _ in self.files)

    def check_readers(self) -> None:
        """See that what reads the files is installed; arrays that are cached need none of it.

        Raises
        ------
        InputError
            Names what is missing, and the command that installs it.
        """
        missing = [name for name in self.readers if find_spec(name) is None]
        if missing:
            raise InputError(
                f"data={self.name}: needs {', '.join(missing)}: pip install 'softres[data]'"
            )

    def path(self, *options: str | float | int, cache: Path | None = None) -> Path:
        """Return the file that the arrays are cached in, whether or not it exists.

        Parameters
        ----------
        options
            Those options of the instance that its arrays depend on.
        cache
            See `softres.common.cache.cache_folder`.
        """
        pins = [package.sha256 for package in self.packages]
        return array_path(self.name, *pins, *options, self.recipe, cache=cache)

    def arrays(
        self,
        derive: Callable[..., Mapping[str, npt.ArrayLike]],
        *options: str | float | int,
        cache: Path | None = None,
    ) -> Arrays:
        """Return the derived arrays; only where they are not cached is anything downloaded.

        Parameters
        ----------
        derive
            Makes the arrays from the packages' folders, one argument a package.
        options, cache
            As in :meth:`path`.

        Raises
        ------
        InputError
            If a package cannot be downloaded, or what reads it is missing. A cached file that is
            damaged is set aside and made anew.
        """

        def compute() -> Mapping[str, npt.ArrayLike]:
            self.check_readers()
            folders = [fetch(package, members, cache) for package, members in self.files]
            sys.stderr.write(f"softres: preparing {self.name} (once; then it is cached)\n")
            return derive(*folders)

        path = self.path(*options, cache=cache)
        try:
            return cached_arrays(path, compute)
        except DamagedError as error:
            sys.stderr.write(f"softres: {error}\n".replace(": run again to compute it anew", ""))
            return cached_arrays(path, compute)
