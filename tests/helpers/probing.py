"""A small run of a claim's measurement, and its log, without MLflow."""

from __future__ import annotations

from pathlib import Path

from hydra import compose, initialize_config_dir

from experiments.kit.registry import claim
from experiments.kit.runs import LoggedRun
from softres.config.choices import register
from softres.config.settings import settings
from softres.harness import records
from softres.harness.keys.identity import reproducing_command
from softres.harness.probe import ProbeContext

CONF = Path(__file__).parents[2] / "conf"


def probed(name: str, folder: Path, *overrides: str) -> tuple[LoggedRun, ProbeContext]:
    """Measure one job of a claim's quick experiment; return its run and what it kept."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        options = [f"experiment=quick/{name}", *overrides]
        checked = settings(compose("config", overrides=["tracking=none", *options]))
    assert checked.experiment["profile"] == "quick"  # the short version wins over the full one
    context = ProbeContext(checked)
    measured = claim(name).measure
    assert measured is not None
    folder.mkdir(parents=True, exist_ok=True)
    measured(context).to_parquet(folder / "measurements.parquet")
    params = {k: str(v) for k, v in records.flat(checked.tree).items()}
    tags = {"status": "measured", "command": reproducing_command(options)}
    return LoggedRun("run", name, params, tags, {}, lambda file: folder / file), context
