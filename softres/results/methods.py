"""What is compared, and on what: methods and instances of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softres.results.columns import REPETITIONS
from softres.results.figures import labels

if TYPE_CHECKING:
    import pandas as pd

    from softres.results.runs import Runs

__all__ = ["METHOD", "instance_keys", "method_key", "with_methods"]

METHOD = "method"
#: Keys that make another method of a solver, with the options below them.
_OF_METHOD = ("solver", "backend")


def _method_keys(runs: Runs) -> list[str]:
    return [key for key in runs.varied if key.split(".")[0] in _OF_METHOD]


def instance_keys(runs: Runs) -> list[str]:
    """Return the swept keys, repetitions among them, that make instances and not methods."""
    methods = _method_keys(runs)
    return [key for key in runs.swept if key not in methods]


def method_key(runs: Runs) -> str | None:
    """Return the column that tells methods apart: a key where it does so alone, or `METHOD`.

    None where there is only one method.
    """
    keys = _method_keys(runs)
    if not keys:
        return None
    return keys[0] if len(keys) == 1 else METHOD


def with_methods(runs: Runs) -> pd.DataFrame:
    """Return the table with columns ``method``, in words, and ``case``, the instance's."""
    keys = _method_keys(runs)
    table = runs.table
    if keys:
        words = [
            ", ".join(
                labels.assignment(key, item)
                for key, item in zip(keys, row, strict=True)
                if key in REPETITIONS or key == "solver" or labels.value(item) != "none"
            )
            for row in table[keys].itertuples(index=False)
        ]
    else:
        words = [labels.value(item) for item in table.get("solver", table["name"])]
    parts = [key for key in ("instance", *instance_keys(runs)) if key in table]
    cases = table[parts].astype(str).agg("|".join, axis=1) if parts else "the instance"
    return table.assign(**{METHOD: words, "case": cases})
