"""Derived arrays are made once, and again where their file is damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softres.common.errors import InputError
from softres.data.fetch import source
from softres.data.fetch.download import Package
from softres.data.fetch.source import Source

ONE = Package("one", "1", "1" * 64, 1, "MIT")
TWO = Package("two", "2", "2" * 64, 2, "MIT")
SOURCE = Source("both", ((ONE, ("a.txt",)), (TWO, ("b.txt",))), recipe=1)


@pytest.fixture
def fetched(monkeypatch, tmp_path):
    """The packages lie in folders already; the calls that ask for them are counted."""
    calls = []

    def fetch(package, members, cache):
        calls.append((package.name, members))
        folder = tmp_path / package.name
        folder.mkdir(exist_ok=True)
        for member in members:
            (folder / member).write_text(package.version)
        return folder

    monkeypatch.setattr(source, "fetch", fetch)
    return calls


def derive(one, two):
    return {"x": np.array([int((one / "a.txt").read_text()), int((two / "b.txt").read_text())])}


def test_arrays_are_derived_once_from_the_members_of_each_package(fetched, tmp_path, capsys):
    for _ in range(2):
        assert SOURCE.arrays(derive, cache=tmp_path)["x"].tolist() == [1, 2]
    assert fetched == [("one", ("a.txt",)), ("two", ("b.txt",))]
    assert capsys.readouterr().err.count("preparing both") == 1
    assert SOURCE.path(cache=tmp_path).exists()


def test_what_reads_the_files_must_be_there_before_they_are_downloaded(fetched, tmp_path):
    needy = replace(SOURCE, readers=("json", "no_reader", "nor_this"))
    with pytest.raises(InputError) as error:
        needy.arrays(derive, cache=tmp_path)
    assert str(error.value) == "data=both: needs no_reader, nor_this: pip install 'softres[data]'"
    assert fetched == []


def test_arrays_that_are_cached_need_no_reader(fetched, tmp_path):
    SOURCE.arrays(derive, cache=tmp_path)
    needy = replace(SOURCE, readers=("no_reader",))
    assert needy.arrays(derive, cache=tmp_path)["x"].tolist() == [1, 2]


def test_options_pins_and_recipe_each_make_another_file(tmp_path):
    other_pin = Package("one", "1", "3" * 64, 1, "MIT")
    others = [
        Source("both", SOURCE.files, 2),
        Source("both", ((other_pin, ()), SOURCE.files[1]), 1),
    ]
    paths = {SOURCE.path(cache=tmp_path), SOURCE.path(5, cache=tmp_path)}
    paths |= {other.path(cache=tmp_path) for other in others}
    assert len(paths) == 4


def test_a_damaged_file_is_set_aside_and_derived_anew(fetched, tmp_path, capsys):
    SOURCE.arrays(derive, cache=tmp_path)
    path = SOURCE.path(cache=tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    assert SOURCE.arrays(derive, cache=tmp_path)["x"].tolist() == [1, 2]
    said = capsys.readouterr().err
    assert f"{path} is damaged" in said
    assert "run again" not in said
    assert len(list(path.parent.glob("*.damaged-*"))) == 1
    assert len(fetched) == 4
