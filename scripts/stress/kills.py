"""Kill sweeps at random moments, start them again until they are done, and see what is left.

    python scripts/stress/kills.py --sweeps 50 --jobs 20

Every sweep works in a folder of its own. SIGKILL leaves a process no chance to tidy up. In turn a
sweep is serial, parallel, one whose runs wait to be delivered, and two of the same jobs at once;
kills fall anywhere from the start on, the store's creation and the delivery included, or while jobs
have runs open.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread, Timer

import psutil
from common import ROOT, arguments, audit, command, finish, report, start, workplace
from promised.base import left_over

KINDS = ("serial", "joblib", "delivery", "two at once")
#: Seconds within which a kill falls, from the start of a command and from a job's first line on.
FROM_START, FROM_JOB = 9.0, 2.5
#: Seconds that workers get to see that the process that started them is gone.
TO_SEE = 40.0


def words(kind: str, jobs: int) -> list[str]:
    """Return the words of a sweep of some kind."""
    made = ["-m", f"seed=range({jobs // 2})", "n=60,120", "d=4", "max_steps=60"]
    made += ["sweep.figures=false"]
    if kind == "joblib":
        made += ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    return made


def killed(process: subprocess.Popen[str], rng: random.Random) -> bool:
    """Kill a command at a random moment; return whether it was quicker."""
    # One kill in two at any moment from the start on, the others while jobs run.
    moment = rng.uniform(0.0, FROM_START) if rng.random() < 0.5 else None
    killer = Timer(600.0 if moment is None else moment, process.kill)
    killer.start()
    for line in process.stdout or ():
        if moment is None and line.startswith("job "):
            killer.cancel()
            moment = rng.uniform(0.0, FROM_JOB)
            killer = Timer(moment, process.kill)
            killer.start()
    process.wait()
    killer.cancel()
    return process.returncode == 0


def lose_store(folder: Path, given: Sequence[str]) -> None:
    """Delete the store in the middle of a sweep: what follows waits to be delivered."""
    process, done = start(folder, command(*given)), 0
    for line in process.stdout or ():
        done += "converged after" in line
        if done == 2:
            (folder / "results" / "mlflow.db").unlink(missing_ok=True)
    process.wait()


def sweep(folder: Path, kind: str, jobs: int, seed: int, most: int) -> tuple[int, float]:
    """Run a sweep to its end through up to `most` kills; return the kills and the seconds."""
    rng, given = random.Random(seed), words(kind, jobs)
    folder.mkdir()
    began, kills = time.monotonic(), 0
    if kind == "delivery":
        lose_store(folder, given)
    while kills < most:
        other = start(folder, command(*given)) if kind == "two at once" else None
        reader = None if other is None else Thread(target=other.communicate)
        if reader is not None:
            reader.start()
        quicker = killed(start(folder, command(*given)), rng)
        if other is not None and reader is not None:
            if rng.random() < 0.5:
                other.kill()
            reader.join()
        kills += not quicker
        if quicker:
            break
    for last in (given, None):
        sync = [sys.executable, str(ROOT / "scripts" / "sync.py")]
        done = finish(folder, sync if last is None else command(*last))
        if done.returncode != 0:
            raise SystemExit(f"{folder}: exit status {done.returncode}\n{done.stderr[-600:]}")
    return kills, time.monotonic() - began


def orphans(folder: Path) -> int:
    """Return how many processes still work in a folder; each gets time to end by itself."""
    deadline = time.monotonic() + TO_SEE
    while left := _working_in(folder):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    for process in left:
        process.kill()
    return len(left)


def _working_in(folder: Path) -> list[psutil.Process]:
    found = psutil.process_iter(["cwd"])
    return [process for process in found if process.info["cwd"] == str(folder)]


def main() -> int:
    options = arguments(__doc__ or "", sweeps=50, jobs=20, most_kills=8, seed=0)
    jobs = options.jobs - options.jobs % 2  # of two sizes each
    totals = {"sweeps": 0, "kills": 0, "jobs": 0, "finished twice": 0, "not finished": 0}
    totals |= {"left RUNNING": 0, "swept up as KILLED": 0, "curve points": 0, "points lost": 0}
    totals |= {"files left over": 0, "workers left over": 0}
    bad = {"finished twice", "not finished", "left RUNNING", "points lost"}
    bad |= {"files left over", "workers left over"}
    with workplace(options) as place:
        for number in range(options.sweeps):
            kind = KINDS[number % len(KINDS)]
            folder = place / f"sweep{number:03d}"
            seed = options.seed + number
            kills, seconds = sweep(folder, kind, jobs, seed, options.most_kills)
            found = audit(f"sqlite:///{folder / 'results' / 'mlflow.db'}")
            left, workers = left_over(folder), orphans(folder)
            totals["sweeps"] += 1
            totals["kills"] += kills
            totals["jobs"] += jobs
            totals["finished twice"] += found.twice
            totals["not finished"] += jobs - len(found.keys)
            totals["left RUNNING"] += found.statuses.get("RUNNING", 0)
            totals["swept up as KILLED"] += found.statuses.get("KILLED", 0)
            totals["curve points"] += found.points
            totals["points lost"] += found.lost
            totals["files left over"] += len(left)
            totals["workers left over"] += workers
            print(
                f"sweep {number} ({kind}): {kills} kills, {seconds:.0f} s, "
                f"{dict(found.statuses)} {' '.join(left)}",
                flush=True,
            )
    return report("killed sweeps", totals, not any(totals[name] for name in bad), options)


if __name__ == "__main__":
    raise SystemExit(main())
