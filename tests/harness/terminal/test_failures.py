"""Why a job failed is said once a cause, and with a traceback only where the code is to blame."""

import errno

import pytest

from softres.common.errors import InputError
from softres.harness.terminal import failures
from softres.harness.terminal.failures import show_failure


@pytest.fixture(autouse=True)
def _nothing_was_told(monkeypatch):
    monkeypatch.setattr(failures, "_told", set())


def raised(error):
    try:
        raise error
    except Exception as caught:
        return caught


def test_a_full_disk_is_told_once_whatever_the_file(capsys):
    for job in range(5):
        full = OSError(errno.ENOSPC, "No space left on device", f"/disk/{job}.parquet")
        note = show_failure(f"job {job + 1} (a run)", raised(full))
        assert note == f"OSError: [Errno 28] No space left on device: '/disk/{job}.parquet'"
    shown = capsys.readouterr()
    assert shown.err == (
        "softres: job 1 (a run): OSError: [Errno 28] No space left on device: '/disk/0.parquet'\n"
    )
    assert shown.out.count("failed: OSError") == 4


def test_an_error_of_a_store_is_one_line_without_its_statement(capsys):
    from sqlalchemy.exc import OperationalError

    error = OperationalError("INSERT ...", {}, Exception("database is locked"))
    show_failure("job 1 (a run)", raised(error))
    assert capsys.readouterr().err.count("\n") == 1


def test_a_fault_of_the_code_comes_with_its_traceback_once(capsys):
    for job in range(3):
        show_failure(f"job {job}", raised(RuntimeError(f"no luck with {job}")))
    shown = capsys.readouterr()
    assert shown.err.count("Traceback") == 1
    assert "RuntimeError: no luck with 0" in shown.err
    assert shown.out.count("failed: RuntimeError: no luck") == 2


def test_other_causes_are_told_too(capsys):
    for text in ("n=1: too small", "n=2: too small", "n=1: too small"):
        assert show_failure("job 1", raised(InputError(text))) == text
    assert capsys.readouterr().err.count("\n") == 2
