"""Errors of Hydra and OmegaConf become one line, and wrong input ends with status 2."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from softres.common.errors import InputError
from softres.config.choices import register
from softres.config.console_entry import run_command
from softres.config.one_line import one_line

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("backend=typo", "backend=typo: no such choice; allowed are cuda, dask, numpy, torch"),
        ("n=abc", "n=abc: must be a whole number"),
        ("n=1.5", "n=1.5: must be a whole number"),
        ("eps=small", "eps=small: must be a number"),
        ("typo=1", "typo: no such key; 'python run.py ... --cfg job' shows those there are"),
        (
            "data.zzzzz=1",
            "data.zzzzz: no such key; 'python run.py ... --cfg job' shows those there are",
        ),
    ],
)
def test_an_error_of_hydra_becomes_a_line_with_key_value_and_what_is_allowed(override, line):
    register()
    with (
        initialize_config_dir(version_base="1.3", config_dir=str(CONF)),
        pytest.raises((HydraException, OmegaConfBaseException)) as caught,
    ):
        compose("config", overrides=[override])
    assert one_line(caught.value) == line


@pytest.mark.parametrize(
    "override", ["n", "n=(", "n=[1", "force=maybe", "start=3", "+n=5", "eps=null"]
)
def test_any_other_error_is_still_one_line(override):
    register()
    with (
        initialize_config_dir(version_base="1.3", config_dir=str(CONF)),
        pytest.raises((HydraException, OmegaConfBaseException)) as caught,
    ):
        compose("config", overrides=[override])
    line = one_line(caught.value)
    assert override.split("=")[0].lstrip("+") in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "override", ["data.path=a[1].npz", "n=[1", "n=(", "tracking.experiment=Étude 1", "n"]
)
def test_what_hydra_cannot_read_is_repeated_with_what_helps(override):
    register()
    with (
        initialize_config_dir(version_base="1.3", config_dir=str(CONF)),
        pytest.raises(HydraException) as caught,
    ):
        compose("config", overrides=[override])
    line = one_line(caught.value)
    assert line.startswith(f"{override}: cannot be read as KEY=VALUE")
    assert line.endswith("\"KEY='...'\"")


@pytest.mark.parametrize(("number", "hint"), [(errno.EROFS, True), (errno.ENOENT, False)])
def test_a_folder_that_cannot_be_written_is_named_with_the_options_that_choose_it(number, hint):
    line = one_line(OSError(number, "No", "results"))
    assert line.startswith("results: No")
    assert ("hydra.run.dir" in line) == hint


def test_an_error_without_a_text_has_the_name_of_its_class():
    assert one_line(HydraException("")) == "HydraException"


def test_our_own_errors_are_a_line_already():
    assert one_line(InputError("n=0:\n  allowed is\n more")) == "n=0: allowed is more"


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """Put back what a command changes in its process."""
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


def raising(error):
    def main():
        raise error

    return main


def test_wrong_input_ends_with_status_2_and_a_line(capsys):
    with pytest.raises(SystemExit) as caught:
        run_command(raising(InputError("n=0: allowed is more")))
    assert caught.value.code == 2
    assert capsys.readouterr().err == "softres: n=0: allowed is more\n"


def test_an_interrupt_ends_with_status_130(capsys):
    with pytest.raises(SystemExit) as caught:
        run_command(raising(KeyboardInterrupt()))
    assert caught.value.code == 130
    assert capsys.readouterr().err.startswith("softres: interrupted")


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command(raising(ZeroDivisionError()))


def test_wrong_input_keeps_its_traceback_where_that_is_asked_for(monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(InputError):
        run_command(raising(InputError("n=0")))


def test_a_signal_to_end_unwinds_the_program():
    closed = []

    def main():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            closed.append(True)

    with pytest.raises(SystemExit) as caught:
        run_command(main)
    assert caught.value.code == 128 + signal.SIGTERM
    assert closed == [True]
