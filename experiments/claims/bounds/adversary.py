"""An adversary: it chooses x (and y) in the ball and b on the simplex to make a figure large."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.claims.bounds.quantities import PointBatch
from experiments.claims.bounds.regions import Setting

__all__ = ["WorstCase", "search"]

Array = npt.NDArray[np.float64]
#: Pairs closer than this, over R, would measure rounding.
CLOSEST = 1e-3


@dataclass(frozen=True)
class WorstCase:
    """The largest value of one figure, and where it is.

    Attributes
    ----------
    value
        After the search; -inf where no start satisfied alpha >= beta.
    at_random
        The largest over the random starts, before the search.
    x, y, b
        The point, the second point (zeros where the figure has none), and the targets.
    """

    value: float
    at_random: float
    x: Array
    y: Array
    b: Array


def search(
    setting: Setting,
    figures: Mapping[str, Callable[..., Any]],
    points: int,
    rng: np.random.Generator,
    *,
    starts: int,
    iterations: int,
) -> dict[str, WorstCase]:
    """Maximise every figure over |x| <= R, alpha >= beta, b >= 0 and sum(b) <= 1.

    Projected ascent along noisy gradients from many starts at once. A step is kept only if the
    figure grows inside the constraints, so that what is returned was really attained; the noise
    lets it move along the boundary alpha = beta.

    Parameters
    ----------
    figures
        By name: a function of one :class:`PointBatch`, or of two, of batch shape (starts,). For two
        points it is divided by |x - y|.
    points
        1 or 2.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # on matrices this small, waiting for more threads takes the time
    try:
        return _search(setting, figures, points, rng, starts, iterations)
    finally:
        torch.set_num_threads(before)


def _search(
    setting: Setting,
    figures: Mapping[str, Callable[..., Any]],
    points: int,
    rng: np.random.Generator,
    starts: int,
    iterations: int,
) -> dict[str, WorstCase]:
    import torch

    A = torch.tensor(setting.A)
    n, d = A.shape
    theta = torch.tensor(
        np.stack([_starts(setting, points, starts, rng) for _ in figures])
    )  # (figures, starts, points d + n): x over R, and the logits of b
    names = list(figures)

    def evaluate(at: Any) -> tuple[Any, Any]:
        xs = [setting.R * at[..., k * d : (k + 1) * d] for k in range(points)]
        padded = torch.nn.functional.pad(at[..., points * d :], (0, 1))
        b = torch.softmax(padded, -1)[..., :n]
        zs = [x @ A.T for x in xs]
        inside = torch.ones(at.shape[:-1], dtype=torch.bool)
        for z in zs:
            alpha = (z.exp() + z).sum(-1)
            inside &= (alpha >= setting.beta) & alpha.isfinite()
        rows = []
        for k, name in enumerate(names):
            value = figures[name](*(PointBatch(z[k], b[k]) for z in zs))
            rows.append(value)
        values = torch.stack(rows)
        if points == 2:
            distance = (xs[0] - xs[1]).norm(dim=-1)
            inside &= distance >= CLOSEST * setting.R
            values = values / distance.clamp(min=CLOSEST * setting.R)
        return values, inside

    def with_gradient(at: Any) -> tuple[Any, Any]:
        at = at.detach().requires_grad_(True)
        values, inside = evaluate(at)
        usable = inside & values.isfinite() & (values > 0)
        logs = torch.where(usable, values, torch.ones_like(values)).log()
        (gradient,) = torch.autograd.grad(logs.sum(), at)
        values = torch.where(usable, values, torch.full_like(values, -torch.inf))
        return values.detach(), torch.nan_to_num(gradient, 0.0, 0.0, 0.0)

    best, gradient = with_gradient(theta)
    first = best.clone()
    step = torch.full(best.shape, 0.2, dtype=theta.dtype)
    for _ in range(iterations):
        noise = torch.tensor(rng.standard_normal(tuple(theta.shape)))
        direction = _unit(gradient) + 0.3 * _unit(noise)
        proposal = _project(theta + step[..., None] * direction, points, d)
        values, slope = with_gradient(proposal)
        better = values > best
        theta = torch.where(better[..., None], proposal, theta)
        gradient = torch.where(better[..., None], slope, gradient)
        best = torch.where(better, values, best)
        step = torch.where(better, 1.6 * step, 0.6 * step).clamp(1e-6, 2.0)
    return {
        name: _found(setting, theta[k], best[k], first[k], points) for k, name in enumerate(names)
    }


def _unit(vectors: Any) -> Any:
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-300)


def _project(theta: Any, points: int, d: int) -> Any:
    """Return the nearest points of the unit ball; the logits of b stay below 30 in size."""
    import torch

    balls = [theta[..., k * d : (k + 1) * d] for k in range(points)]
    # A hair inside, so that |x| <= R holds after rounding.
    balls = [x / x.norm(dim=-1, keepdim=True).clamp(min=1.0) * (1 - 1e-15) for x in balls]
    return torch.cat([*balls, theta[..., points * d :].clamp(-30.0, 30.0)], -1)


def _starts(setting: Setting, points: int, count: int, rng: np.random.Generator) -> Array:
    """Return starts: x random in the ball or where alpha is just above beta, y near x or not."""
    n, d = setting.A.shape
    x = np.concatenate([_in_ball(count // 2, d, rng), _low(setting, count - count // 2, rng)])
    xs = [x]
    if points == 2:
        near = x + 10.0 ** rng.uniform(-2.5, 0.0, (count, 1)) * _in_ball(count, d, rng)
        near /= np.maximum(1.0, np.linalg.norm(near, axis=1))[:, None]
        far = _low(setting, count, rng)
        xs.append(np.where(np.arange(count)[:, None] % 3 == 0, far, near))
    logits = rng.choice([0.5, 3.0, 10.0], (count, 1)) * rng.standard_normal((count, n))
    return np.concatenate([*xs, logits], axis=1)


def _in_ball(count: int, d: int, rng: np.random.Generator) -> Array:
    x = rng.standard_normal((count, d))
    radius = rng.random((count, 1)) ** (1.0 / d)
    return np.asarray(radius * x / np.linalg.norm(x, axis=1, keepdims=True))


def _low(setting: Setting, count: int, rng: np.random.Generator) -> Array:
    """Return points x over R with alpha as near above beta as the ball allows, by bisection."""
    _, d = setting.A.shape

    def alpha(x: Array) -> Array:
        z = setting.R * x @ setting.A.T
        return np.asarray((np.exp(z) + z).sum(axis=1))

    out = _in_ball(8 * count, d, rng)
    out = out[np.argsort(alpha(out))][:count]
    # From x = 0, where alpha = n, towards the points of least alpha.
    low, high = np.zeros(count), np.ones(count)
    outside = alpha(out) < setting.beta
    low[~outside] = 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        fine = alpha(middle[:, None] * out) >= setting.beta
        low, high = np.where(fine, middle, low), np.where(fine, high, middle)
    return np.asarray(low[:, None] * out)


def _found(setting: Setting, theta: Any, best: Any, first: Any, points: int) -> WorstCase:
    import torch

    n, d = setting.A.shape
    k = int(best.argmax())
    at = theta[k]
    x = (setting.R * at[:d]).numpy()
    y = (setting.R * at[d : 2 * d]).numpy() if points == 2 else np.zeros(d)
    b = torch.softmax(torch.nn.functional.pad(at[points * d :], (0, 1)), -1)[:n].numpy()
    return WorstCase(float(best[k]), float(first.max()), x, y, b)
