"""Solve thousands of small instances of every structure, and check every status that is claimed.

    python scripts/stress/statuses.py --instances 20000 --jobs 2
    python scripts/stress/statuses.py --case 12345
    python scripts/stress/statuses.py --only softmax,exact_newton --instances 2000

Each CONVERGED is judged in extended precision (verify.py). The exit status is 1 if one is false, if
anything but an InputError is raised, or if Python warns. An instance is drawn from one number, its
case; --only leaves out what none of its words describes, and changes no instance.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from attempts import SOLVERS, Attempt, attempts
from instances import STRUCTURES, draw
from rich.console import Console
from rich.progress import track
from rich.table import Table
from threadpoolctl import threadpool_limits

#: Numbers of one seed's cases start at a multiple of this.
SEED_STEP = 1_000_000
#: Cases that a process does at a time.
BATCH = 20
#: Ends that say "I can't go on".
STUCK = ("stalled", "linear_solve_failed", "diverged")
#: Least width of what is printed: a table cut short tells nothing.
WIDTH = 132
#: Lines printed for each kind of fault.
SHOWN = 5


def _options() -> Namespace:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--instances", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    words = f"solvers ({', '.join(SOLVERS)}), problems, structures ({', '.join(STRUCTURES)}), ..."
    parser.add_argument("--only", default="", help=f"comma-separated: {words}")
    parser.add_argument("--case", type=int, help="one case, and all there is to say of it")
    parser.add_argument("--json", type=Path, help="also write the faults to this file")
    return parser.parse_args()


def _one_thread() -> None:
    """Leave the other cores to the other processes."""
    import torch

    torch.set_num_threads(1)
    threadpool_limits(1)


def _batch(numbers: range, only: frozenset[str]) -> list[Attempt]:
    return [attempt for number in numbers for attempt in attempts(number, only)]


def _all(options: Namespace, only: frozenset[str]) -> Iterator[list[Attempt]]:
    """Yield the attempts of one batch of cases after the other."""
    first = options.seed * SEED_STEP
    last = first + options.instances
    batches = [range(k, min(k + BATCH, last)) for k in range(first, last, BATCH)]
    if options.jobs == 1:
        yield from (_batch(batch, only) for batch in track(batches, "solving"))
        return
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), _one_thread) as pool:
        found = pool.map(_batch, batches, [only] * len(batches))
        yield from track(found, "solving", total=len(batches))


class Tally:
    """Counts by solver."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in SOLVERS}
        self.faulty: list[Attempt] = []
        self.notable: dict[str, list[Attempt]] = {}

    def add(self, batch: Iterable[Attempt]) -> None:
        """Count attempts; all of an instance come together."""
        by_task: dict[tuple[int, int, str], list[Attempt]] = {}
        for attempt in batch:
            by_task.setdefault((attempt.number, attempt.target, attempt.solves), []).append(attempt)
            counts = self.counts[attempt.solver]
            counts["cases"] += 1
            counts[attempt.status] += 1
            claim = attempt.status in ("converged", "certified")
            counts["false"] += bool(attempt.fault) and attempt.status != "exception"
            counts["true"] += claim and not attempt.fault
            counts["warnings"] += bool(attempt.warnings)
            if attempt.status == "refused":
                self._note(
                    f"{attempt.solver}: refused, {attempt.detail.partition(';')[0]}", attempt
                )
            if attempt.fault or attempt.warnings:
                self.faulty.append(attempt)
        for together in by_task.values():
            if any(one.status == "converged" and not one.fault for one in together):
                for one in together:
                    if one.status in STUCK:
                        self.counts[one.solver]["beaten"] += 1
                        self._note(f"{one.solver}: {one.status} where another got through", one)

    def _note(self, kind: str, attempt: Attempt) -> None:
        self.notable.setdefault(kind, []).append(attempt)

    @property
    def good(self) -> bool:
        """Whether everything that was said is true."""
        return not self.faulty

    def table(self) -> Table:
        """Return the counts as a table."""
        table = Table(title="what solvers say, and whether it is true")
        table.add_column("solver", no_wrap=True)
        heads = ("cases", "converged", "false", "raised", "warned", "refused", "boundary", "limit")
        for head in (*heads, "stuck", "where another got through"):
            table.add_column(head, justify="right")
        for name, counts in self.counts.items():
            cases = counts["cases"]
            if not cases:
                continue
            claims = counts["converged"] + counts["certified"]
            ends = (counts["false"], counts["exception"], counts["warnings"], counts["refused"])
            limits = counts["step_limit"] + counts["time_limit"]
            stuck = sum(counts[status] for status in STUCK) + counts["uncertified"]
            table.add_row(
                name,
                str(cases),
                _share(claims, cases),
                *(str(end) for end in ends),
                str(counts["boundary"]),
                str(limits),
                _share(stuck, cases),
                _share(counts["beaten"], cases),
            )
        return table

    def kinds(self) -> dict[str, list[Attempt]]:
        """Return what is wrong, by solver and kind."""
        kinds: dict[str, list[Attempt]] = {}
        for attempt in self.faulty:
            said = "" if attempt.status == "exception" else f"{attempt.status}, but "
            if attempt.fault:
                kinds.setdefault(f"{attempt.solver}: {said}{attempt.fault}", []).append(attempt)
            for line in attempt.warnings:
                kinds.setdefault(f"{attempt.solver}: {line}", []).append(attempt)
        return kinds


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f}%)"


def _show(console: Console, kinds: dict[str, list[Attempt]], most: int) -> None:
    """Print each kind with its smallest cases, at most so many."""
    for kind, faulty in sorted(kinds.items()):
        console.print(f"\n[bold]{kind}[/bold]: {len(faulty)}", highlight=False)
        smallest = sorted(faulty, key=lambda one: draw(one.number).A.size)
        for one in smallest[:most]:
            console.print(
                f"  python scripts/stress/statuses.py --case {one.number}  # {draw(one.number)}"
                f", target {one.target}; {one.detail}",
                soft_wrap=True,
                highlight=False,
                markup=False,
            )


def _case(console: Console, number: int, only: frozenset[str]) -> Tally:
    instance = draw(number)
    with np.printoptions(precision=17, floatmode="maxprec", threshold=10_000):
        numbers = f"A = {instance.A!r}\nB = {instance.B!r}\nw = {instance.w!r}"
    console.print(f"{instance}\n{numbers}", highlight=False, markup=False)
    tally = Tally()
    found = attempts(number, only)
    tally.add(found)
    for attempt in found:
        console.print(f"\n{attempt}", highlight=False, markup=False)
    return tally


def main() -> int:
    options = _options()
    only = frozenset(filter(None, options.only.split(",")))
    console = Console()
    console.width = max(console.width, WIDTH)
    _one_thread()
    if options.case is not None:
        tally = _case(console, options.case, only)
    else:
        tally = Tally()
        for batch in _all(options, only):
            tally.add(batch)
        _show(console, tally.notable, 1)
        console.rule("what is wrong")
        _show(console, tally.kinds(), SHOWN)
    console.print(tally.table())
    if options.json is not None:
        faults = [asdict(attempt) for attempt in tally.faulty]
        counts = {name: dict(found) for name, found in tally.counts.items()}
        options.json.write_text(json.dumps({"counts": counts, "faults": faults}, indent=1))
    return 0 if tally.good else 1


if __name__ == "__main__":
    raise SystemExit(main())
