"""Kill the tracking server in the middle of a sweep, start it again, and count what was lost.

python scripts/stress/outage.py --seconds 20
"""

from __future__ import annotations

import subprocess
import sys
import time

from common import ROOT, arguments, audit, command, environment, report, workplace
from server import Server


def main() -> int:
    options = arguments(__doc__ or "", jobs=20, seconds=20, after=6)
    with workplace(options) as folder, Server(folder / "server") as server:
        where = ("tracking=server", f"tracking.uri={server.uri}")
        words = ("-m", f"seed=range({options.jobs})", "n=60000", "d=40", *where)
        with (folder / "out.txt").open("w") as out, (folder / "err.txt").open("w") as err:
            sweep = subprocess.Popen(
                command(*words),
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
            while "converged after" not in (folder / "out.txt").read_text():
                if sweep.poll() is not None:
                    raise SystemExit((folder / "err.txt").read_text())
                time.sleep(0.2)
            time.sleep(options.after)
            server.kill()
            before = (folder / "out.txt").read_text().count("converged after")
            time.sleep(options.seconds)
            during = (folder / "out.txt").read_text().count("converged after") - before
            server.start()
            status = sweep.wait()
        waiting = len(list(folder.glob("results/spool/*/run.json")))
        sync = subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "sync.py")],
            cwd=folder,
            env=environment(folder),
            check=False,
        )
        found = audit(server.uri)
        said = [line for line in (folder / "err.txt").read_text().splitlines() if line.strip()]
    figures = {
        "jobs": options.jobs,
        "done before, while the server was dead": (before, during),
        "exit status of the sweep": status,
        "lines on its stderr": len(said),
        "runs that still waited at its end": waiting,
        "exit status of sync.py": sync.returncode,
        "runs by status": dict(found.statuses),
        "finished once": sum(count == 1 for count in found.keys.values()),
        "curve points": found.points,
        "points lost": found.lost,
    }
    good = status == sync.returncode == found.lost == found.twice == 0
    good = good and len(found.keys) == options.jobs and found.statuses == {"FINISHED": options.jobs}
    print(*said, sep="\n")
    return report("a server that goes away", figures, good, options)


if __name__ == "__main__":
    raise SystemExit(main())
