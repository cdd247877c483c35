"""What a job costs beside its work: in seconds, and in seconds of processor time.

    python scripts/stress/overhead.py --jobs 100 --rows 5000 --columns 100

The cost of a job is the slope between a short sweep and a long one, so that starting up does not
count. Hydra's own is that of a program with the same configuration that does nothing; work is what
the runs say they spent on preparing, solving and evaluating. Processor time does not depend on what
else the machine does, but does not see the disk.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
from common import ROOT, arguments, command, environment, report, stored_runs, workplace

BARE = """
import sys
sys.path.insert(0, {root!r})
import hydra
from softres.config.choices import register
register()

@hydra.main(version_base="1.3", config_path={conf!r}, config_name="config")
def main(config):
    pass

main()
"""
WORK = ("prepare", "warm_up", "solve", "evaluate")

Seconds = npt.NDArray[np.float64]


def _timed(words: Sequence[str], folder: Path) -> Seconds:
    """Run a command; return wall and processor seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        words, cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL, check=True
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return np.array([wall, cpu])


def _work(folder: Path) -> float:
    """Return the seconds that a run says it worked, on average."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'results' / 'mlflow.db'}")
    runs = stored_runs(client, "softres")
    return fmean(sum(run.data.metrics.get(f"{name}_seconds", 0.0) for name in WORK) for run in runs)


def main() -> int:
    options = arguments(__doc__ or "", jobs=100, short=20, rows=5000, columns=100)
    many, few = options.jobs, options.short
    with workplace(options) as folder:
        bare = folder / "bare.py"
        bare.write_text(BARE.format(root=str(ROOT), conf=str(ROOT / "conf")), encoding="utf-8")
        size = (f"n={options.rows}", f"d={options.columns}")

        def slope(words: Sequence[str], first: int) -> Seconds:
            """Return seconds a job, from sweeps over seeds that begin at `first`."""
            ranges = ((first, few), (first + few, many))
            times = [
                _timed([*words, f"seed=range({low},{low + count})", *size], folder)
                for low, count in ranges
            ]
            difference: Seconds = times[1] - times[0]
            per_job: Seconds = difference / (many - few)
            return per_job

        plain = [sys.executable, str(bare), "-m", "~hydra.callbacks.softres"]
        _timed([*command("-m", "seed=999999"), *size], folder)  # makes the store
        hydra = slope(plain, 0)
        jobs = slope(command("-m"), 0)
        skipped = slope(command("-m"), 0)
        work = _work(folder)
    bookkeeping, beyond = jobs - hydra - work, skipped - hydra
    figures = {
        "seconds a job": "wall, processor",
        "Hydra alone": hydra.round(3).tolist(),
        "a job": jobs.round(3).tolist(),
        "its work": round(work, 3),
        "its bookkeeping beyond Hydra's": bookkeeping.round(3).tolist(),
        "a skipped job beyond Hydra's": beyond.round(3).tolist(),
    }
    good = bool(bookkeeping.min() <= 0.2 and beyond.min() <= 0.05)
    return report("overhead", figures, good, options)


if __name__ == "__main__":
    raise SystemExit(main())
