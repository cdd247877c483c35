"""How long a job will take and in how much memory: from earlier runs, or from its arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from statistics import median

from softres.common.errors import InputError
from softres.data.sets.streamed import Streamed
from softres.harness.resources.memory import GIB
from softres.harness.settings import Settings
from softres.problems import PROBLEMS
from softres.theory import predicted_steps
from softres.tracking import StoredRun

__all__ = ["Estimate", "check_memory", "estimate", "needed_gib"]

#: Floating-point operations a second and core that dense linear algebra reaches on old machines.
RATE = 4e9
#: Seconds that the smallest job takes: its instance, its reference, its records.
LEAST_SECONDS = 0.1
#: Arrays of the size of A that are held at once: A as made, as solved, weighted, and a temporary.
COPIES = 4
#: Steps to the certified minimiser, each about one Newton step.
REFERENCE_STEPS = 20
#: Options that earlier runs must share to say something about a job.
ALIKE = ("solver", "backend", "backend.device", "data", "experiment.id", "problem.layers")


@dataclass(frozen=True)
class Estimate:
    """What a job will take.

    Attributes
    ----------
    seconds, gib
        Time of the whole job, and memory beyond that of the program.
    source
        Where the figures come from, in words.
    """

    seconds: float
    gib: float
    source: str


def estimate(settings: Settings, earlier: Sequence[StoredRun]) -> Estimate:
    """Estimate a job by the earlier runs of its solver that are nearest in size.

    Time is scaled by n d^2 and memory by n d; without such runs both come from counts of
    operations and bytes, which tell the order of magnitude.
    """
    alike = [run for run in earlier if _kind(run.params) == _own_kind(settings)]
    timed = [run for run in alike if "job_seconds" in run.metrics]
    if not timed:
        return Estimate(_seconds(settings), needed_gib(settings), "operations and bytes")
    n, d = settings.n, settings.d

    def work(run: StoredRun) -> float:
        return float(run.params["n"]) * float(run.params["d"]) ** 2

    nearest = min(abs(log(work(run) / (n * d**2))) for run in timed)
    chosen = [run for run in timed if abs(log(work(run) / (n * d**2))) <= nearest + 1e-9]
    seconds = median(run.metrics["job_seconds"] * max(1.0, n * d**2 / work(run)) for run in chosen)
    peaks = [
        run.metrics["peak_memory_gib"] * n * d / (float(run.params["n"]) * float(run.params["d"]))
        for run in chosen
        if "peak_memory_gib" in run.metrics
    ]
    return Estimate(
        seconds,
        max(peaks, default=needed_gib(settings)),
        f"{len(chosen)} earlier run{'s' * (len(chosen) != 1)}",
    )


def needed_gib(settings: Settings) -> float:
    """Return about how many GiB the arrays of a job take."""
    if isinstance(settings.data, Streamed):
        return settings.data.memory
    layers = _layers(settings)
    n, d = settings.n * layers, settings.d * layers
    # The blocks of several layers, and as many again while they are formed, beside the vectors.
    blocks = 4 * n * layers if layers > 1 else 0
    return 8 * (COPIES * _entries(settings) + 20 * n + blocks + 6 * d**2) / GIB


def check_memory(settings: Settings) -> None:
    """Raise an :class:`InputError` if A alone takes more than ``memory_limit``."""
    limit = settings.memory_limit
    if limit is None:
        return
    alone = needed_gib(replace(settings, problem_options={})) / COPIES
    if alone > limit:
        raise InputError(
            f"memory_limit={limit:g}: A with n={settings.n} and d={settings.d} alone takes "
            f"{alone:.3g} GiB"
        )


def _layers(settings: Settings) -> int:
    return int(settings.problem_options.get("layers", 1))


def _entries(settings: Settings) -> float:
    return settings.storage.entries * (1.5 if settings.storage.kind == "sparse" else 1.0)


def _seconds(settings: Settings) -> float:
    n, d, entries = settings.n, settings.d, settings.storage.entries
    layers, steps = _layers(settings), min(settings.max_steps, predicted_steps(settings.eps))
    # n d^2 where A is dense, for every two layers one
    gram = layers * (layers + 1) * entries**2 / n
    if PROBLEMS[settings.problem].factored:
        gram = n * d + sqrt(n) * d**2  # n1 n2 d2^2 + n1 d1^2 d2^2, both factors about alike
    operations = gram * (steps + REFERENCE_STEPS) + (layers * d) ** 3 * steps
    if settings.max_steps > 1000:  # a method of first order: products with A, and many of them
        operations = gram * REFERENCE_STEPS + 8.0 * layers * entries * settings.max_steps / 10
    return LEAST_SECONDS + operations / (RATE * (settings.backend.threads or 1))


def _kind(params: dict[str, str]) -> tuple[str | None, ...]:
    return tuple(params.get(key) for key in ALIKE)


def _own_kind(settings: Settings) -> tuple[str | None, ...]:
    backend, experiment = settings.backend, settings.experiment.get("id")
    data = str(settings.tree["data"]["name"])
    named = str(experiment) if experiment is not None else None
    layers = settings.problem_options.get("layers")
    depth = None if layers is None else str(layers)
    return (settings.solver.name, backend.name, backend.device, data, named, depth)
