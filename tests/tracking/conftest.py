import shutil

import pytest

from softres.tracking import TrackingOptions, open_store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """An SQLite store without runs; building its tables takes seconds, copying it none."""
    folder = tmp_path_factory.mktemp("store")
    open_store(TrackingOptions(folder=str(folder), experiment="first"))
    return folder / "mlflow.db"


@pytest.fixture
def options(empty_database, tmp_path):
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return TrackingOptions(folder=str(tmp_path), experiment="study", sweep="a sweep")


@pytest.fixture
def store(options):
    return open_store(options)


@pytest.fixture
def client(options, store):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=options.absolute_uri)
