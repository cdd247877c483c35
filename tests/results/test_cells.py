"""A name from a store is text in a spreadsheet, never a formula."""

from __future__ import annotations

import pandas as pd

from softres.results.writing.cells import write_csv


def test_cells_that_begin_like_formulas_are_text(tmp_path):
    names = ["=1+1", "+1", "-1", "@sum", "\tx", "plain", "a=b"]
    table = pd.DataFrame({"=key": names, "loss": [-1.5, 2, 3, 4, 5, 6, 7]})
    write_csv(table, tmp_path / "t.csv")
    again = pd.read_csv(tmp_path / "t.csv")
    assert list(again.columns) == ["'=key", "loss"]
    assert list(again["'=key"]) == [f"'{name}" for name in names[:4]] + [r"\tx", *names[5:]]
    assert list(again["loss"]) == list(table["loss"])
    assert list(table["=key"]) == names
