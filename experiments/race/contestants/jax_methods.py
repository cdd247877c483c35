"""optax's L-BFGS and optimistix's Newton, on the loss in JAX with automatic differentiation.

Compilation is preparation. A is an argument of what is compiled, not a constant inside. The
packages are optional, and typed to differing degrees: to the type checker they are ``Any``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from experiments.race.contestants.base import Contestant, Run
from experiments.race.recorder import Recorder
from experiments.race.task import Task

__all__ = ["CONTESTANTS"]


def _loss(x: Any, data: Any) -> Any:
    """Return the loss over its value at x0."""
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")

    A, b, w2, scale, beta = data
    z = A @ x
    m = jax.lax.stop_gradient(jnp.maximum(z.max(), 0.0))
    t = jnp.exp(-m)
    u = jnp.exp(z - m) + t * z
    alpha = u.sum()
    c = u / alpha - b
    value = scale * (0.5 * (c @ c) + 0.5 * w2 * (z @ z))
    return jnp.where(alpha > beta * t, value, jnp.inf)


def _data(task: Task) -> Any:
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")

    jax.config.update("jax_enable_x64", True)
    if task.sparse:
        A = import_module("jax.experimental.sparse").BCOO.from_scipy_sparse(task.A)
    else:
        A = jnp.asarray(task.A)
    return jax.block_until_ready(
        (A, jnp.asarray(task.b), *(jnp.asarray(v) for v in (task.w2, 1 / task.value0, task.beta)))
    )


@cache
def _lbfgs_step() -> tuple[Any, Callable[..., Any]]:
    jax: Any = import_module("jax")
    optax: Any = import_module("optax")

    # optax's own search stops after 20 trials; a length of one is tried first, as for any
    # quasi-Newton method.
    solver = optax.lbfgs(memory_size=20)

    def step(x: Any, state: Any, data: Any) -> Any:
        def loss(y: Any) -> Any:
            return _loss(y, data)

        value, gradient = optax.value_and_grad_from_state(loss)(x, state=state)
        updates, state = solver.update(
            gradient, state, x, value=value, grad=gradient, value_fn=loss
        )
        trials = optax.tree_utils.tree_get(state, "num_linesearch_steps")
        return optax.apply_updates(x, updates), state, trials

    return solver, jax.jit(step)


def _lbfgs(task: Task) -> Run:
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")

    data = task.shared("jax", lambda: _data(task))
    solver, step = _lbfgs_step()
    x0 = jnp.asarray(task.x0)
    first = solver.init(x0)
    x, state = x0, first
    for _ in range(2):  # compiles; again for the second, whose state has other dtypes
        x, state, _ = jax.block_until_ready(step(x, state, data))
    bool((x == x0).all())

    def run(record: Recorder) -> None:
        x, state, passes = x0, first, 2
        record.start()
        record(x, 0)
        while True:
            before = x
            x, state, trials = jax.block_until_ready(step(x, state, data))
            if bool((x == before).all()):
                return
            passes += 2 * int(trials)
            record(x, passes)

    return run


@cache
def _newton_step() -> tuple[Any, Any, Callable[..., Any]]:
    equinox: Any = import_module("equinox")
    jax: Any = import_module("jax")
    optimistix: Any = import_module("optimistix")

    solver: Any = optimistix.Newton(rtol=1e-15, atol=1e-15)

    def root(x: Any, data: Any) -> Any:
        return jax.grad(_loss)(x, data), None

    def step(x: Any, state: Any, data: Any) -> Any:
        x, state, _ = solver.step(root, x, data, {}, state, frozenset())
        return x, state

    return solver, root, equinox.filter_jit(step)


def _newton(task: Task) -> Run:
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")

    data = task.shared("jax", lambda: _data(task))
    solver, root, step = _newton_step()
    x0 = jnp.asarray(task.x0)
    shape = jax.ShapeDtypeStruct(x0.shape, x0.dtype)
    first = solver.init(root, x0, data, {}, shape, None, frozenset())
    x, state = x0, first
    for _ in range(2):  # compiles; again for the second, whose state has other dtypes
        x, state = step(x, state, data)
    bool((x == x0).all())
    d = len(task.x0)

    def run(record: Recorder) -> None:
        x, state, passes = x0, first, 0
        record.start()
        record(x, 0)
        while True:
            before = x
            x, state = step(x, state, data)
            x.block_until_ready()
            if bool((x == before).all()):
                return
            passes += 2 + 2 * d  # a gradient, and d products with its Jacobian
            record(x, passes)

    return run


CONTESTANTS = (
    Contestant("optax_lbfgs", "outside", _lbfgs, needs=("jax", "optax")),
    Contestant(
        "optimistix_newton",
        "outside",
        _newton,
        needs=("jax", "optimistix", "equinox"),
        sparse=False,
        scratch=lambda n, d: 4 * 8.0 * n * d,
    ),
)
