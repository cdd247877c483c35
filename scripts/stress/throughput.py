"""Seconds of a job, of one that is finished, and of reading a store; and of other tools.

python scripts/stress/throughput.py
python scripts/stress/throughput.py --resume 10000 --store 10000
python scripts/stress/throughput.py --rivals PYTHON   # of an environment with benchopt, hydraflow

A job is exact Newton on a made-up instance of n = 1000. Times of jobs are beyond those of a sweep
of one job: what remains is the start of the command. ``--store`` fills the store with copies of
the runs up to so many and times new jobs again; ``--resume`` has so many jobs of which one of
a hundred is left to do, the others copies that are finished.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
from common import command, environment, report, start, workplace
from rivals import write_benchopt, write_hydraflow

OWN = ("-m", "n=1000", "solver=exact_newton", "sweep.figures=false")
#: hydraflow looks for its runs in files, which MLflow no longer writes unasked.
FILES = {"MLFLOW_TRACKING_URI": "mlruns", "MLFLOW_ALLOW_FILE_STORE": "true"}
#: Tables with rows of a run, and the column that says of which.
TABLES = {
    "runs": "run_uuid",
    "tags": "run_uuid",
    "params": "run_uuid",
    "metrics": "run_uuid",
    "latest_metrics": "run_uuid",
    "inputs": "destination_id",
}


def _sweep(place: Path, seeds: str) -> tuple[float, float]:
    """Return the seconds of a sweep, and those until its first line."""
    begun = time.monotonic()
    process = start(place, command(*OWN, f"seed={seeds}"))
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    first = time.monotonic() - begun
    lines += process.stdout
    if process.wait() != 0:
        raise SystemExit("".join(lines[-20:]))
    return time.monotonic() - begun, first


def _ids(connection: sqlite3.Connection) -> list[str]:
    return [run for (run,) in connection.execute("select run_uuid from runs")]


def _copies(store: Path, names: Iterator[tuple[str, str]]) -> None:
    """Add runs to a store: copies of one that is there, each of an id and with a job key."""
    with closing(sqlite3.connect(store)) as connection, connection:
        for setting in ("cache_size = -1000000", "synchronous = off", "journal_mode = memory"):
            connection.execute(f"pragma {setting}")
        first = _ids(connection)[0]
        rows = {}
        for table, column in TABLES.items():
            found = connection.execute(f"select * from {table} where {column} = ?", (first,))
            rows[table] = [name for name, *_ in found.description], found.fetchall()
        for run, key in names:
            for table, column in TABLES.items():
                columns, own = rows[table]
                place = columns.index(column)
                marks = ", ".join("?" * len(columns))
                new = [(*row[:place], run, *row[place + 1 :]) for row in own]
                connection.executemany(f"insert into {table} values ({marks})", new)
            replace = "update tags set value = ? where run_uuid = ? and key = 'key'"
            connection.execute(replace, (key, run))


def _keys(seeds: range) -> list[str]:
    """Return the keys of the jobs of these seeds."""
    from hydra import compose, initialize_config_dir

    from softres.common.presets import conf_folder
    from softres.config.choices import register
    from softres.config.jobs import sweep_jobs
    from softres.config.settings import settings
    from softres.harness.keys.identity import job_key

    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(conf_folder())):
        config = compose("config", return_hydra_config=True)
        config.hydra.overrides.task = [*OWN[1:], f"seed=range({seeds.start},{seeds.stop})"]
        return [job_key(settings(job.config)) for job in sweep_jobs(config)]


def _resume(place: Path, jobs: int) -> float:
    """Return the seconds of a sweep of which all but one job in a hundred are finished."""
    folder = place / "resume"
    folder.mkdir()
    _sweep(folder, "0")
    done = [seed for seed in range(1, jobs) if seed % 100]
    keys = _keys(range(jobs))
    _copies(folder / "results" / "mlflow.db", ((f"{seed:032x}", keys[seed]) for seed in done))
    return _sweep(folder, f"range({jobs})")[0]


def _read(store: Path, runs: int) -> float:
    """Return the seconds to read the finished runs of a store of so many."""
    from softres.tracking import TrackingOptions, open_store

    with closing(sqlite3.connect(store)) as connection:
        there = len(_ids(connection))
    _copies(store, ((f"f{run:031x}", f"copy-{run}") for run in range(there, runs)))
    found = open_store(TrackingOptions(folder=str(store.parent)))
    begun = time.monotonic()
    read = found.finished_runs(all_of_a_key=True)
    assert len(read) == max(runs, there)
    return time.monotonic() - begun


def _instances(folder: Path, jobs: int) -> list[npt.NDArray[np.float64]]:
    """Write the instances of the jobs to files; return their certified minimisers."""
    from hydra import compose, initialize_config_dir

    from softres.common.presets import conf_folder
    from softres.config.choices import register
    from softres.config.settings import settings
    from softres.harness.prepare import prepare

    register()
    folder.mkdir()
    minimisers = []
    with initialize_config_dir(version_base="1.3", config_dir=str(conf_folder())):
        for seed in range(jobs):
            words = ["n=1000", f"seed={seed}", "tracking=none"]
            made = prepare(settings(compose("config", overrides=words)))
            w = np.broadcast_to(made.w, len(made.instance.b))
            np.savez(folder / f"{seed}.npz", A=made.instance.A, b=made.instance.b, w=w)
            minimisers.append(made.minimiser)
    return minimisers


def _rivals(place: Path, python: str, jobs: int) -> dict[str, str]:
    figures = {}
    instances = place / "instances"
    minimisers = _instances(instances, jobs)
    for name, write in (("benchopt", write_benchopt), ("hydraflow", write_hydraflow)):
        folder = place / name
        words = [python, *write(folder, instances, jobs)]
        times = []
        for _ in range(2):
            begun = time.monotonic()
            ended = subprocess.run(
                words,
                cwd=folder,
                env=environment(folder, **FILES),
                capture_output=True,
                text=True,
                check=False,
            )
            times.append(time.monotonic() - begun)
        if ended.returncode != 0:
            said = (ended.stderr or ended.stdout).strip().splitlines()
            figures[name] = f"left out: {said[-1] if said else ended.returncode}"
            continue
        apart = [
            np.linalg.norm(np.load(instances / f"{seed}.npy") - x) / np.linalg.norm(x)
            for seed, x in enumerate(minimisers)
        ]
        figures[name] = (
            f"{times[0]:.2f} s, {times[0] / jobs:.4f} a job; again {times[1]:.2f} s; "
            f"largest |x - x*| / |x*| {max(apart):.1e}"
        )
        for path in instances.glob("*.npy"):
            path.unlink()
    return figures


def main() -> int:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--store", type=int, default=0, help="runs to fill the store up to")
    parser.add_argument("--resume", type=int, default=0, help="jobs of a sweep to resume")
    parser.add_argument("--read", type=int, default=5000, help="runs to read")
    parser.add_argument("--rivals", default="", help="Python with benchopt and hydraflow")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    options = parser.parse_args()
    jobs, figures = options.jobs, {}
    with workplace(options) as place:
        own = place / "softres"
        own.mkdir()
        _sweep(own, "0")  # makes the store, and what Python compiles
        one, first = _sweep(own, "1")
        many, _ = _sweep(own, f"range(2,{jobs + 2})")
        figures["start"] = f"{one:.2f} s with one job, {first:.2f} s until the first line"
        figures["new jobs"] = f"{many:.2f} s, {(many - one) / (jobs - 1):.4f} a job beyond it"
        none, _ = _sweep(own, "1")
        again, _ = _sweep(own, f"range(2,{jobs + 2})")
        figures["again"] = (
            f"{again:.2f} s, {(again - none) / (jobs - 1):.4f} a job beyond {none:.2f}"
        )
        store = own / "results" / "mlflow.db"
        if options.read:
            copy = place / "read"
            copy.mkdir()
            shutil.copy2(store, copy / "mlflow.db")
            seconds = _read(copy / "mlflow.db", options.read)
            figures["reading"] = f"{seconds:.2f} s for {options.read} finished runs"
        if options.store:
            with closing(sqlite3.connect(store)) as connection:
                there = len(_ids(connection))
            _copies(store, ((f"e{run:031x}", f"copy-{run}") for run in range(there, options.store)))
            base, _ = _sweep(own, str(jobs + 2))
            full, _ = _sweep(own, f"range({jobs + 3},{2 * jobs + 3})")
            figures["full store"] = (
                f"{(full - base) / (jobs - 1):.4f} s a job beyond {base:.2f} with "
                f"{options.store} runs there"
            )
        if options.resume:
            seconds = _resume(place, options.resume)
            figures["resume"] = f"{seconds:.1f} s for {options.resume} jobs, one of 100 left to do"
        if options.rivals:
            figures |= _rivals(place, options.rivals, jobs)
    return report("throughput", figures, True, options)


if __name__ == "__main__":
    sys.exit(main())
