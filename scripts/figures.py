"""Redraw the figures of the claims, or draw any sweep: python scripts/figures.py --help."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from softres.results.command import figures_command


def claims(arguments: Sequence[str]) -> int:
    from experiments.report.command import figures_command as redraw

    return redraw(arguments)


if __name__ == "__main__":
    raise SystemExit(figures_command(sys.argv[1:], claims))
