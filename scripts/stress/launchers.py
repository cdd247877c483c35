"""The same sweep through every launcher: equal keys, equal x.

python scripts/stress/launchers.py

A launcher whose plugin is not installed is left out, and said so.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from common import arguments, audit, report, run, stored_runs, workplace

LAUNCHERS = {
    "serial": "hydra",
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
    "ray": "hydra_plugins.hydra_ray_launcher",
}


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _final(folder: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Return the solution x of each run by its key."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'results' / 'mlflow.db'}")
    found = {}
    for stored in stored_runs(client, "softres"):
        path = client.download_artifacts(stored.info.run_id, "solution.npz")
        valid = stored.data.tags["timing_valid"]
        assert (stored.data.tags["launcher"] == "serial") == (valid == "true")
        with np.load(path) as kept:
            found[stored.data.tags["key"]] = kept["x"]
    return found


def main() -> int:
    options = arguments(__doc__ or "", jobs=8, workers=2)
    words = ("-m", f"seed=range({options.jobs // 2})", "solver=exact_newton,approx_newton", "n=400")
    figures: dict[str, object] = {}
    final: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
    good = True
    with workplace(options) as place:
        for name, package in LAUNCHERS.items():
            if not _installed(package):
                figures[name] = "left out: not installed"
                continue
            folder = place / name
            folder.mkdir()
            start = time.monotonic()
            ended = run(folder, *words, f"hydra/launcher={name}")
            seconds = time.monotonic() - start
            if ended.returncode != 0:
                print(ended.stdout[-2000:], ended.stderr[-2000:])
                figures[name], good = f"exit status {ended.returncode}", False
                continue
            found = audit(f"sqlite:///{folder / 'results' / 'mlflow.db'}")
            final[name] = _final(folder)
            keys = final[name].keys() == final["serial"].keys()
            apart = [
                np.abs(final[name][key] - final["serial"][key]).max()
                for key in final[name].keys() & final["serial"].keys()
            ]
            worst = max(apart, default=np.inf)
            good = good and keys and bool(worst <= 1e-12) and found.lost == found.twice == 0
            figures[name] = (
                f"{seconds:.0f} s, {found.statuses}, keys {'equal' if keys else 'DIFFERENT'}, "
                f"largest difference {worst:.1e}, {found.lost} points lost"
            )
    return report("launchers", figures, good, options)


if __name__ == "__main__":
    raise SystemExit(main())
