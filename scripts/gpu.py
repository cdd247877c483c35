"""Test and time the library on a CUDA device, in minutes: python scripts/gpu.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from experiments.card import card

if __name__ == "__main__":
    raise SystemExit(card())
