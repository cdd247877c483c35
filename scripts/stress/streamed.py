"""Solving over an A that stays on disk: memory, and speed against that of reading the files.

    python scripts/stress/streamed.py --mib 2048 --columns 512 --limit 512

Writes A in row blocks, then solves in a process of its own. The peak of its resident set, program
included, must not exceed the limit (in MiB); a pass over A must run at 60% of the speed at which
the same process reads the same files into a buffer, or more. --kind parquet only shows the figures:
decoding has a price of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from common import ROOT, arguments, environment, report, workplace

KIB_IN_GIB = 2**20
#: Least speed of a pass over that of reading.
SHARE = 0.6
BLOCK_ROWS = 4096
MEASURE = """
import sys
sys.path.insert(0, {here!r})
from streamed import measure
measure({folder!r}, {memory}, {cold})
"""


def _write(folder: Path, rows: int, columns: int, kind: str) -> float:
    """Write A with singular values over a factor of ten, and b of a planted model; the seconds."""
    from softres.data.files.shard_writer import ShardWriter

    rng = np.random.default_rng(0)
    spread = np.geomspace(4.0, 0.4, columns) / np.sqrt(rows)
    V = np.linalg.qr(rng.standard_normal((columns, columns)))[0] * spread[:, None]
    x = rng.standard_normal(columns) * np.sqrt(rows / columns)
    z = np.empty(rows)

    def blocks() -> Iterator[npt.NDArray[np.float64]]:
        for start in range(0, rows, BLOCK_ROWS):
            block = rng.standard_normal((min(BLOCK_ROWS, rows - start), columns)) @ V
            z[start : start + len(block)] = block @ x
            yield block

    began = time.perf_counter()
    with ShardWriter(folder, kind) as writer:
        for block in blocks():
            writer.add(block)
        b = np.maximum(np.exp(z) + z, 0.0) * np.exp(0.5 * rng.standard_normal(rows))
        writer.finish(b / b.sum())
    return time.perf_counter() - began


def _status(name: str) -> float:
    """Return a figure of this process in GiB, ``VmHWM`` for the peak of its resident set."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.split(f"{name}:")[1].split()[0]) / KIB_IN_GIB


def _read(folder: Path) -> float:
    """Read the files of A into a buffer; the seconds."""
    buffer = bytearray(4 << 20)
    began = time.perf_counter()
    for path in sorted(folder.glob("A-*")):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return time.perf_counter() - began


def _forget(folder: Path) -> None:
    """Drop the files from the system's cache."""
    import os

    for path in folder.glob("A-*"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(where: str, memory: float, cold: bool) -> None:
    """Solve over the folder in this process, and print figures as JSON."""
    from softres import SoftResidualRegression, solve
    from softres.certification.minimiser import find_minimiser
    from softres.data.sets.streamed import Streamed, load_streamed

    folder = Path(where)
    program = _status("VmRSS")
    instance = load_streamed(Streamed(where, memory), None)
    matrix = instance.A
    n, d = matrix.shape
    x, y = np.ones(d), np.ones(n)

    def seconds(function: object, argument: object) -> float:
        began = time.perf_counter()
        function(argument)  # type: ignore[operator]
        return time.perf_counter() - began

    # Neighbours in time, and in turn: what else the machine does falls on both alike.
    reading: list[float] = []
    forward: list[float] = []
    backward: list[float] = []
    for _ in range(3):
        for times, function, argument in (
            (reading, _read, folder),
            (forward, matrix.matmul, x),
            (backward, matrix.rmatmul, y),
        ):
            if cold:
                _forget(folder)
            times.append(seconds(function, argument))
    size = 8e-9 * n * d
    file_size = 1e-9 * sum(path.stat().st_size for path in folder.glob("A-*"))
    problem = SoftResidualRegression(matrix, instance.b, 1e-2 / n)
    began = time.perf_counter()
    result = solve(problem, "preconditioned_newton", eps=1e-10)
    solved = time.perf_counter() - began
    solve_peak = _status("VmHWM")
    began = time.perf_counter()
    minimiser, certificate = find_minimiser(problem, np.zeros(d))
    certified = time.perf_counter() - began
    gap = float(np.linalg.norm(result.x - minimiser) / np.linalg.norm(minimiser))
    figures = {
        "read_gb_per_second": file_size / min(reading),
        "product_gb_per_second": size / min(forward),
        "transposed_gb_per_second": size / min(backward),
        "pass_share": min(reading) / max(min(forward), min(backward)),
        "solve_seconds": solved,
        "status": str(result.status),
        "steps": result.steps,
        "passes": problem.matrix.counter.passes,
        "error": gap,
        "certified": certificate.certified,
        "certify_seconds": certified,
        "program_gib": program,
        "solve_peak_gib": solve_peak,
        "peak_gib": _status("VmHWM"),
    }
    print(json.dumps(figures))


def main() -> int:
    options = arguments(__doc__ or "", mib=2048, columns=512, limit=512, parquet=0, cold=0)
    rows = options.mib * 2**20 // (8 * options.columns)
    kind = "parquet" if options.parquet else "npy"
    with workplace(options) as place:
        folder = place / f"A-{kind}-{options.mib}"
        written = None if (folder / "manifest.json").exists() else 0.0
        if written is not None:
            written = _write(folder, rows, options.columns, kind)
        program = MEASURE.format(
            here=str(ROOT / "scripts" / "stress"),
            folder=str(folder),
            memory=options.limit / 1024,
            cold=bool(options.cold),
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment(place),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return 1
        found = json.loads(done.stdout.splitlines()[-1])
    fits = found["peak_gib"] <= options.limit / 1024
    fast = bool(options.parquet) or found["pass_share"] >= SHARE
    good = fits and fast and found["certified"] and found["error"] < 1e-8
    figures = {"rows": rows, "write_seconds": written, **found}
    return report(f"{options.mib} MiB of {kind} in {options.limit} MiB", figures, good, options)


if __name__ == "__main__":
    sys.exit(main())
