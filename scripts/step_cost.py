"""Compare steps of approx_newton and exact_newton: python scripts/step_cost.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from experiments.race.threads import pin_environment

if __name__ == "__main__":
    pin_environment()  # BLAS and OpenMP read their threads while they are imported
    from experiments.race.steps.command import step_cost_command

    raise SystemExit(step_cost_command())
