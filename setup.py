"""What pyproject.toml cannot say: a wheel holds ``conf/`` as ``softres/conf``."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class WithConf(build_py):
    """Copies the modules, and the configuration into the package that reads it."""

    def run(self) -> None:
        """Copy both; an editable installation reads ``conf/`` where it is."""
        super().run()
        if not self.editable_mode:
            copytree("conf", Path(self.build_lib, "softres", "conf"), dirs_exist_ok=True)


setup(cmdclass={"build_py": WithConf})
