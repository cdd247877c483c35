"""Open the PostgreSQL database of an MLflow server, to read it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from softres.common.errors import InputError
from softres.tracking.backend import quiet_mlflow
from softres.tracking.options import without_password

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["open_client"]

#: The driver is named: newer SQLAlchemy takes another one by default.
_SCHEME = "postgresql+psycopg2"


def open_client(address: str) -> MlflowClient:
    """Return MLflow's client of a database that holds runs.

    Parameters
    ----------
    address
        ``postgresql://user:password@host:port/name``, with or without the driver's name.

    Raises
    ------
    InputError
        If the driver is missing, or the database holds no runs: MLflow would make its tables.
    SQLAlchemyError
        If the database does not answer.
    """
    if find_spec("psycopg2") is None:
        raise InputError(
            f"{without_password(address)}: this takes psycopg2: pip install psycopg2-binary"
        )
    uri = f"{_SCHEME}:{address.partition(':')[2]}"
    with quiet_mlflow():
        import sqlalchemy
        from mlflow.tracking import MlflowClient

        engine = sqlalchemy.create_engine(uri)
        try:
            there = sqlalchemy.inspect(engine).has_table("runs")
        finally:
            engine.dispose()
        if not there:
            raise InputError(f"{without_password(address)}: no tables of MLflow are in it")
        return MlflowClient(tracking_uri=uri)
