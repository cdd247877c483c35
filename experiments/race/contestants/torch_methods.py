"""torch's L-BFGS, and the exact Newton method of pytorch-minimize, on the loss in plain torch."""

from __future__ import annotations

import warnings
from typing import Any

from experiments.race.contestants.base import Contestant, Run
from experiments.race.recorder import Recorder
from experiments.race.task import Task

__all__ = ["CONTESTANTS"]

FOREVER = 10**7
#: Added to the Hessian's diagonal, the loss at x0 being one: the size of rounding. Without it the
#: method fails where A lacks rank. Of its ways with an indefinite Hessian only the gradient step
#: works here: the LU step climbs, and the shift by the least eigenvalue leaves the loss's domain.
RIDGE = 1e-13


class _TorchLoss:
    """The loss over its value at x0, and its gradient in closed form."""

    def __init__(self, task: Task) -> None:
        import torch

        self.A, self.AT = task.shared("torch", lambda: _tensors(task.A))
        self.b = torch.from_numpy(task.b)
        self.w2, self.scale, self.beta = task.w2, 1.0 / task.value0, task.beta
        self.passes = 0

    def value(self, x: Any) -> Any:
        """Return the loss, ready for automatic differentiation; one pass."""
        import torch

        self.passes += 1
        z = self.A @ x
        m = torch.clamp(z.detach().max(), min=0.0)
        t = torch.exp(-m)
        u = torch.exp(z - m) + t * z
        alpha = u.sum()
        if not float(alpha) > self.beta * float(t):
            return 0.0 * (z @ z) + torch.inf  # twice differentiable, as every value must be
        c = u / alpha - self.b
        return self.scale * (0.5 * (c @ c) + 0.5 * self.w2 * (z @ z))

    def value_and_gradient(self, x: Any) -> tuple[Any, Any]:
        """Return the loss and its gradient; two passes."""
        import torch

        self.passes += 2
        z = self.A @ x
        m = torch.clamp(z.max(), min=0.0)
        t = torch.exp(-m)
        e = torch.exp(z - m)
        u = e + t * z
        alpha = u.sum()
        if not float(alpha) > self.beta * float(t):
            return torch.tensor(torch.inf, dtype=x.dtype), torch.zeros_like(x)
        f = u / alpha
        c = f - self.b
        value = 0.5 * (c @ c) + 0.5 * self.w2 * (z @ z)
        slope = (e + t) / alpha * (c - f @ c) + self.w2 * z
        return self.scale * value, self.scale * (self.AT @ slope)


def _tensors(A: Any) -> tuple[Any, Any]:
    import torch

    if not hasattr(A, "indptr"):
        tensor = torch.from_numpy(A)  # the same memory
        return tensor, tensor.T
    # torch has no fast product with the transpose of a CSR tensor: both are kept.
    return _csr(A), _csr(A.T.tocsr())


def _csr(matrix: Any) -> Any:
    import torch

    rows, columns = (
        torch.from_numpy(part.astype("int64")) for part in (matrix.indptr, matrix.indices)
    )
    with warnings.catch_warnings():  # a remark that CSR tensors are in beta
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor(rows, columns, torch.from_numpy(matrix.data), matrix.shape)


def _lbfgs(task: Task) -> Run:
    import torch

    loss = _TorchLoss(task)

    def run(record: Recorder) -> None:
        x = torch.from_numpy(task.x0.copy()).requires_grad_(True)
        optimiser: Any = torch.optim.LBFGS(
            [x],
            max_iter=1,
            max_eval=100,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            history_size=20,
            line_search_fn="strong_wolfe",
        )
        last: tuple[Any, Any, Any] | None = None

        def closure() -> Any:
            nonlocal last
            record.check()
            at = x.detach()
            # Each step of torch's begins with a value that the last search has already seen.
            if last is None or not torch.equal(last[0], at):
                last = (at.clone(), *loss.value_and_gradient(at))
            x.grad = last[2].clone()
            return last[1]

        record.start()
        before = x.detach().clone()
        record(before.numpy(), 0)
        while True:
            optimiser.step(closure)
            now = x.detach().clone()
            if torch.equal(now, before):
                return
            record(now.numpy(), loss.passes)
            before = now

    return run


def _newton_exact(task: Task) -> Run:
    import torch

    with warnings.catch_warnings():  # it is built on what torch has since deprecated
        warnings.simplefilter("ignore")
        import torchmin

    loss = _TorchLoss(task)
    d = len(task.x0)

    def run(record: Recorder) -> None:
        grams = 0

        def function(x: Any) -> Any:
            record.check()
            loss.passes += 1  # the gradient that follows every value
            return loss.value(x)

        def callback(x: Any) -> None:
            nonlocal grams
            grams += 1
            # The Hessian is d products, of two passes each.
            record(x.numpy(), loss.passes + 2 * d * grams)

        x0 = torch.from_numpy(task.x0.copy())
        record.start()
        record(task.x0, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torchmin.minimize(
                function,
                x0,
                method="newton-exact",
                callback=callback,
                options={"xtol": 0.0, "max_iter": FOREVER, "handle_npd": "grad", "tikhonov": RIDGE},
            )

    return run


CONTESTANTS = (
    Contestant("torch_lbfgs", "outside", _lbfgs, needs=("torch",)),
    Contestant(
        "torchmin_newton",
        "outside",
        _newton_exact,
        needs=("torch", "torchmin"),
        sparse=False,
        scratch=lambda n, d: 4 * 8.0 * n * d,
    ),
)
