"""Where runs are recorded: the options of tracking, checked before anything is opened."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from softres.common.errors import InputError
from softres.common.paths import expanded

__all__ = ["TrackingOptions", "inode_of", "without_password", "without_secrets"]

_SQLITE = "sqlite:///"
#: The configuration takes these where the command line says nothing else.
_URI, _EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
# Search filters quote their values; a name without quotes needs no escaping anywhere.
_NAME = re.compile(r"[^'\"`\\\n]{1,200}")
_CREDENTIALS = re.compile(r"(?<=://)(?P<user>[^/\s:@]*)(?::(?P<password>[^/\s]*))?@")

#: The same in one address: a password that was not quoted may hold anything, / and @ too.
_ONE = re.compile(r"(?<=://)(?P<user>[^/:@]*)(?::(?P<password>(?:(?!://).)*))?@", re.S)


def take_credentials(text: str) -> str:
    """Return the address of a tracking server without its user and password.

    They move to the environment, where MLflow looks for them.
    """
    for secret in _ONE.finditer(text):
        os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(secret["user"])
        os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(secret["password"] or "")
    return _ONE.sub("", text)


def without_secrets(text: str) -> str:
    """Return a text without the user and password of any address in it."""
    return _CREDENTIALS.sub("", text)


def without_password(text: str) -> str:
    """Return a text without the password of any address in it; a database needs its user."""
    return _CREDENTIALS.sub(r"\g<user>@", text)


@dataclass(frozen=True)
class TrackingOptions:
    """Where and under which names runs are recorded.

    Attributes
    ----------
    uri
        Store: ``sqlite:///path`` (a relative path counts from the current folder), or
        ``http(s)://host:port`` of a running server. ``None`` is ``mlflow.db`` in ``folder``. A
        user and a password, ``https://user:password@host``, move to the environment, where MLflow
        looks for them: the address itself is printed and recorded, and so never holds them.
    folder
        Folder of the default store and of the artifacts of an SQLite store.
    experiment
        MLflow experiment that holds the runs.
    sweep
        Name that the runs of one sweep share; ``None`` when there is none.
    enabled
        ``False`` records nothing and never imports MLflow.
    port
        Port of the user interface, 1 to 65535.

    Raises
    ------
    InputError
        If a value is outside what is allowed.
    """

    uri: str | None = None
    folder: str = "results"
    experiment: str = "softres"
    sweep: str | None = None
    enabled: bool = True
    port: int = 5000

    def __post_init__(self) -> None:
        if self.uri is not None:
            uri = take_credentials(self.uri)
            if uri.startswith(f"{_SQLITE}~"):
                uri = f"{_SQLITE}{expanded(uri.removeprefix(_SQLITE), 'tracking.uri')}"
            object.__setattr__(self, "uri", uri)
        if self.uri is not None and not _is_supported(self.uri):
            raise InputError(
                f"tracking.uri={self.uri!r}: allowed are sqlite:///path/to/file.db, "
                "http://host:port, https://host:port and null"
            )
        if not self.folder.strip():
            raise InputError(f"tracking.folder={self.folder!r}: must name a folder")
        object.__setattr__(self, "folder", str(expanded(self.folder, "tracking.folder")))
        for key, value in (("experiment", self.experiment), ("sweep", self.sweep)):
            if value is not None and (not _NAME.fullmatch(value) or not value.strip()):
                raise InputError(
                    f"tracking.{key}={value!r}: must be 1 to 200 characters without quotes, "
                    "backslashes and line breaks"
                )
        if isinstance(self.port, bool) or not 1 <= self.port <= 65535:
            raise InputError(f"tracking.port={self.port!r}: must be in 1 ... 65535")

    @property
    def from_environment(self) -> str:
        """What MLflow's variables chose, in words; empty where they chose nothing."""
        known = (("uri", _URI, self.uri), ("experiment", _EXPERIMENT, self.experiment))
        return ", ".join(
            f"tracking.{key}={value} ({variable})"
            for key, variable, value in known
            if value is not None and value == without_secrets(os.environ.get(variable, ""))
        )

    @property
    def database(self) -> Path | None:
        """Absolute path of the SQLite file; None for a server."""
        if self.uri is None:
            return Path(self.folder).absolute() / "mlflow.db"
        if self.uri.startswith(_SQLITE):
            return Path(self.uri.removeprefix(_SQLITE)).absolute()
        return None

    @property
    def inode(self) -> int | None:
        """What tells the SQLite file from another in its place; ``None`` where there is none."""
        return None if self.database is None else inode_of(self.database)

    @property
    def server(self) -> str | None:
        """Address of the server; None for a file, or where nothing is recorded."""
        return self.absolute_uri if self.enabled and self.database is None else None

    @property
    def absolute_uri(self) -> str:
        """Store URI that means the same from every folder."""
        database = self.database
        if database is not None:
            return f"{_SQLITE}{database}"
        assert self.uri is not None  # only a server has no database file
        return self.uri.rstrip("/")

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells one place of runs from another: store, folder and experiment."""
        return self.absolute_uri, str(Path(self.folder).absolute()), self.experiment

    @property
    def artifact_location(self) -> str | None:
        """URI of the folder of the artifacts; ``None`` where the server decides."""
        if self.database is None:
            return None
        return (Path(self.folder).absolute() / "artifacts").as_uri()


def inode_of(path: Path) -> int | None:
    """Return the inode of a file; ``None`` where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _is_supported(uri: str, *, drives: bool = os.name == "nt") -> bool:
    """Return whether a store may lie there; ``drives``: whether paths may begin with ``C:``."""
    if uri.startswith(_SQLITE):
        # ":memory:" would be another, empty store in every process
        drive = r"(?:[A-Za-z]:[\\/])?" if drives else ""
        return bool(re.fullmatch(drive + r"[^?#:]+", uri.removeprefix(_SQLITE)))
    return bool(re.fullmatch(r"https?://[^/\s]+(/\S*)?", uri))
