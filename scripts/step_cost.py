"""Compare steps of approx_newton and exact_newton: python scripts/step_cost.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from experiments.race import step_cost

if __name__ == "__main__":
    raise SystemExit(step_cost())
