"""What waits is damaged, or half deleted: it is set aside, and the rest goes on."""

import json
import os
import shutil
from pathlib import Path

import pytest
from disks import check_complete, finish, sync

from softres.tracking.durable import waiting

RECORD = {"uri": "sqlite:////x.db", "experiment": "study"}
DAMAGED = {
    "empty": "",
    "truncated": '{"uri": "sqlite:////x.db", "exper',
    "another kind": "[1, 2]",
    "an unknown field": json.dumps(RECORD | {"z": 1}),
    "a missing field": json.dumps({"uri": "sqlite:////x.db"}),
    "tags that are none": json.dumps(RECORD | {"tags": ["a"]}),
    "a start that is none": json.dumps(RECORD | {"start": "now"}),
    "a folder": json.dumps(RECORD | {"folder": "/"}),
    "another encoding": "\x00\x01",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_is_set_aside_with_a_line(disk, capfd, content):
    folder = Path(disk.options.folder) / "spool" / "abc"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(content)
    run = finish(disk.open())
    client, (stored,) = disk.stored()
    check_complete(client, stored, run.start)
    said = capfd.readouterr().err
    assert (said.count("\n"), said.count("abc.damaged")) == (1, 1)
    assert (folder.with_name("abc.damaged") / "run.json").read_text() == content
    assert not folder.exists()


def away(disk, *names):
    """Record runs while the store is away, and put it back."""
    disk.open()
    disk.take_off()
    runs = {name: finish(disk.open(), name, {"key": name}) for name in names}
    disk.put_back()
    return runs


def folder_of(disk, name):
    (folder,) = [run.folder for run in disk.waiting() if run.name == name]
    return folder


@pytest.mark.parametrize("damage", ["points", "files"])
def test_a_run_that_cannot_be_read_is_set_aside_and_the_rest_is_delivered(disk, capfd, damage):
    runs = away(disk, "first", "second", "third")
    folder = folder_of(disk, "second")
    if damage == "points":
        path = folder / "points-0000.parquet"
        path.write_bytes(path.read_bytes()[:40])
    else:
        shutil.rmtree(folder / "files")
    disk.open()
    client, stored = disk.stored()
    assert {run.info.run_name for run in stored} == {"first", "third"}
    for run in stored:
        check_complete(client, run, runs[run.info.run_name].start)
    assert disk.waiting() == []
    assert capfd.readouterr().err.count("was set aside as") == 1
    assert folder.with_name(f"{folder.name}.damaged").is_dir()


def test_a_kill_while_a_delivered_run_is_deleted_leaves_nothing(disk, monkeypatch):
    runs = away(disk, "first", "second")

    class Kill(BaseException):
        pass

    def killed(folder, ignore_errors):
        (folder / "files" / "trace.parquet").unlink()
        raise Kill

    with monkeypatch.context() as patch:
        patch.setattr(waiting.shutil, "rmtree", killed)
        with pytest.raises(Kill):
            disk.open()
    disk.open()
    client, stored = disk.stored()
    assert sorted(run.info.run_name for run in stored) == ["first", "second"]
    for run in stored:
        check_complete(client, run, runs[run.info.run_name].start)
    left = {path.name for path in (Path(disk.options.folder) / "spool").iterdir()}
    assert left <= {".lock"}


def test_a_kill_while_a_run_is_put_into_the_spool_leaves_nothing(disk):
    spool = Path(disk.options.folder) / "spool"
    gone = spool / ".new-999999999-abc"
    gone.mkdir(parents=True)
    os.utime(gone, (0, 0))
    under_way = spool / f".new-{os.getpid()}-abc"
    under_way.mkdir()
    disk.open()
    assert (gone.exists(), under_way.exists()) == (False, True)


def test_sync_names_what_is_set_aside_and_tries_again_what_was_refused(disk):
    away(disk, "a run")
    folder = folder_of(disk, "a run")
    refused = folder.rename(folder.with_name(f"{folder.name}.refused"))
    ended = sync(disk)
    assert (ended.returncode, ended.stdout) == (1, "nothing waits\n")
    assert str(refused) in ended.stderr
    assert "--refused tries it again" in ended.stderr
    ended = sync(disk, "--refused")
    assert (ended.returncode, ended.stdout) == (0, "delivered 1 runs, 0 wait\n"), ended.stderr
    assert len(disk.stored()[1]) == 1
