"""At the end of a sweep it is drawn, and so is each of its runs; no job depends on that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from softres.harness.terminal.figures import show_figures
from softres.results.standard import draw_standard
from softres.tracking import TrackingOptions

ROOT = Path(__file__).parents[2]


class Kept:
    """Takes the files of runs."""

    def __init__(self):
        self.runs = []

    def __call__(self, run, path, tags):
        assert (path.name, tags) == ("convergence.png", {"figure": "convergence.png"})
        with Image.open(path) as image:
            image.load()
        self.runs.append(run)


def test_a_sweep_draws_itself_in_its_folder_and_each_run_among_its_artifacts(store, runs):
    names = {path.name for path in store.glob("sweeps/*/*.png")}
    assert names == {"convergence_step.png", "convergence_second.png"}
    drawn = {path.parts[-3] for path in store.glob("artifacts/*/artifacts/convergence.png")}
    assert drawn == set(runs)
    assert set(runs.table["figure"]) == {"convergence.png"}


def test_where_no_job_ran_nothing_is_drawn_again(store, tmp_path):
    kept = Kept()
    assert draw_standard("tiny sweep", str(store), tmp_path, kept, ran=False) == []
    assert (kept.runs, list(tmp_path.iterdir())) == ([], [])


def test_a_run_without_a_figure_gets_one_later(copied, change, runs, tmp_path):
    missing = list(runs)[:2]
    for run in missing:
        change(copied, "delete from tags where key = 'figure' and run_uuid = ?", run)
    kept = Kept()
    paths = draw_standard("tiny sweep", str(copied), tmp_path, kept, ran=False)
    assert sorted(kept.runs) == sorted(missing)
    assert [path.name for path in paths] == ["convergence_step.png", "convergence_second.png"]


def test_passes_stand_in_for_times_that_cannot_be_compared(copied, change, tmp_path):
    change(copied, "update tags set value = 'false' where key = 'timing_valid'")
    paths = draw_standard("tiny sweep", str(copied), tmp_path, Kept(), ran=True)
    assert [path.name for path in paths] == ["convergence_step.png", "convergence_pass.png"]
    assert all(path.stat().st_size > 10_000 for path in paths)


@pytest.mark.parametrize("sweep", ["tiny sweep", "none of this name"])
def test_what_cannot_be_drawn_is_a_line(copied, change, tmp_path, capsys, sweep):
    nowhere = tmp_path / "missing" / "folder"
    place = TrackingOptions(folder=str(copied))
    show_figures(place, sweep, nowhere, ran=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("no figures of this sweep: ")
    assert len(line) <= 80


def test_a_sweep_can_go_without(tmp_path):
    words = ["n=30", "d=2", "seed=0,1", "sweep.figures=false"]
    ended = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "-m", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "SOFTRES_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "converged after" in ended.stdout
    assert list(tmp_path.rglob("*.png")) == []
