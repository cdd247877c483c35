"""A sweep beside a kept race, which is not run again."""

from __future__ import annotations

import json
from copy import copy

import numpy as np
import pandas as pd
import pytest

from softres.cli.figures import sweep_figures
from softres.results.archive import KEPT, Archive, open_archive
from softres.results.figures.against import draw_against

MACHINE = ("cpu", "cores", "blas_threads")


def test_the_kept_race_is_drawn_by_passes_and_says_why_not_by_seconds(runs):
    archive = open_archive(KEPT)
    drawing = draw_against(runs, archive)
    data = drawing.data
    assert set(data["clock"]) == {"passes"}
    assert set(data["from"]) == {"this sweep", "the reference"}
    assert "By seconds it cannot be compared: " in drawing.caption
    assert "was not run again" in drawing.caption
    texts = [
        item.get_text() for item in drawing.grid.figure.findobj(lambda i: hasattr(i, "get_text"))
    ]
    assert any("no seconds: " in text for text in texts)
    assert archive.targets == (1e-4, 1e-8, 1e-10)
    theirs = data[(data["from"] == "the reference") & (data["solver"] == "SciPy L-BFGS")]
    table = archive.medians[archive.medians["contestant"] == "scipy_lbfgs"]
    assert theirs["share"].max() == pytest.approx(table["passes"].notna().mean())
    ours = data[(data["from"] == "this sweep") & (data["solver"] == "exact Newton")]
    assert ours["share"].max() == 1.0


@pytest.fixture
def kept(runs, tmp_path):
    """An archive of the machine and the code that the runs have, and these without changes."""
    changed = copy(runs)
    changed.table = table = runs.table.assign(dirty=False)
    rows = [
        ("easy", "a", 1e-2, 0.5, 3.0),
        ("easy", "b", 1e-2, np.nan, np.nan),
        ("hard", "a", 1e-2, 4.0, 9.0),
    ]
    names = ["instance", "contestant", "level", "seconds", "passes"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "medians.csv", index=False)
    first = table.iloc[0]
    about = {key: str(first[key]) for key in MACHINE}
    about["runs"] = [{"commit": str(first["commit"]), "rules": {"clock": "wall"}}]
    (tmp_path / "environment.json").write_text(json.dumps(about))
    return changed, Archive("kept", tmp_path), about


def test_seconds_are_compared_where_machine_and_code_are_the_same(kept):
    runs, archive, about = kept
    assert archive.differs(runs) == ""
    assert set(draw_against(runs, archive).data["clock"]) == {"passes", "solve_seconds"}
    # Only what both contestants ran on counts, and a miss never ends.
    assert {name: list(taken) for name, taken in archive.spent("solve_seconds").items()} == {
        "a": [0.5], "b": [np.inf],
    }  # fmt: skip
    for key, value in (("cpu", "another"), ("blas_threads", "openblas=64")):
        (archive.folder / "environment.json").write_text(json.dumps(about | {key: value}))
        other = Archive("kept", archive.folder)
        assert other.differs(runs).startswith(f"another {key.replace('_', ' ')}: {value}, here ")
        assert set(draw_against(runs, other).data["clock"]) == {"passes"}


def test_an_archive_that_is_not_there_is_one_line(store, tmp_path, capsys):
    words = ["--sweep", "last", "--store", str(store), "--out", str(tmp_path)]
    assert sweep_figures([*words, "--against", "nowhere"]) == 2
    assert capsys.readouterr().err == (
        "softres: --against nowhere: nowhere/medians.csv is not there; allowed are reference, in a "
        "copy of the project, and a folder that benchmark.py wrote\n"
    )
