"""What a report says of downloads before it starts, and what it does without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.report import build
from experiments.report.build import Request
from experiments.report.downloads import downloads


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with nothing in it."""
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_what_would_be_downloaded_is_said_with_its_size(cache):
    found = downloads(["gradient", "large_data", "convergence"], "quick")
    assert found.here == {"large_data": ["digits"]}
    assert found.missing == {"large_data": ["unembedding_minilm", "attention_smollm2"]}
    assert found.told.startswith(f"downloads {found.megabytes:.0f} MB once, about ")
    assert 200 < found.megabytes < 260
    assert max(map(len, found.told.splitlines())) <= 80
    assert downloads(["gradient"], "quick").told == ""


def test_without_downloads_only_what_is_here_runs(cache, monkeypatch):
    ran, said = [], []
    monkeypatch.setattr(build, "run_missing", lambda *given: ran.append(given) or True)
    request = Request("quick", ["gradient", "large_data"], out=cache)
    assert build._run(replace(request, download=False), said.append)
    assert [(given[0], list(given[-1])) for given in ran] == [
        ("gradient", []), ("large_data", ["digits"]),
    ]  # fmt: skip
    assert said == [
        "[2/2] large_data: without unembedding_minilm, attention_smollm2, which would be downloaded"
    ]
    assert build._run(request, said.append)
    assert said[1].startswith("downloads ")
    assert ran[-1][-1] == ()
