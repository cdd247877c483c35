"""Many processes open a store that does not exist yet, at the same moment; then many write at once.

    python scripts/stress/writers.py --writers 8 --runs 200 --steps 200 --metrics 8

The store is an SQLite file; with --server 1 a server of one worker stands before it.
"""

from __future__ import annotations

import multiprocessing
import time
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from common import arguments, report, stored_runs, workplace
from server import Server

from softres.tracking import TrackingOptions, open_store


def _open(folder: str, uri: str | None, barrier: Any, results: Any) -> None:
    barrier.wait()
    try:
        store = open_store(TrackingOptions(uri=uri, folder=folder), patient=True)
        with store.start_run("opened", {}, {}) as run:
            run.metrics({"value": 1.0})
        results.put("")
    except BaseException as error:
        results.put(repr(error))


def _write(
    folder: str,
    uri: str | None,
    number: int,
    options: Namespace,
    barrier: Any,
    results: Any,
) -> None:
    store = open_store(TrackingOptions(uri=uri, folder=folder, experiment="written"), patient=True)
    barrier.wait()
    names = [f"metric_{k}" for k in range(options.metrics)]
    longest = 0.0
    try:
        for k in range(options.runs):
            start = time.perf_counter()
            table = {name: [1.0 / (1 + step) for step in range(options.steps)] for name in names}
            table |= {
                "step": list(range(options.steps)),
                "t": [1e-3 * step for step in range(options.steps)],
            }
            with store.start_run(
                f"writer {number} run {k}", {"writer": number, "run": k}, {}
            ) as run:
                run.curves(table, seconds="t", step="step", columns=names)
            longest = max(longest, time.perf_counter() - start)
        results.put((longest, ""))
    except BaseException as error:
        results.put((longest, repr(error)))


def _together(target: Any, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run a function in as many processes as there are arguments; return what each reports."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(len(arguments)), context.Queue()
    processes = [
        context.Process(target=target, args=(*given, barrier, results)) for given in arguments
    ]
    for process in processes:
        process.start()
    found = [results.get(timeout=3600) for _ in processes]
    for process in processes:
        process.join()
    return found


def _count(uri: str, options: Namespace) -> tuple[int, int]:
    """Return finished runs, and points that are there."""
    from mlflow.tracking import MlflowClient

    from softres.tracking.charts.curves import select

    client = MlflowClient(tracking_uri=uri)
    runs = stored_runs(client, "written")
    steps = list(range(options.steps))
    values = [1.0 / (1 + step) for step in steps]
    wanted = [(k, values[k]) for k in select(steps, values, (), final=True)]
    points = 0
    for run in runs:
        for k in range(options.metrics):
            history = client.get_metric_history(run.info.run_id, f"metric_{k}")
            points += len(set(wanted) & {(point.step, point.value) for point in history})
    expected = options.writers * options.runs * options.metrics * len(wanted)
    return sum(run.info.status == "FINISHED" for run in runs), expected - points


def main() -> int:
    sizes = {"openers": 8, "writers": 8, "runs": 200, "steps": 200, "metrics": 8}
    options = arguments(__doc__ or "", **sizes, server=0)
    with workplace(options) as folder, ExitStack() as stack:
        new, uri = folder / "new", None
        if options.server:
            uri = stack.enter_context(Server(folder / "server")).uri
        opened = _together(_open, [(str(new), uri)] * options.openers)
        for error in filter(None, opened):
            print(error)
        start = time.perf_counter()
        work = [(str(new), uri, k, options) for k in range(options.writers)]
        written = _together(_write, work)
        seconds = time.perf_counter() - start
        for _, error in written:
            if error:
                print(error)
        finished, lost = _count(uri or f"sqlite:///{new / 'mlflow.db'}", options)
        waiting = len(list(new.glob("spool/*/run.json")))
    figures = {
        "opened a new store": f"{opened.count('')} of {options.openers}",
        "runs finished": f"{finished} of {options.writers * options.runs}",
        "points lost": lost,
        "runs still waiting": waiting,
        "seconds": round(seconds, 1),
        "longest run (s)": round(max(longest for longest, _ in written), 2),
    }
    good = opened.count("") == options.openers and finished == options.writers * options.runs
    return report("writers at once", figures, good and lost == 0 and waiting == 0, options)


if __name__ == "__main__":
    raise SystemExit(main())
