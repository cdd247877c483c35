"""What a store said that it took is asked for before a run is finished."""

import pytest

from softres.tracking import TrackingOptions, open_store
from softres.tracking.charts.curves import MetricPoint
from softres.tracking.durable.outage import AwayError
from softres.tracking.durable.receipts import Receipts


@pytest.fixture
def kept(options, client, tmp_path):
    """A run that a store has, with the receipts of all of it; and its trace as the store has it."""
    with open_store(options).start_run("a run", {"n": 5}, {"key": "k1"}) as run:
        run.metrics({"steps": 2.0})
        run.text("trace.txt", "all of it")
    receipts = Receipts(client)
    receipts.params(run.run_id, {"n": "5"})
    receipts.batch(run.run_id, [MetricPoint("steps", 2.0, 0, 0)], {"key": "k1"})
    sent = tmp_path / "sent" / "trace.txt"
    sent.parent.mkdir()
    sent.write_text("all of it")
    receipts.file(run.run_id, sent)
    (file,) = tmp_path.glob(f"artifacts/{run.run_id}/artifacts/trace.txt")
    return run.run_id, receipts, file


def test_what_is_all_there_is_finished(kept):
    run_id, receipts, _ = kept
    receipts.check(run_id, finished=True)


def test_a_file_that_is_missing_or_cut_short_is_named(kept):
    run_id, receipts, file = kept
    file.write_text("all of")
    with pytest.raises(AwayError, match=r"not kept trace\.txt of run"):
        receipts.check(run_id, finished=True)


@pytest.mark.parametrize("part", ["params", "metrics", "tags"])
def test_what_else_is_missing_is_named(kept, part):
    run_id, receipts, file = kept
    if part == "params":
        receipts.params(run_id, {"d": "2"})
    elif part == "metrics":
        receipts.batch(run_id, [MetricPoint("d", 2.0, 0, 0)], {})
    else:
        receipts.batch(run_id, [], {"d": "2"})
    file.unlink()
    with pytest.raises(AwayError, match=r"not kept d, trace\.txt of run"):
        receipts.check(run_id, finished=True)


def test_a_run_that_failed_is_not_asked_for(kept):
    run_id, receipts, file = kept
    file.unlink()
    receipts.check(run_id, finished=False)
    receipts.check(run_id, finished=True)  # and forgotten


def test_sqlite_files_are_not_asked(tmp_path, empty_database):
    from softres.tracking.backend import MlflowBackend

    options = TrackingOptions(folder=str(empty_database.parent))
    assert MlflowBackend(options)._receipts is None
