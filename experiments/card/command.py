"""The command line of the test and timing on a card."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from softres.cli.arguments import OneLineParser, exit_status, output_folder, positive_whole
from softres.common.errors import InputError

__all__ = ["card_command"]

ROOT = Path(__file__).parents[2]
#: Seconds that the tests may take.
TESTS_LIMIT = 240
_SHOWN = ("solver", "n", "d", "dtype", "status", "steps", "seconds", "floor", "over_floor")


def card_command(arguments: Sequence[str] | None = None) -> int:
    """Measure, write and show; return the exit status."""
    chosen = _parser().parse_args(arguments)
    return exit_status(lambda: _run(chosen), lambda: print("stopped; nothing is written"))


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Run the device's tests on a CUDA card, then time whole solves there, beside "
        "what reading A and multiplying would take at best."
    )
    parser.add_argument("--n", type=positive_whole, default=1_000_000, help="rows of A")
    parser.add_argument("--d", type=positive_whole, default=512, help="columns of A")
    parser.add_argument(
        "--size", type=positive_whole, default=8192, help="rows of the squares a GEMM is timed with"
    )
    parser.add_argument("--no-tests", action="store_true", help="time only")
    parser.add_argument("--out", type=Path, default=Path("results/gpu"), help="folder of the table")
    return parser


def _run(chosen: argparse.Namespace) -> None:
    import torch

    if not torch.cuda.is_available():
        raise InputError("scripts/gpu.py: torch finds no CUDA device here")
    folder = output_folder(chosen.out)
    started, name = time.monotonic(), torch.cuda.get_device_name()
    tests = None if chosen.no_tests else _tests()
    print(f"{name}: tests {tests or 'left out'}")
    rows = _rows(chosen)
    minutes = (time.monotonic() - started) / 60.0
    report = {
        "card": name,
        "torch": torch.__version__,
        "minutes": minutes,
        "tests": tests,
        "solves": rows,
    }
    path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_').lower()}.json"
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(f"written: {path}")


def _tests() -> str:
    """Run the tests of a device; return pytest's last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-k", "cuda", "-m", "not network", "tests"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=TESTS_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not done after {TESTS_LIMIT} s"
    return (done.stdout.strip().splitlines() or ["no output"])[-1]


def _rows(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Time the solvers in both precisions, and where launches rather than work take the time."""
    from experiments.card.solves import SOLVERS, Shape, make, timed

    large = (chosen.n, chosen.d)
    small = (max(200, chosen.n // 1000), max(2, chosen.d // 10))
    rows = []
    print("  ".join(_SHOWN))
    for n, d in (large, small):
        for dtype in ("float64", "float32"):
            shape = Shape(n, d, dtype, chosen.size)
            problem, rates = make(shape)
            for solver in SOLVERS:
                row = timed(problem, shape, rates, solver)
                rows.append(row)
                print("  ".join(_told(row[key]) for key in _SHOWN))
    return rows


def _told(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
