"""Race the solvers: python scripts/benchmark.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from experiments.race.threads import pin_environment

if __name__ == "__main__":
    pin_environment()  # BLAS, OpenMP and XLA read their threads while they are imported
    from experiments.race.command import benchmark_command

    raise SystemExit(benchmark_command())
