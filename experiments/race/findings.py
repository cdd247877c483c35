"""What the race and the prices of steps come to, in sentences with figures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from experiments.race.profile import Ratios, ratios, times

__all__ = [
    "number",
    "power",
    "race_sentences",
    "size_sentence",
    "size_table",
    "span",
    "step_sentences",
]

OURS, HAND = "preconditioned_newton", "hand_newton"
#: What the race's ratios are of: the smallest error raced to.
LEVEL = 1e-10
#: What packages are held to; few reach the smallest.
PACKAGE_LEVEL = 1e-8
#: Packages on fewer instances than this are not counted.
LEAST_INSTANCES = 5


def number(value: float) -> str:
    """Return a number with two digits, or all of a whole one."""
    if float(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.2g}"


def span(values: Iterable[float]) -> str:
    """Return "least to largest", or the one that both are."""
    found = list(values)
    low, high = number(min(found)), number(max(found))
    return low if low == high else f"{low} to {high}"


def power(value: float) -> str:
    """Return a small number to its first digit: 1e-8."""
    return f"{value:.0e}".replace("e-0", "e-")


def race_sentences(table: pd.DataFrame) -> list[str]:
    """Return what the default solver does, then how long Newton by hand and packages take.

    Parameters
    ----------
    table
        As :func:`experiments.race.profile.medians` returns it.
    """
    seconds = times(table, LEVEL)
    shapes = table.drop_duplicates("instance").set_index("instance").loc[seconds.index]
    reached = int(np.isfinite(seconds[OURS]).sum())
    lines = [
        f"On {len(seconds)} instances `{OURS}` reaches {power(LEVEL)} on "
        f"{'all' if reached == len(seconds) else reached}{_work(table)}."
    ]
    parts = []
    for words, chosen in _groups(shapes):
        found = ratios(seconds[OURS][chosen], seconds[HAND][chosen])
        if found.count:
            parts.append(f"{words} {_times(found)}")
    lines.append(f"Exact Newton written by hand takes, of its time: {'; '.join(parts)}.")
    if "approx_newton" in seconds:
        found = ratios(seconds[HAND], seconds["approx_newton"])
        if found.count:
            lines.append(
                "Algorithm 1 (safeguarded), `approx_newton`, takes, of Newton's by hand, "
                f"{_times(found)}."
            )
    return [*lines, *_packages(table)]


def _groups(shapes: pd.DataFrame) -> list[tuple[str, pd.Series[bool]]]:
    """Return the instances by kind and, where made up and dense, by columns."""
    dense = shapes["kind"] == "dense"
    small = dense & (shapes["d"] < 200)
    middle = dense & (shapes["d"] >= 200) & (shapes["d"] < 500)
    groups = [
        ("on made-up dense ones with d >= 500", dense & (shapes["d"] >= 500)),
        ("with d = 200", middle),
        ("with d = 50", small),
        ("on sparse ones", shapes["kind"] == "sparse"),
        ("on real data", shapes["kind"] == "real"),
    ]
    return [(words, chosen) for words, chosen in groups if chosen.any()]


def _times(found: Ratios) -> str:
    mean, low, high = number(found.mean), number(found.worst), number(found.best)
    return f"{mean} times as long (geometric mean of {found.count}; {low} to {high})"


def _work(table: pd.DataFrame) -> str:
    """Return passes and Gram matrices of the default solver, made-up dense and real."""
    mine = _at(table[table["contestant"] == OURS], LEVEL).dropna(subset=["passes"])
    parts = []
    for words, rows in (
        ("on made-up dense ones of d >= 200", mine[(mine["kind"] == "dense") & (mine["d"] >= 200)]),
        ("on real ones", mine[mine["kind"] == "real"]),
    ):
        if len(rows):
            grams = number(rows["grams"].max())
            parts.append(f"{span(rows['passes'])} passes and at most {grams} Gram matrices {words}")
    return f", with {', '.join(parts)}" if parts else ""


def _packages(table: pd.DataFrame) -> list[str]:
    at = _at(table[table["side"] == "outside"], PACKAGE_LEVEL)
    if at.empty:
        return []
    runs = at.groupby("contestant", sort=False)["seconds"].agg(["count", "size"])
    counted = runs[runs["size"] >= LEAST_INSTANCES].sort_values("count", ascending=False)
    best = at.groupby("instance")["seconds"].min()
    mine = times(table, PACKAGE_LEVEL)[OURS]
    found = ratios(mine.loc[best.index], best.fillna(np.inf))
    listed = ", ".join(
        f"`{name}` {row['count']} of {row['size']}" for name, row in counted.iterrows()
    )
    line = f"Of the packages, to {power(PACKAGE_LEVEL)}: {listed} in the time that they were given."
    if found.count:
        line += f" The best one on each instance takes {_times(found)}."
    return [line]


def _at(table: pd.DataFrame, level: float) -> pd.DataFrame:
    return table[np.isclose(table["level"], level, rtol=1e-6, atol=0.0)]


def step_sentences(table: pd.DataFrame, exponents: pd.DataFrame) -> list[str]:
    """Return what a step and a solve of Algorithm 1 cost beside exact Newton's, by columns.

    Parameters
    ----------
    table, exponents
        As :func:`experiments.race.steps.cost.summary` and ``exponents`` return them.
    """
    lines = []
    for d, rows in table.groupby("d"):
        more = rows["approx_steps"] / rows["exact_steps"]
        lines.append(
            f"At d = {d}, n = {span(rows['n'])}, a step is {span(rows['step_ratio'])} times as "
            f"fast as exact Newton's; a solve takes {span(more)} times as many steps and is "
            f"{span(rows['solve_ratio'])} times as fast."
        )
    for d, rows in exponents.groupby("d"):
        power = rows.set_index("solver")["exponent"]
        lines.append(
            f"At d = {d} the price of a step grows as n^{power['approx_newton']:.2f}, exact "
            f"Newton's as n^{power['exact_newton']:.2f}."
        )
    return lines


def size_sentence(table: pd.DataFrame, weight: str) -> str:
    """Return what :func:`size_table` is of, and the same of real data and of the smallest A."""
    wanted = _at(table[table["instance"].str.endswith(f" w={weight}")], LEVEL)
    seconds = times(wanted, LEVEL)
    share = (seconds[OURS] / seconds[HAND]).replace([np.inf, -np.inf], np.nan).dropna()
    real = wanted[wanted["kind"] == "real"]["instance"].unique()
    on_real = share[share.index.isin(real)].sort_values(ascending=False)
    listed = ", ".join(f"{str(name).split()[0]} {value:.2f}" for name, value in on_real.items())
    mine = wanted[(wanted["contestant"] == OURS) & (wanted["kind"] == "dense")]
    least = mine[mine["n"] == mine["n"].min()]
    size = f"{least['n'].iloc[0]} x {least['d'].iloc[0]}"
    on_real_data = f" On real data: {listed}." if listed else ""
    return (
        f"To {power(LEVEL)}, weights {weight}, medians of {span(mine['runs'])} runs. A solve of "
        f"{size} takes {span(1000 * least['seconds'])} ms.{on_real_data}"
    )


def size_table(table: pd.DataFrame, weight: str) -> pd.DataFrame:
    """Return the default solver's time over Newton by hand's, a row a size, with its work.

    Of made-up dense instances with one weight, as instances are named.
    """
    wanted = table[(table["kind"] == "dense") & table["instance"].str.endswith(f" w={weight}")]
    at = _at(wanted, LEVEL)
    seconds = times(wanted, LEVEL)
    share = (seconds[OURS] / seconds[HAND]).replace([np.inf, -np.inf], np.nan)
    mine = at[at["contestant"] == OURS].set_index("instance")
    frame = mine.assign(
        share=share,
        ratio=mine["n"] // mine["d"],
        condition=mine.index.str.extract(r"cond=(\S+)", expand=False),
    )
    conditions = list(dict.fromkeys(frame["condition"]))
    rows = []
    for (d, ratio), group in frame.groupby(["d", "ratio"]):
        shares = {
            f"condition {one}": group[group["condition"] == one]["share"] for one in conditions
        }
        work = {"passes": group["passes"], "Gram matrices": group["grams"]}
        cells = {title: _cell(values) for title, values in (shares | work).items()}
        rows.append({"d": d, "n/d": ratio} | cells)
    return pd.DataFrame(rows)


def _cell(values: pd.Series[float]) -> str:
    known = values.dropna()
    return span(known) if len(known) else ""
