"""The digest of a file is that of its code, on every Python, read once and kept."""

from __future__ import annotations

import ast
import hashlib
import json

import pytest

from softres.harness.keys import code
from softres.harness.keys.code import canonical, code_digest, source

BASE = '''
"""A module."""
from typing import TYPE_CHECKING
import math

if TYPE_CHECKING:
    from somewhere import Thing


class Round:
    """A round thing."""

    radius: float = 1.0
    """Its radius."""

    def area(self, scale: "Thing" = None, *, digits=3) -> float:
        """Return the area."""
        first, *rest = [self.radius, None, ..., b"x", 1e-3, 2j]
        return f"{math.pi * first ** 2:.{digits}f} {rest!r}" "m"  # square metres
'''
#: The same in Python 3.11, 3.12 and 3.13.
DIGEST = "4f4bd41766200a6ac7a0418bf96a1cf62fc0594bc0f8a104a7d6c25b6610be3a"


def said(text):
    return canonical(ast.parse(text))


def test_the_text_of_a_tree_is_the_same_in_every_python():
    assert hashlib.sha256(said(BASE).encode()).hexdigest() == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # square metres", ""),
        ('"""A module."""', '"""Another text\n\nof two lines."""'),
        ('"""Return the area."""', "# Return the area."),
        ('    """Its radius."""\n', ""),
        ("first ** 2", "(first**2)"),
        ("[self.radius, None,", "[\n            self.radius,\n            None,"),
        ("    from somewhere import Thing", "    from elsewhere import Other"),
        ("import math\n\n", "\n\n\n\nimport math\n\n\n"),
        ("1e-3", "0.001"),
        ('b"x"', "b'x'"),
        ('" "m"', '" "" "m"'),
    ],
)
def test_comments_docstrings_and_formatting_are_not_in_it(old, new):
    assert old in BASE
    assert said(BASE.replace(old, new)) == said(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.0", "1"),
        ("first ** 2", "first ** 3"),
        ("first ** 2", "first * 2"),
        ('"m"', '"mm"'),
        ("{rest!r}", "{rest!s}"),
        (".{digits}f", ".{digits}e"),
        ("digits=3", "digits=4"),
        ("None, ...", "..., None"),
        ("*, digits", "digits"),
        ("class Round:", "class Round(Base):"),
        ("radius: float", "radius: int"),
        ("import math", "import cmath as math"),
        ('"Thing" = None', '"Thing" = True'),
        ("    def area", "    @property\n    def area"),
    ],
)
def test_all_that_runs_is_in_it(old, new):
    assert old in BASE
    assert said(BASE.replace(old, new)) != said(BASE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(*a)", "f(a)"),
        ("f(**a)", "f(*a)"),
        ("x = 1", "x == 1"),
        ("x = (1, 2)", "x = [1, 2]"),
        ("x = '1'", "x = 1"),
        ("x = True", "x = 1"),
        ("a < b < c", "a < b <= c"),
        ("{**a}", "{a}"),
        ("if a: pass\nelse: x()", "if a: pass\nx()"),
        ("if TYPE_CHECKING: pass\nelse: x()", "if TYPE_CHECKING: pass"),
        ("for a in b: pass", "async def f():\n  async for a in b: pass"),
        ("assert a", "a"),
        ("return_ = None", "return_: None"),
        ("x = f'{a}'", "x = f'a'"),
        ("x = f'{a}{b}'", "x = f'{a} {b}'"),
        ("global a\na = 1", "a = 1"),
    ],
)
def test_trees_that_differ_read_differently(one, other):
    assert said(one) != said(other)


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Keep what is read in a folder of its own; return a function that starts another process."""
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path / "cache"))

    def begin():
        for function in (source, code._kept):
            function.cache_clear()

    begin()
    monkeypatch.setattr(code, "_new", {})
    yield begin
    begin()


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(BASE, encoding="utf-8")
    return path


def test_a_digest_is_of_names_and_code(fresh, module):
    digest = code_digest([("a.py", module), ("b.py", module)])
    assert len(digest) == 64
    assert code_digest([("b.py", module), ("a.py", module)]) == digest
    assert code_digest([("a.py", module), ("c.py", module)]) != digest
    assert code_digest([("a.py", module)]) != digest


def test_a_process_reads_a_file_once_for_that_is_the_code_it_runs(fresh, module):
    before = source(module)
    module.write_text("x = 1\n", encoding="utf-8")
    assert source(module) is before
    fresh()
    assert source(module) != before


def test_what_was_read_is_kept_by_the_bytes_of_the_file(fresh, module, monkeypatch):
    digest, found = code_digest([("a.py", module)]), source(module)
    fresh()
    monkeypatch.setattr(code.ast, "parse", None)  # nothing is left to parse
    assert source(module) == found
    assert code_digest([("a.py", module)]) == digest


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"a": 1}', '{"a": ["x", [1]]}', '"text"'])
def test_a_damaged_file_of_what_was_read_counts_as_none(fresh, module, kept):
    digest = code_digest([("a.py", module)])
    file = code._file()
    assert len(json.loads(file.read_text(encoding="utf-8"))) == 1
    file.write_text(kept, encoding="utf-8")
    fresh()
    assert code_digest([("a.py", module)]) == digest
    assert len(json.loads(file.read_text(encoding="utf-8"))) == 1


def test_a_cache_that_cannot_be_written_costs_time_only(fresh, module, monkeypatch, tmp_path):
    expected = code_digest([("a.py", module)])
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path / "file"))
    fresh()
    assert code_digest([("a.py", module)]) == expected
