"""Kill sweeps at random moments, start them again until they are done, and see what is left.

    python scripts/stress/kills.py --sweeps 50 --jobs 20

Every sweep works in a folder of its own. SIGKILL leaves a process no chance to tidy up.
"""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path
from threading import Timer

from common import arguments, audit, command, environment, report, run, workplace


def sweep(folder: Path, jobs: int, seed: int, most: int) -> tuple[int, float]:
    """Run a sweep to its end through up to `most` kills; return the kills and the seconds."""
    rng = random.Random(seed)
    words = ("-m", f"seed=range({jobs})", "n=60,120", "d=4", "solver=exact_newton", "max_steps=60")
    folder.mkdir()
    start, kills = time.monotonic(), 0
    while kills < most:
        process = subprocess.Popen(
            command(*words),
            cwd=folder,
            env=environment(folder, PYTHONUNBUFFERED="1"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # One kill in five at any moment from the start on, the others while jobs run.
        moment = rng.uniform(0.0, 8.0) if rng.random() < 0.2 else None
        killer = Timer(moment or 600.0, process.kill)
        killer.start()
        for line in process.stdout or ():
            if moment is None and line.startswith("job "):
                killer.cancel()
                moment = rng.uniform(0.0, 2.5)
                killer = Timer(moment, process.kill)
                killer.start()
        process.wait()
        killer.cancel()
        if process.returncode == 0:
            return kills, time.monotonic() - start
        kills += 1
    last = run(folder, *words)
    if last.returncode != 0:
        raise SystemExit(f"{folder}: exit status {last.returncode}\n{last.stderr[-400:]}")
    return kills, time.monotonic() - start


def main() -> int:
    options = arguments(__doc__ or "", sweeps=50, jobs=20, most_kills=8, seed=0)
    jobs = options.jobs // 2  # of two sizes each
    totals = {"kills": 0, "jobs": 0, "finished twice": 0, "not finished": 0}
    totals |= {"left RUNNING": 0, "swept up as KILLED": 0, "curve points": 0, "points lost": 0}
    with workplace(options) as place:
        for number in range(options.sweeps):
            folder = place / f"sweep{number:03d}"
            kills, seconds = sweep(folder, jobs, options.seed + number, options.most_kills)
            found = audit(f"sqlite:///{folder / 'results' / 'mlflow.db'}")
            totals["kills"] += kills
            totals["jobs"] += 2 * jobs
            totals["finished twice"] += found.twice
            totals["not finished"] += 2 * jobs - len(found.keys)
            totals["left RUNNING"] += found.statuses.get("RUNNING", 0)
            totals["swept up as KILLED"] += found.statuses.get("KILLED", 0)
            totals["curve points"] += found.points
            totals["points lost"] += found.lost
            print(f"sweep {number}: {kills} kills, {seconds:.0f} s, {dict(found.statuses)}")
    bad = ("finished twice", "not finished", "left RUNNING", "points lost")
    return report("killed sweeps", totals, not any(totals[name] for name in bad), options)


if __name__ == "__main__":
    raise SystemExit(main())
