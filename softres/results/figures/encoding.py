"""Which key is told apart by colour, by dashes, by panels; and which one is pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from softres.common.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from softres.results.runs import Runs

__all__ = ["AUTO", "CHANNELS", "Encoding", "choose", "levels_of"]

#: Stands for a key that is chosen here.
AUTO = "auto"
CHANNELS = ("hue", "style", "col", "row")
#: More lines than this in a panel, and more panels in a figure, cannot be read.
_LINES, _PANELS, _ROWS = 9, 12, 4


@dataclass(frozen=True)
class Encoding:
    """Where each key is shown.

    Attributes
    ----------
    hue, style, col, row
        Keys told apart by colour, by dashes and markers, by columns and by rows of panels.
    pooled
        Keys that vary and are shown nowhere.
    """

    hue: str | None = None
    style: str | None = None
    col: str | None = None
    row: str | None = None
    pooled: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """All keys that are shown, once each."""
        shown = (self.hue, self.style, self.col, self.row)
        return list(dict.fromkeys(key for key in shown if key is not None))


def choose(
    runs: Runs, used: Sequence[str] = (), asked: Mapping[str, str | None] | None = None
) -> Encoding:
    """Return where the keys of a sweep are shown.

    Parameters
    ----------
    runs
        The runs.
    used
        Keys that are on an axis.
    asked
        For each of `CHANNELS` a key, None for none, or `AUTO`, which stands for what is missing.

    Raises
    ------
    InputError
        If a key is no column, or has too many values to be told apart.
    """
    wanted = dict.fromkeys(CHANNELS, AUTO) | dict(asked or {})
    counts = {key: int(runs.table[key].nunique(dropna=False)) for key in runs.table}
    given = {channel: key for channel, key in wanted.items() if key not in (AUTO, None)}
    for channel, key in given.items():
        limit = {"hue": _LINES, "style": _LINES, "col": 2 * _PANELS, "row": _PANELS}[channel]
        if counts[runs.column(str(key))] > limit:
            raise InputError(f"{channel}={key}: {counts[str(key)]} values, at most {limit} fit")
    chosen: dict[str, str | None] = {channel: given.get(channel) for channel in CHANNELS}
    free = [key for key in runs.varied if key not in used and key not in given.values()]
    if wanted["hue"] == AUTO:
        words = [key for key in free if _is_text(runs.table[key])]
        chosen["hue"] = next((key for key in [*words, *free] if counts[key] <= _LINES), None)
    if chosen["hue"] in free:
        free.remove(chosen["hue"])
    panels = 1
    for channel, limit in (("col", _PANELS), ("row", _ROWS)):
        if wanted[channel] == AUTO:
            fits = [key for key in free if counts[key] <= limit and panels * counts[key] <= _PANELS]
            if fits:
                chosen[channel] = fits[0]
                free.remove(fits[0])
        panels *= counts[str(chosen[channel])] if chosen[channel] else 1
    if wanted["style"] == AUTO:
        chosen["style"] = chosen["hue"]  # never by colour alone
    return Encoding(**chosen, pooled=tuple(free))


def levels_of(frame: pd.DataFrame, key: str | None) -> list[Any]:
    """Return the values of a key in the order in which they are shown; missing ones last."""
    if key is None:
        return []
    given = sorted(frame[key].dropna().unique(), key=lambda item: (isinstance(item, str), item))
    return [*given, None] if frame[key].isna().any() else given


def _is_text(column: pd.Series) -> bool:
    return any(isinstance(item, str) for item in column)
