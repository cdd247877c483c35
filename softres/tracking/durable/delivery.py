"""Delivering what waits for a store: each run once, however often that is cut short."""

from __future__ import annotations

import sys

from softres.common.text import printable
from softres.tracking.durable.damage import DamagedRunError
from softres.tracking.durable.outage import is_answer, is_outage, refusal
from softres.tracking.durable.spool import Spool
from softres.tracking.durable.waiting import WaitingRun
from softres.tracking.protocol import Backend, InputData

__all__ = ["deliver"]

#: Answers of a server to a delivery after which a run is set aside.
ATTEMPTS = 3
_SAME = "attributes.status = 'FINISHED' and tags.key = '{key}' and tags.max_steps = '{steps}'"


def deliver(spool: Spool, store: Backend) -> int:
    """Deliver the runs that wait for a store and have ended; return how many.

    A delivery that is cut short is taken up where it was: a run is not recorded twice, nor is a
    point. A run that the store refuses is set aside.
    """
    if not spool.folder.is_dir():
        return 0
    delivered = 0
    with spool.alone() as mine:
        if mine:
            spool.tidy()
        for run in spool.runs() if mine else []:
            if not run.settled():
                continue
            try:
                delivered += _deliver(run, store)
            except DamagedRunError as error:
                run.set_aside(error)
            except Exception as error:
                if is_outage(error) or refusal("", error):
                    raise
                run.attempts += 1
                if spool.remote and is_answer(error) and run.attempts < ATTEMPTS:
                    run.save()
                    continue
                aside = run.refuse(str(error).splitlines()[0])
                print(
                    f"softres: the store refuses {aside}: {printable(str(error))}", file=sys.stderr
                )
    return delivered


def _deliver(run: WaitingRun, store: Backend) -> bool:
    points, files = run.points(), run.files()  # before anything is sent
    run_id = run.run_id
    if not run_id or (run.whole and not store.knows(run_id)):
        mark = run.folder.name
        found = store.find(f"tags.spool = '{mark}'", 1)
        if found:
            run_id = found[0].run_id
        elif _is_there(run, store):
            run.remove()
            return False
        else:
            run_id = store.create_run(run.name, {**run.tags, "spool": mark}, run.start)
    if run.params:
        store.log_params(run_id, run.params)
    for part in points:
        store.log_batch(run_id, part, {})
    store.log_batch(run_id, (), run.tags)
    for data in run.inputs:
        store.log_input(run_id, InputData(**data))
    for path in files:
        store.log_file(run_id, path)
    store.end_run(run_id, run.status, run.end)
    run.remove()
    return True


def _is_there(run: WaitingRun, store: Backend) -> bool:
    """Whether the store has the same job already: nobody could know while it was away."""
    key = run.tags.get("key")
    if not key or run.status != "FINISHED" or run.tags.get("forced") == "true":
        return False
    query = _SAME.format(key=key, steps=run.tags.get("max_steps", ""))
    same = store.find(query, 20)
    return any(other.tags.get("time_limit") == run.tags.get("time_limit") for other in same)
