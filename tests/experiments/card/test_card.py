"""The script for whoever has a card, dry: on the stand-in, small, without its tests."""

from __future__ import annotations

import json

import pytest
from stand_in import card as stand_in

from experiments.card import card

ARGUMENTS = ["--n", "4000", "--d", "20", "--size", "64"]


@pytest.mark.usefixtures("one_thread")
def test_it_times_every_solver_in_both_precisions(tmp_path, capsys):
    with stand_in():
        assert card([*ARGUMENTS, "--no-tests", "--out", str(tmp_path)]) == 0
    (written,) = tmp_path.glob("*.json")
    report = json.loads(written.read_text())
    assert written.stem == "stand_in"
    assert report["card"] in capsys.readouterr().out
    rows = report["solves"]
    assert {(row["n"], row["dtype"]) for row in rows} == {
        (n, dtype) for n in (4000, 200) for dtype in ("float64", "float32")
    }
    assert len(rows) == 12
    for row in rows:
        assert row["over_floor"] == pytest.approx(row["seconds"] / row["floor"])
        assert row["status"] == "converged", row


def test_without_a_card_it_says_so_in_a_line(tmp_path, capsys, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert card([*ARGUMENTS, "--out", str(tmp_path / "new")]) == 2
    assert "no CUDA device" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
