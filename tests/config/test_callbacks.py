"""What a callback raises ends the command, past Hydra, which would make a warning of it."""

import sys

import pytest
from hydra._internal.callbacks import Callbacks
from omegaconf import OmegaConf

from softres.common.errors import InputError
from softres.config.callbacks import RaisedInCallback, SoftresCallback
from softres.config.console_entry import run_command

CONFIG = OmegaConf.create({})


@pytest.mark.parametrize("method", ["on_run_start", "on_run_end", "on_multirun_start"])
def test_hydra_does_not_swallow_what_a_callback_raises(method):
    callbacks = Callbacks()
    callbacks.callbacks = [SoftresCallback()]
    with pytest.raises(RaisedInCallback) as raised:
        getattr(callbacks, method)(config=CONFIG, config_name=None)
    assert "hydra" in str(raised.value.error) or "experiment" in str(raised.value.error)


def carrying(error):
    def main():
        raise RaisedInCallback(error)

    return main


def test_bad_input_found_in_a_callback_is_one_line_and_status_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run.py"])
    with pytest.raises(SystemExit) as ended:
        run_command(carrying(InputError("n=-1: allowed is a whole number")))
    assert ended.value.code == 2
    assert capsys.readouterr().err == "softres: n=-1: allowed is a whole number\n"


def test_an_unexpected_error_in_a_callback_is_raised(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run.py"])
    with pytest.raises(TypeError, match="a fault"):
        run_command(carrying(TypeError("a fault")))
