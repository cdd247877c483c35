"""Which files a module uses, by its import statements."""

from __future__ import annotations

from pathlib import Path

import pytest

import softres
from softres.harness.keys.sources import imported, module_name, used_files

PACKAGE = Path(softres.__file__).parent
FILES = {
    "__init__.py": "from own.front import door",
    "front.py": "door = 1",
    "parts/__init__.py": "from own.parts.one import a\nfrom own.parts.two import b as c\nd = 1",
    "parts/one.py": "a = 1",
    "parts/two.py": "b = 1",
    "parts/three.py": "from . import one\nfrom .two import b\nfrom .. import front",
    "parts/deep/__init__.py": "from own.parts import a",
    "parts/deep/four.py": "from ..three import front",
    "chain.py": "import own.parts.three",
}


@pytest.fixture
def uses(tmp_path):
    """Return a function that gives the files that a module with this text imports."""
    package = tmp_path / "own"
    for name, text in FILES.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def found(text, all_of_them=False):
        path = package / "module.py"
        path.write_text(text, encoding="utf-8")
        files = used_files({path}) - {path} if all_of_them else imported(path)
        return {module_name(file).removeprefix("own/") for file in files}

    return found


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("import numpy, os.path", set()),
        ("from pathlib import Path", set()),
        ("import own.parts.one", {"parts/one.py"}),
        ("import own.parts.one as two", {"parts/one.py"}),
        ("from own.parts.one import a", {"parts/one.py"}),
        ("from own.parts import one", {"parts/one.py"}),
        ("from own.parts import a", {"parts/one.py"}),
        ("from own.parts import c", {"parts/two.py"}),
        ("from own.parts import d", {"parts/__init__.py"}),
        ("from own.parts.deep import a", {"parts/one.py"}),
        ("from own import door, parts", {"front.py", "parts/__init__.py"}),
        ("import own.parts", {"parts/__init__.py", "parts/one.py", "parts/two.py"}),
        ("from own.parts import *", {"parts/__init__.py", "parts/one.py", "parts/two.py"}),
        ("from .parts import a", {"parts/one.py"}),
        ("from . import front", {"front.py"}),
        ("def f():\n    from own.front import door", {"front.py"}),
        ("try:\n    import own.front\nexcept ImportError:\n    pass", {"front.py"}),
        ("if TYPE_CHECKING:\n    import own.front\nelse:\n    import own.chain", {"chain.py"}),
        ("if typing.TYPE_CHECKING:\n    from own.front import door", set()),
        ("from own import missing", {"__init__.py"}),
    ],
)
def test_an_import_stands_for_the_module_that_has_the_name(uses, text, files):
    assert uses(text) == files


def test_imports_of_imports_count(uses):
    assert uses("import own.chain", all_of_them=True) == {
        "chain.py",
        *(f"parts/{name}.py" for name in ("one", "two", "three")),
        "front.py",
    }
    assert "front.py" in uses("from own.parts.deep import four", all_of_them=True)


def test_an_import_that_is_not_followed_leads_nowhere(tmp_path, uses):
    uses("import own.chain\nimport own.front")
    start = tmp_path / "own" / "module.py"
    files = used_files({start}, lambda importer, file: file.name != "chain.py")
    assert {file.name for file in files} == {"module.py", "front.py"}


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("from softres import solve", {"solvers/solve.py"}),
        ("from softres.solvers import solve", {"solvers/solve.py"}),
        ("from softres.solvers import SOLVERS", {"solvers/registry.py"}),
        ("from softres.sketching import sample_rows", {"sketching/sampling.py"}),
        ("from softres.data.sets import digits", {"data/sets/digits.py"}),
        ("from softres import __version__", {"__init__.py"}),
    ],
)
def test_names_of_the_package_are_found_where_they_are_made(tmp_path, text, files):
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    assert {file.relative_to(PACKAGE).as_posix() for file in imported(path)} == files


def test_the_package_itself_stands_for_all_that_it_passes_on(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import softres\nsoftres.solve(None)", encoding="utf-8")
    found = {file.relative_to(PACKAGE).as_posix() for file in imported(path)}
    assert {"solvers/solve.py", "problems/regressions.py", "problems/many_targets.py"} <= found
