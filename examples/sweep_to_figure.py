"""A sweep, its runs as data, and a figure of one's own.

Runs `softres run -m ...` into FOLDER, as a terminal would, loads what it logged, and draws.

python examples/sweep_to_figure.py FOLDER
"""

import subprocess
import sys
from pathlib import Path

import softres

SWEEP = (
    *("n=1000", "d=10", "R=4,10", "seed=range(3)"),
    *("solver=exact_newton,preconditioned_newton", "sweep.figures=false"),
)


def main(out: Path) -> None:
    """Sweep, load, compare, draw."""
    store = out.resolve() / "results"
    command = [sys.executable, "-m", "softres", "run", "-m", *SWEEP, f"tracking.folder={store}"]
    subprocess.run(command, cwd=out, check=True, stdout=subprocess.DEVNULL)
    runs = softres.results.load(sweep="last", store=store)
    medians = runs.table.groupby(["R", "solver"])[["steps", "passes", "grams"]].median()
    print(medians.to_string())
    grid = runs.plot(x="passes", y="relative_error_H", hue="solver", col="R")
    grid.savefig(out / "sweep_to_figure.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
