"""What people read beside a run's figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from softres.config.choices import register
from softres.config.settings import settings
from softres.harness.description import describe

CONF = str(Path(__file__).parents[2] / "conf")


@pytest.fixture
def described():
    register()

    def compose_and_describe(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=CONF):
            return describe(settings(compose("config", overrides=list(overrides))), "the command")

    return compose_and_describe


def test_a_description_names_the_problem_its_size_and_the_command(described):
    text = described("n=60", "d=4", "problem=softmax", "seed=3", "eps=1e-6", "weights.value=0.1")
    assert text.startswith("Problem `softmax`, solver `exact_newton`, 60 x 4.\n")
    assert "data `synthetic`, R = 4, seed 3; weights `relative` (0.1)" in text
    assert "eps = 1e-06 within 200 steps" in text
    assert text.endswith("```\nthe command\n```")
    assert "end:" not in text


def test_a_measurement_names_its_claim(described):
    text = described("experiment=quick/psd")
    assert text.startswith("Measurement of `psd`, ")
