"""A store that no other try will open, and one whose file is deleted or replaced under way."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from disks import COLUMNS, DATA, TRACE, check_complete, finish

from softres.common.errors import InputError
from softres.tracking import TrackingOptions, open_store
from softres.tracking.durable.outage import AwayError
from softres.tracking.store import lost_stores


def folder(path, _):
    path.mkdir()


def text(path, _):
    path.write_text("no database at all")


def damaged(path, database):
    content = bytearray(database.read_bytes())
    content[100:4096] = bytes(3996)
    path.write_bytes(content)


def older(path, database):
    shutil.copy(database, path)
    with sqlite3.connect(path) as connection:
        connection.execute("update alembic_version set version_num = 'bd07f7e963c5'")
    connection.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (folder, "is a folder"),
        (text, "is no SQLite database"),
        (damaged, "is damaged"),
        (older, "'mlflow db upgrade sqlite:///"),
    ],
)
@pytest.mark.parametrize("patient", [True, False])
def test_what_no_other_try_will_open_is_refused_in_a_line(
    tmp_path, empty_database, make, words, patient
):
    path = tmp_path / "store.db"
    make(path, empty_database)
    options = TrackingOptions(uri=f"sqlite:///{path}", folder=str(tmp_path))
    with pytest.raises(InputError, match=words) as refused:
        open_store(options, patient=patient)
    assert not isinstance(refused.value, AwayError)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "spool").exists()


def begun(store, under_way):
    """Record a run in the middle of which something happens."""
    with store.start_run("a run", {"n": 5}, {"key": "k1"}) as run:
        run.curves({name: values[:2] for name, values in TRACE.items()}, **COLUMNS, final=False)
        run.works_on(DATA)
        under_way()
        run.curves(TRACE, **COLUMNS)
        run.table(TRACE)
        run.tags({"status": "converged"})
        run.metrics({"steps": 2.0})
    return run


def test_a_run_whose_file_is_deleted_is_recorded_whole_in_the_next_one(disk, empty_database, capfd):
    file = disk.there / "mlflow.db"
    finish(disk.open(), "earlier", {"key": "k0"})
    run = begun(disk.open(), file.unlink)
    later = finish(disk.open(), "later", {"key": "k2"})  # no new store is made within a command
    assert not file.exists()
    assert len(disk.waiting()) == 2
    assert file in lost_stores()
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "deleted or replaced" in said
    shutil.copy(empty_database, file)
    disk.open()
    client, stored = disk.stored()
    assert sorted(one.info.run_name for one in stored) == ["a run", "later"]
    for one in stored:
        expected = run if one.info.run_name == "a run" else later
        check_complete(client, one, expected.start)
    assert disk.waiting() == []


def test_a_run_whose_file_is_replaced_is_recorded_whole_in_the_new_one(disk, empty_database):
    file = disk.there / "mlflow.db"

    def replace():
        copy = Path(shutil.copy(empty_database, disk.there / "new.db"))
        copy.replace(file)

    run = begun(disk.open(), replace)
    assert file in lost_stores()
    later = finish(disk.open(), "later", {"key": "k2"})
    client, stored = disk.stored()
    assert sorted(one.info.run_name for one in stored) == ["a run", "later"]
    for one in stored:
        expected = run if one.info.run_name == "a run" else later
        check_complete(client, one, expected.start)
    assert disk.waiting() == []
