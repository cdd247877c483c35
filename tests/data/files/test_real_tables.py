"""Tables as pandas, R and spreadsheets write them: the right columns, or one line that says so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softres.common.errors import InputError
from softres.data.sets.file import File, load_file

A = np.random.default_rng(0).standard_normal((20, 3))
B = np.arange(20.0) / 190
TABLE = pd.DataFrame(A, columns=["f1", "f2", "f3"]).assign(b=B)
TEXT = TABLE.to_csv(index=False)
ROWS = TEXT.splitlines()[1:]
NUMBERED = [f'"{k}",{row}' for k, row in enumerate(ROWS, start=1)]


def instance_of(path, content, **options):
    """Return the instance of a table, given as text or as what writes it."""
    if callable(content):
        content(path)
    else:
        path.write_bytes(content.encode())
    return load_file(File(str(path), **options))


def with_index(values, name=None):
    return TABLE.set_index(pd.Index(values, name=name))


#: Content, options, and what is left out. All give A and b.
TAKEN = {
    "pandas' default.csv": (TABLE.to_csv(), {}, '""'),
    "shuffled index.csv": (with_index(range(20)).iloc[::-1].iloc[::-1].to_csv(), {}, '""'),
    "index of words.csv": (with_index([f"r{k}" for k in range(20)]).to_csv(), {}, '""'),
    "saved twice.csv": (
        TABLE.reset_index(names="Unnamed: 0").to_csv(),
        {},
        '"", Unnamed: 0',
    ),
    "R's write_csv.csv": ("\n".join(['"","f1","f2","f3","b"', *NUMBERED]), {}, '""'),
    "readr's.csv": ("\n".join(["...1,f1,f2,f3,b", *NUMBERED]), {}, "...1"),
    "named index.csv": (TABLE.rename_axis("id").to_csv(), {"columns": ["f1", "f2", "f3"]}, None),
    "blanks in names.csv": (TEXT.replace("f1,f2,f3,b", " f1, f2 , f3, b"), {}, None),
    "blanks and quotes.csv": (
        TEXT.replace("f1,f2,f3,b", '"f1", "f2", "f3", "b"').replace(",", ", "),
        {},
        None,
    ),
    "commas at the ends.csv": (TEXT.replace("\n", ",\n"), {}, '""'),
    "Windows' lines.csv": (TEXT.replace("\n", "\r\n"), {}, None),
    "byte order mark.csv": ("\ufeff" + TEXT, {}, None),
    "semicolons.csv": (TEXT.replace(",", ";"), {"separator": "semicolon"}, None),
    "decimal commas.csv": (
        TABLE.to_csv(index=False, sep=";", decimal=","),
        {"separator": "semicolon", "decimal": "comma"},
        None,
    ),
    "tabs.csv": (TEXT.replace(",", "\t"), {"separator": "tab"}, None),
    "tabs.tsv": (TEXT.replace(",", "\t"), {}, None),
    "blanks between.csv": (TEXT.replace(",", " "), {"separator": "blank"}, None),
    "packed.tsv.gz": (lambda path: TABLE.to_csv(path, sep="\t", index=False), {}, None),
    "packed.csv.bz2": (lambda path: TABLE.to_csv(path, index=False), {}, None),
    "no ending": (TEXT, {"format": "csv"}, None),
    "index of words.parquet": (
        with_index([f"r{k}" for k in range(20)]).to_parquet,
        {},
        "__index_level_0__",
    ),
    "named index.parquet": (with_index(np.arange(20) ** 2, "id").to_parquet, {}, "id"),
    "two indices.parquet": (TABLE.set_index([np.arange(20), B]).to_parquet, {}, "__index_level_0"),
    "counted rows.parquet": (TABLE.to_parquet, {}, None),
}


@pytest.mark.parametrize("name", TAKEN)
def test_the_columns_that_were_meant_are_taken_and_said(name, tmp_path):
    content, options, left_out = TAKEN[name]
    instance = instance_of(tmp_path / name, content, **options)
    np.testing.assert_allclose(instance.A, A, rtol=1e-12)
    np.testing.assert_allclose(instance.b, B, rtol=1e-12)
    assert instance.facts["A_is"] == "3 columns, f1, f2, f3"
    said = File(str(tmp_path / name), **options).remarks()
    assert said[0] == "A is 3 columns, f1, f2, f3"
    assert (len(said) == 2) == (left_out is not None)
    if left_out is not None:
        assert said[1].startswith(f"not in A: {left_out}")


REFUSED = {
    "named index.csv": (TABLE.rename_axis("id").to_csv(), "first column, id, counts the rows"),
    "reset index.csv": (TABLE.reset_index().to_csv(index=False), "first column, index, counts"),
    "from one.csv": (
        "\n".join(["id,f1,f2,f3,b", *NUMBERED]),
        r"counts the rows .*data\.columns=\[\.\.\.\] names the columns of A",
    ),
    "R's write_table.csv": (
        "\n".join(["f1,f2,f3,b", *NUMBERED]),
        "a row has 5 values and the first line 4 names; row names",
    ),
    "commas after rows.csv": (
        "\n".join(["f1,f2,f3,b", *(f"{row}," for row in ROWS)]),
        "a row has 5 values and the first line 4 names; .* a comma at the end",
    ),
    "semicolons.csv": (TEXT.replace(",", ";"), "by semicolons; data.separator=semicolon"),
    "tabs.csv": (TEXT.replace(",", "\t"), "by tabs; data.separator=tab"),
    "decimal commas.csv": (
        TABLE.to_csv(index=False, sep=";", decimal=","),
        "data.decimal=comma for numbers like 0,5",
    ),
    "blanks for names.csv": (TEXT.replace("f1,f2,f3,b", "f1,f2,f3, "), "has no column b"),
    "the same name.csv": (TEXT.replace("f1,f2", "f1, f1"), "more than one column f1"),
    "a gap.csv": (TEXT.replace(ROWS[4], "1,,2,0"), r"first is nan at A\[4, 1\], in column f2"),
    "NA.csv": (TEXT.replace(ROWS[7], "1,2,NA,0"), r"first is nan at A\[7, 2\], in column f3"),
    "no share.csv": (TEXT.replace(ROWS[9], "1,2,3,"), r"b holds NaN.*first is nan at b\[9\]"),
    "wide.csv": (TEXT.encode("utf-16").decode("latin-1"), "cannot be read as a CSV file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_be_meant_otherwise_is_refused(name, tmp_path):
    content, message = REFUSED[name]
    with pytest.raises(InputError, match=rf"^data\.path={tmp_path}/{name}: .*{message}"):
        instance_of(tmp_path / name, content)


def test_decimal_commas_that_were_not_asked_for(tmp_path):
    content = TABLE.to_csv(index=False, sep=";", decimal=",")
    with pytest.raises(InputError, match=r"f1 holds string.*or data\.decimal=comma"):
        instance_of(tmp_path / "t.csv", content, separator="semicolon")


def test_a_column_that_counts_is_taken_where_it_is_asked_for(tmp_path):
    content = TABLE.rename_axis("year").to_csv()
    instance = instance_of(tmp_path / "t.csv", content, columns=["year", "f1"])
    np.testing.assert_allclose(instance.A, np.column_stack([np.arange(20), A[:, 0]]), rtol=1e-12)
    assert instance.columns == ["year", "f1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": ";"}, "data.separator=;: allowed are comma, semicolon, tab, blank"),
        ({"decimal": ","}, "data.decimal=,: allowed are point, comma"),
        ({"decimal": "comma"}, "data.decimal=comma: .* data.separator=semicolon"),
        ({"format": "xlsx"}, "data.format=xlsx: allowed are npz, npy, mtx, parquet, csv, svm"),
        ({"A": "X"}, r"data\.A=X: only a \.npz file"),
    ],
)
def test_an_option_that_is_not_allowed_is_named(options, message):
    with pytest.raises(InputError, match=message):
        File("t.csv", **options)
