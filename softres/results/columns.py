"""What a store keeps as text, as typed columns; and which keys a sweep varied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from softres.common.text import printable
from softres.tracking.sweeps import PREFIX

__all__ = ["GROUPS", "REPETITIONS", "Record", "as_table", "swept_keys", "typed"]

#: Keys that tell repetitions of one thing apart: figures take the median over them.
REPETITIONS = ("seed",)
#: Keys whose choice brings options of its own, ``solver`` those of ``solver.*`` and its limits.
GROUPS = ("solver", "problem", "backend", "data", "weights", "start.kind", "experiment.id")
#: Tags that hold numbers; all others are text, a hash of digits and an "e" among them.
_NUMBERS = ("cores", "pid")
_WORDS = {"True": True, "true": True, "False": False, "false": False}
_MISSING = ("None", "null", "")


@dataclass(frozen=True)
class Record:
    """A run as its store has it, all text but the metrics.

    Attributes
    ----------
    run, name
        Its id, and its name for people.
    state
        FINISHED, FAILED, KILLED or RUNNING.
    start
        When it started, Unix time in ms.
    experiment
        MLflow experiment.
    artifacts
        URI of the folder of its files.
    params, tags, metrics
        As logged; of a metric the last value.
    """

    run: str
    name: str
    state: str
    start: int
    experiment: str
    artifacts: str
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    def shown(self) -> Record:
        """Return the run with what a terminal obeys escaped in all that people read of it."""
        return replace(
            self,
            name=printable(self.name),
            state=printable(self.state),
            experiment=printable(self.experiment),
            params={printable(key): printable(text) for key, text in self.params.items()},
            tags={printable(key): printable(text) for key, text in self.tags.items()},
            metrics={printable(key): value for key, value in self.metrics.items()},
        )


def typed(values: Iterable[str | None], *, numbers: bool = True) -> pd.Series:
    """Return texts as a column of numbers or booleans where all of them are; None is missing.

    Parameters
    ----------
    values
        The texts. ``None``, ``null`` and the empty text count as missing.
    numbers
        Whether texts that read as numbers are numbers.
    """
    texts = [None if value is None or value in _MISSING else value for value in values]
    given = [text for text in texts if text is not None]
    if given and all(text in _WORDS for text in given):
        words = [None if text is None else _WORDS[text] for text in texts]
        return pd.Series(words, dtype="bool" if len(given) == len(texts) else "boolean")
    if numbers and given:
        column = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
        readable = all(re.fullmatch(r"[-+.\w]+", text) for text in given)
        if readable and int(column.notna().sum()) == len(given):
            return column
    return pd.Series(texts, dtype=object)


def as_table(records: Sequence[Record]) -> pd.DataFrame:
    """Return one row a run, in the order given.

    Columns: ``run``, ``name``, ``sweep``, ``state`` (how the run ended, as MLflow has it),
    ``status`` (how the solve ended, in words), ``started``; then parameters by their keys, the last
    value of every metric, and tags. Of a key that is both, the parameter counts.
    """
    params = _keys(record.params for record in records)
    metrics = [key for key in _keys(record.metrics for record in records) if key not in params]
    fixed = ("sweep", "status")
    taken = {*params, *metrics, *fixed}
    tags = [
        key
        for key in _keys(record.tags for record in records)
        if key not in taken and not key.startswith(("mlflow.", PREFIX))
    ]
    columns: dict[str, pd.Series] = {
        "run": pd.Series([record.run for record in records], dtype=object),
        "name": pd.Series([record.name for record in records], dtype=object),
        "state": pd.Series([record.state for record in records], dtype=object),
        "started": pd.to_datetime(pd.Series([record.start for record in records]), unit="ms"),
    }
    for key in fixed:
        values = (record.tags.get(key) for record in records)
        columns[key] = typed(values, numbers=False)
    for key in params:
        columns[key] = typed(record.params.get(key) for record in records)
    for key in metrics:
        columns[key] = pd.Series([record.metrics.get(key) for record in records], dtype=float)
    for key in tags:
        numbers = key in _NUMBERS or key.startswith("data.")
        columns[key] = typed((record.tags.get(key) for record in records), numbers=numbers)
    order = ("run", "name", "sweep", "state", "status", "started")
    table = pd.DataFrame(columns)
    return table[[*order, *(key for key in table if key not in order)]]


def swept_keys(table: pd.DataFrame, params: Sequence[str]) -> tuple[str, ...]:
    """Return the parameters that vary between runs because somebody varied them.

    A key that only follows another one is left out, unless a command line set it: the options that
    a solver brings, the size that a data set has.

    Parameters
    ----------
    table
        One row a run; its column ``overrides`` holds what the command line set.
    params
        The columns that are parameters.
    """
    varying = [key for key in params if table[key].nunique(dropna=False) > 1]
    overrides = table["overrides"].dropna() if "overrides" in table else ()
    asked = {word.split("=", 1)[0].lstrip("+~") for line in overrides for word in line.split()}
    asked = {key.removesuffix(".name") for key in asked}
    groups = [key for key in GROUPS if key in varying]
    kept = []
    for key in varying:
        leaders = [group for group in groups if group != key]
        follows = any(
            int(table.groupby(leader, dropna=False)[key].nunique(dropna=False).max()) == 1
            for leader in leaders
        )
        if key in asked or not follows:
            kept.append(key)
    first = [key for key in GROUPS if key in kept]
    return (*first, *(key for key in kept if key not in first))


def _keys(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """Return all keys, in the order in which they first appear."""
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))
