"""What is promised and takes whole commands to try: those of the stress script that are quick."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

STRESS = Path(__file__).parents[1] / "scripts" / "stress"
sys.path.insert(0, str(STRESS))
PROMISED = sorted(path.stem for path in (STRESS / "promised").glob("[a-z]*.py"))
TRIED = (
    "planning.dry_run_interpolated",
    "planning.dry_run_quoted",
    "planning.interpolated_size",
    "planning.reused_folder",
    "planning.changed_folder",
    "printing.full_device",
    "processes.other_namespace",
    "processes.orphans",
    "proxies.page_for_artifact",
    "references.other_instance",
    "spool.truncated_record",
    "stores.deleted",
    "stores.older_schema",
)

pytestmark = pytest.mark.slow


def promises():
    for name in PROMISED:
        import_module(f"promised.{name}")
    return {one.place: one for one in import_module("promised.base").PROMISES}


@pytest.mark.parametrize("place", TRIED)
def test_what_is_promised_holds(place, tmp_path):
    if place == "processes.other_namespace" and os.geteuid() != 0:
        pytest.skip("only root may start a process in a PID namespace of its own")
    promises()[place].attempt(tmp_path)
