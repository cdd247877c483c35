"""A reader can hold the code: one meaning a name, short modules, small folders."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = [ROOT / "softres", ROOT / "experiments"]
MODULES = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]
FOLDERS = sorted({path.parent for path in MODULES})
LONGEST_MODULE = 300
LARGEST_FOLDER = 15


def public_classes(module: Path) -> list[str]:
    """Return the names of a module's classes that other modules may use."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return [name for name in classes if not name.startswith("_")]


def entries(folder: Path) -> list[str]:
    """Return what one sees on opening a folder: its modules, folders and documents."""
    unseen = {"__init__.py", "__main__.py", "__pycache__", "py.typed"}
    return sorted(path.name for path in folder.iterdir() if path.name not in unseen)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_a_public_class_shares_its_name_with_no_other():
    homes = defaultdict(list)
    for module in MODULES:
        for name in public_classes(module):
            homes[name].append(named(module))
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_is_no_longer_than_a_reader_can_hold(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_folder_is_no_larger_than_a_reader_can_take_in(folder):
    assert len(entries(folder)) <= LARGEST_FOLDER, entries(folder)


def test_imports_point_one_way():
    """The contracts stand in pyproject.toml."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
