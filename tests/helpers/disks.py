"""A store in a folder that can be taken away and put back, and a run to record in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
from mlflow.tracking import MlflowClient

from softres.tracking import InputData, TrackingOptions, open_store
from softres.tracking.durable.spool import Spool

SYNC = Path(__file__).parents[2] / "scripts" / "sync.py"
TRACE = {"step": [0, 1, 2], "t": [0.0, 0.5, 1.0], "loss": [3.0, 2.0, 1.0]}
COLUMNS = {"seconds": "t", "step": "step", "columns": ["loss"]}


DATA = InputData("synthetic", "a" * 32, '{"noise": 0.5}', '{"n": 5}')


class Disk:
    """A store in a folder that can be taken away and put back."""

    def __init__(self, folder, database):
        self.there, self.gone = folder / "disk", folder / "off"
        self.there.mkdir()
        shutil.copy(database, self.there / "mlflow.db")
        self.options = TrackingOptions(
            uri=f"sqlite:///{self.there / 'mlflow.db'}",
            folder=str(folder / "results"),
            experiment="study",
        )

    def open(self):
        return open_store(self.options, patient=True)

    def take_off(self):
        self.there.rename(self.gone)
        self.there.touch()  # no folder: no new store can be made in its place

    def put_back(self):
        self.there.unlink()
        self.gone.rename(self.there)

    def waiting(self):
        return Spool.of(self.options).runs()

    def stored(self):
        client = MlflowClient(tracking_uri=self.options.absolute_uri)
        experiment = client.get_experiment_by_name("study")
        return client, client.search_runs([experiment.experiment_id])


def finish(store, name="a run", tags=None):
    with store.start_run(name, {"n": 5}, tags or {"key": "k1"}) as run:
        run.curves(TRACE, **COLUMNS)
        run.table(TRACE)
        run.works_on(DATA)
        run.tags({"status": "converged"})
        run.metrics({"steps": 2.0})
    return run


def points(client, run, name="loss"):
    history = client.get_metric_history(run.info.run_id, name)
    return sorted((point.step, point.value, point.timestamp) for point in history)


def check_complete(client, run, start):
    assert run.info.status == "FINISHED"
    (data,) = [given.dataset for given in run.inputs.dataset_inputs]
    assert InputData(data.name, data.digest, data.source, data.profile) == DATA
    assert run.data.params == {"n": "5"}
    assert run.data.tags["status"] == "converged"
    assert run.data.metrics["steps"] == 2.0
    expected = [(k, 3.0 - k, start + 500 * k) for k in range(3)]
    assert points(client, run) == expected
    path = client.download_artifacts(run.info.run_id, "trace.parquet")
    assert pd.read_parquet(path)["loss"].tolist() == [3.0, 2.0, 1.0]


def sync(disk, *words):
    return subprocess.run(
        [
            sys.executable,
            str(SYNC),
            "--folder",
            disk.options.folder,
            *words,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        check=False,
    )
