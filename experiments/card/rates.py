"""What a card can do at best: bytes a second of a product, operations a second of a GEMM."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Rates", "device_seconds", "measure_rates"]


@dataclass(frozen=True)
class Rates:
    """Rates of one card in one precision.

    Attributes
    ----------
    bytes_per_second
        Of reading a matrix larger than its caches once, by a product with a vector.
    flops
        Operations a second of a product of two large square matrices, two for each multiplication.
    wait
        Seconds until the host has a number that the card has ready.
    """

    bytes_per_second: float
    flops: float
    wait: float


def device_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the least seconds of a few, between two waits for the card; the first is not timed."""
    import torch

    work()
    least = float("inf")
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        least = min(least, time.perf_counter() - start)
    return least


def measure_rates(A: Any, size: int) -> Rates:
    """Return the rates of the device of A, of shape (n, d), in its precision.

    Parameters
    ----------
    size
        Rows of the square matrices.
    """
    import torch

    x = torch.ones(A.shape[1], dtype=A.dtype, device=A.device)
    square = torch.ones((size, size), dtype=A.dtype, device=A.device)
    one = torch.ones((), dtype=A.dtype, device=A.device)
    reading = device_seconds(lambda: A @ x)
    product = device_seconds(lambda: square @ square)
    return Rates(
        A.numel() * A.element_size() / reading,
        2.0 * size**3 / product,
        device_seconds(lambda: float(one), 20),
    )
