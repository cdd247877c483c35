"""What the stress scripts share: commands in a folder of their own, and an audit of a store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # works without installation too
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

__all__ = [
    "ROOT",
    "Audit",
    "arguments",
    "audit",
    "command",
    "environment",
    "finish",
    "report",
    "run",
    "start",
    "stored_runs",
    "workplace",
]


def arguments(description: str, **numbers: int) -> Namespace:
    """Parse the command line: whole numbers with their defaults, and where to leave the figures."""
    parser = ArgumentParser(description=description)
    for name, value in numbers.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # tidy up then too
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    return parser.parse_args()


@contextmanager
def workplace(options: Namespace) -> Iterator[Path]:
    """Yield a folder to work in."""
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        yield options.keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="softres-stress-") as folder:
        yield Path(folder)


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a command: one BLAS thread, a cache in the folder."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **single, "SOFTRES_CACHE": str(folder / "cache"), **variables}


def command(*words: str) -> list[str]:
    """Return a command of ``run.py``."""
    return [sys.executable, str(ROOT / "run.py"), *words]


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ``run.py`` in a folder to its end."""
    return finish(folder, command(*words), **variables)


def start(
    folder: Path, words: Sequence[str], stderr: int = subprocess.STDOUT
) -> subprocess.Popen[str]:
    """Start any command in a folder; its lines come one by one, with its errors or apart."""
    return subprocess.Popen(
        words,
        cwd=folder,
        env=environment(folder, PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def finish(
    folder: Path, words: Sequence[str], **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run any command in a folder to its end."""
    return subprocess.run(
        words,
        cwd=folder,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Audit:
    """What a store holds.

    Attributes
    ----------
    statuses
        Runs by status.
    keys
        Finished runs by job key.
    lost
        Curve points that finished runs should have and have not, or have with another value.
    points
        Curve points that were compared.
    """

    statuses: Mapping[str, int]
    keys: Mapping[str, int]
    lost: int
    points: int

    @property
    def twice(self) -> int:
        """Keys that finished more than once."""
        return sum(count > 1 for count in self.keys.values())


def audit(uri: str, experiment: str = "softres") -> Audit:
    """Count runs, and compare every finished run's curves with its full trace."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    runs = stored_runs(client, experiment)
    statuses = Counter(run.info.status for run in runs)
    finished = [run for run in runs if run.info.status == "FINISHED"]
    keys = Counter(run.data.tags["key"] for run in finished)
    lost = points = 0
    for run in finished:
        missed, seen = _compare(client, run.info.run_id)
        lost, points = lost + missed, points + seen
    return Audit(dict(statuses), dict(keys), lost, points)


def stored_runs(client: Any, experiment: str) -> list[Any]:
    """Return all runs of an experiment; none if it is missing."""
    found = client.get_experiment_by_name(experiment)
    runs: list[Any] = []
    page = None
    while found is not None and page != "":
        batch = client.search_runs([found.experiment_id], max_results=1000, page_token=page)
        runs += list(batch)
        page = batch.token or ""
    return runs


def _compare(client: Any, run_id: str) -> tuple[int, int]:
    from softres.harness.records import curve_columns
    from softres.tracking.charts.curves import select

    trace = pd.read_parquet(client.download_artifacts(run_id, "trace.parquet"))
    steps = [int(step) for step in trace["step"]]
    lost = count = 0
    for name in curve_columns(trace):
        values = [float(value) for value in trace[name]]
        wanted = {(steps[row], values[row]) for row in select(steps, values, (), final=True)}
        history = client.get_metric_history(run_id, name) if wanted else []
        logged = Counter((point.step, point.value) for point in history)
        lost += sum(logged[point] != 1 for point in wanted)
        count += len(wanted)
    return lost, count


def report(title: str, figures: Mapping[str, object], good: bool, options: Namespace) -> int:
    """Print figures, write them where that was asked for, and return the exit status."""
    width = max(map(len, figures))
    print(f"{title}: {'as it should be' if good else 'NOT as it should be'}")
    for name, value in figures.items():
        print(f"  {name:<{width}}  {value}")
    if options.json is not None:
        content = {"title": title, "good": good, **{k: _plain(v) for k, v in figures.items()}}
        options.json.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return 0 if good else 1


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
