"""Runs as data: one row a run, one row a step, and what was swept."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from softres.common.errors import InputError
from softres.results.columns import REPETITIONS, swept_keys

if TYPE_CHECKING:
    import seaborn as sns

    from softres.results.artifacts import TraceReader

__all__ = ["Runs"]

#: Tags whose difference between runs a figure's caption speaks of.
_SETTING = ("commit", "cpu", "host", "launcher", "blas_threads", "torch", "numpy")
_SHOWN = ("status", "steps", "passes", "solve_seconds", "relative_error_l2")


class Runs:
    """Some logged runs.

    Parameters
    ----------
    table
        One row a run; see `table`.
    params
        The columns of the table that are parameters.
    reader
        Reads traces of runs by their ids.
    notes
        What was left out, and why, a line each.
    source
        Where the runs come from: ``sweeps``, ``where`` and ``store``.

    Attributes
    ----------
    table
        One row a run, typed. ``run`` (the id), ``name``, ``sweep``, ``state`` (FINISHED, FAILED,
        ...), ``status`` (how the solve ended: converged, step limit, ...), ``started``; the
        parameters by their keys (``n``, ``solver``, ``weights.value``, ...); the last value of
        every metric (``steps``, ``passes``, ``solve_seconds``, ``relative_error_l2``, ...);
        tags (``instance``, ``commit``, ``timing_valid``, ...). Characters that a terminal obeys,
        line breaks among them, are escaped in all that a store says.
    notes
        What was left out, and why, a line each.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        params: Sequence[str],
        reader: TraceReader,
        notes: Sequence[str] = (),
        source: Mapping[str, Any] | None = None,
    ) -> None:
        self.table = table
        self.params = tuple(params)
        self.notes = list(notes)
        self.source = dict(source or {})
        self._reader = reader

    @cached_property
    def swept(self) -> tuple[str, ...]:
        """The parameters that vary between the runs because somebody varied them."""
        return swept_keys(self.table, self.params)

    @property
    def varied(self) -> tuple[str, ...]:
        """The swept keys that are more than repetitions."""
        return tuple(key for key in self.swept if key not in REPETITIONS)

    @cached_property
    def differing(self) -> dict[str, int]:
        """What differs between runs without having been swept, and in how many values."""
        counts = {key: self.table[key].nunique() for key in _SETTING if key in self.table}
        return {key: int(count) for key, count in counts.items() if count > 1}

    @cached_property
    def traces(self) -> pd.DataFrame:
        """One row a step, the start included as step 0.

        Columns: ``run``, ``step``, ``solve_seconds``, ``passes``, ``loss``, ``error_l2``,
        ``error_H``, ``relative_error_l2``, ``relative_error_H``, ``relative_gradient``, their
        log10, contractions, seconds of the phases, and what each solver says of its steps;
        ``softres.solve`` has them all. Measurements of claims have no trace.
        """
        return self._reader(list(self.table["run"]))

    @cached_property
    def untraced(self) -> list[str]:
        """Names of the runs that have no trace: it is missing, or they measured something."""
        missing = set(self._reader.without(list(self.table["run"])))
        return list(self.table.loc[self.table["run"].isin(missing), "name"])

    @property
    def timed(self) -> Runs:
        """The runs whose times can be compared: alone on their machine, pinned threads."""
        if "timing_valid" not in self.table:
            return self
        valid = self.table["timing_valid"].astype("boolean").fillna(True).astype(bool)
        return self if valid.all() else self._of(self.table[valid])

    @property
    def solves(self) -> Runs:
        """The runs that solve; measurements of claims have neither goal nor trace."""
        measured = (self.table["status"] == "measured").fillna(False).astype(bool)
        return self._of(self.table[~measured]) if measured.any() else self

    @property
    def solved(self) -> pd.Series:
        """Whether each run reached its goal, in the order of the table."""
        return (self.table["status"] == "converged").fillna(False).astype(bool)

    def select(self, **values: Any) -> Runs:
        """Return the runs whose columns have these values.

        Parameters
        ----------
        **values
            A value, or several of them, for each column; ``__`` stands for the dot of a key
            (``weights__value=0.01``), and ``**{"weights.value": 0.01}`` works too.

        Raises
        ------
        InputError
            If there is no such column, or no run is left.
        """
        keep = pd.Series(data=True, index=self.table.index)
        for name, wanted in values.items():
            column = self.table[self.column(name.replace("__", "."))]
            several = not isinstance(wanted, str) and hasattr(wanted, "__iter__")
            options = list(wanted) if several else [wanted]
            match = column.isin([option for option in options if option is not None])
            if None in options:
                match |= column.isna()
            keep &= match.astype(bool)
        if not keep.any():
            asked = ", ".join(f"{name}={wanted!r}" for name, wanted in values.items())
            raise InputError(f"{asked}: none of {len(self)} runs has this")
        return self._of(self.table[keep])

    def column(self, name: str) -> str:
        """Return the name of a column of the table.

        Raises
        ------
        InputError
            If there is none of this name.
        """
        if name not in self.table:
            raise InputError(_no_column(name, [str(key) for key in self.table]))
        return name

    def trace_column(self, name: str) -> str:
        """Return the name of a column of the traces, or raise an `InputError`."""
        if name not in self.traces:
            raise InputError(_no_column(name, [str(key) for key in self.traces]))
        return name

    def plot(
        self,
        x: str = "step",
        y: str = "relative_error_l2",
        *,
        hue: str | None = "auto",
        style: str | None = "auto",
        col: str | None = "auto",
        row: str | None = "auto",
        width: str = "double",
        venue: str | None = None,
    ) -> sns.FacetGrid:
        """Draw y over x: the median of the runs of a line and their 20-80 % band.

        Parameters
        ----------
        x, y
            Columns of the traces, for curves over steps; or of the table, one figure a run.
        hue, style, col, row
            Keys told apart by colour, by dashes and markers, and by panels. ``"auto"`` takes
            swept keys, the solver first; None takes none. What is swept and nowhere shown is
            named on the figure.
        width
            ``single`` or ``double`` column.
        venue
            Whose sizes and fonts: ``neurips``, ``icml``, ...

        Raises
        ------
        InputError
            If there is no such column, width or venue.
        """
        from softres.results.figures.custom import draw_custom

        chosen = {"hue": hue, "style": style, "col": col, "row": row}
        return draw_custom(self, x, y, chosen, width=width, venue=venue).grid

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids of the runs."""
        return iter(self.table["run"])

    def __repr__(self) -> str:
        varied = "; ".join(self._values(key) for key in self.swept) or "nothing varies"
        lines = [f"{len(self)} run{'s' * (len(self) != 1)}: {varied}"]
        ends = self.table["status"].fillna(self.table["state"].str.lower()).value_counts()
        lines.append(", ".join(f"{count} {word}" for word, count in ends.items()))
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self) -> str:
        from html import escape

        columns = [*self.swept, *(key for key in _SHOWN if key in self.table)]
        shown = self.table[columns].to_html(index=False, max_rows=20, border=0, na_rep="")
        return f"<p>{escape(repr(self)).replace(chr(10), '<br>')}</p>{shown}"

    def _values(self, key: str) -> str:
        values = list(pd.unique(self.table[key]))
        texts = ["none" if pd.isna(value) else f"{value}" for value in values[:4]]
        more = f", ... ({len(values)})" if len(values) > 4 else ""
        return f"{key} = {', '.join(texts)}{more}"

    def _of(self, table: pd.DataFrame) -> Runs:
        """Return some of the runs; they share what was read."""
        part = table.reset_index(drop=True)
        return Runs(
            part, params=self.params, reader=self._reader, notes=self.notes, source=self.source
        )


def _no_column(name: str, columns: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, columns, n=4) or sorted(columns)[:12]
    return f"{name}: no such column; there are {', '.join(close)}, ..."
