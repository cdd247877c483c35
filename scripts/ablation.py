"""Show what each constant of the fast solver is worth: python scripts/ablation.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from experiments.ablation import ablation

if __name__ == "__main__":
    raise SystemExit(ablation())
