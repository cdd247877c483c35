"""A stand-in for a CUDA device: ordinary tensors that say they are elsewhere, and are watched.

On a real card an operation that mixes devices fails, one that asks for a number waits for the
card, and nothing warns of the second. :class:`OnCard` wraps an ordinary CPU tensor and reports
``cuda:0``; every torch function runs on what is inside, and its result is wrapped again. What a
card refuses is refused, and what makes the host wait is counted by its name.

It shows where the library waits and what it copies. Of speed, memory and rounding it says nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["Card", "OnCard", "card"]

DEVICE = torch.device("cuda", 0)
#: What must bring something to the host before it can return: the host waits for the card.
WAITS = frozenset(
    [
        "__bool__",
        "__complex__",
        "__contains__",
        "__float__",
        "__index__",
        "__int__",
        "allclose",
        "argwhere",
        "bincount",
        "cholesky",
        "eigh",
        "eigvalsh",
        "equal",
        "is_nonzero",
        "item",
        "lstsq",
        "masked_select",
        "nonzero",
        "solve",
        "svd",
        "tolist",
        "unique",
    ]
)
#: Metadata, and what says where a tensor lives.
GETTERS: dict[Any, Any] = {
    torch.Tensor.device.__get__: DEVICE,  # type: ignore[attr-defined]
    torch.Tensor.is_cuda.__get__: True,  # type: ignore[attr-defined]
    torch.Tensor.is_cpu.__get__: False,  # type: ignore[attr-defined]
    torch.Tensor.get_device: 0,
}


class Card:
    """The device: what it was made to wait for, and what was copied to it.

    Attributes
    ----------
    waits
        How often the host waited, by the operation's name; ``"cpu"`` is a copy to the host.
    uploads
        Arrays copied from the host.
    synchronised
        Calls of ``torch.cuda.synchronize``, with which clocks are read.
    """

    def __init__(self) -> None:
        self.waits: Counter[str] = Counter()
        self.uploads = 0
        self.synchronised = 0

    @property
    def waited(self) -> int:
        """How often the host waited, clocks aside."""
        return sum(self.waits.values())


#: The device in use; its counts begin anew with each :func:`card`.
_CARDS: list[Card] = [Card()]


class OnCard(torch.Tensor):
    """A tensor on the stand-in."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> OnCard:
        make = torch.Tensor._make_wrapper_subclass  # type: ignore[attr-defined]
        made: OnCard = make(cls, inner.shape, dtype=inner.dtype, device=DEVICE)
        made.inner = inner
        return made

    @classmethod
    def __torch_function__(  # type: ignore[override]
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(function, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(cls, function: Any, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"{function} has come past the stand-in")


class _Event:
    """An event that a queue without delay comes to at once."""

    def __init__(self, enable_timing: bool = False) -> None:
        self.at = 0.0

    def record(self, stream: Any = None) -> None:
        self.at = time.perf_counter()

    def elapsed_time(self, until: _Event) -> float:
        return 1000.0 * (until.at - self.at)


class _Mode(TorchFunctionMode):
    """Catches what makes tensors from the host's values, which no argument gives away."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(function, args, kwargs or {})


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = getattr(function, "__name__", "")
    tensors = list(_tensors((args, kwargs)))
    on_card = [tensor for tensor in tensors if isinstance(tensor, OnCard)]
    if not on_card:
        target = _target(name, args, kwargs)
        if target is None or target.type != "cuda":
            return function(*args, **kwargs)
        _CARDS[-1].uploads += name in {"to", "cuda", "tensor", "as_tensor"}
        return _wrapped(function(*_mapped(_inside, args), **_mapped(_inside, kwargs)), [])
    if function in GETTERS:
        return GETTERS[function]
    if name in {"__array__", "numpy", "__dlpack__"}:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")
    apart = [tensor for tensor in tensors if not isinstance(tensor, OnCard) and tensor.ndim]
    if apart and name != "copy_":
        raise RuntimeError(f"{name}: expected all tensors to be on the same device")
    target = _target(name, args, kwargs)
    leaves = name == "cpu" or (target is not None and target.type == "cpu")
    if leaves and name != "new_zeros":
        _CARDS[-1].waits["cpu"] += 1
    elif _makes_wait(name, args, kwargs):
        _CARDS[-1].waits[name] += 1
    result = function(*_mapped(_inside, args), **_mapped(_inside, kwargs))
    return result if leaves else _wrapped(result, on_card)


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from _tensors(part)
    elif isinstance(tree, dict):
        yield from _tensors(list(tree.values()))


def _target(name: str, args: Any, kwargs: dict[str, Any]) -> torch.device | None:
    """Return the device that a call asks for, if it asks for one."""
    if name == "cuda":
        return DEVICE
    asked = kwargs.get("device")
    if asked is None and name == "to":
        asked = next((part for part in args[1:] if isinstance(part, str | torch.device)), None)
    return None if asked is None else torch.device(asked)


def _mapped(function: Any, tree: Any) -> Any:
    """Apply a function to everything in nested lists, tuples and dictionaries."""
    if isinstance(tree, dict):
        return {name: _mapped(function, part) for name, part in tree.items()}
    if isinstance(tree, list | tuple) and not isinstance(tree, torch.Size):
        parts = [_mapped(function, part) for part in tree]
        if type(tree) in {list, tuple} or not hasattr(tree, "_fields"):
            return type(tree)(parts)
        return type(tree)(*parts)
    return function(tree)


def _inside(part: Any) -> Any:
    """Return an argument as the CPU takes it."""
    if isinstance(part, OnCard):
        return part.inner
    if isinstance(part, torch.device) or (isinstance(part, str) and part.startswith("cuda")):
        return torch.device("cpu")
    return part


def _makes_wait(name: str, args: Any, kwargs: dict[str, Any]) -> bool:
    if name in {"__getitem__", "__setitem__"}:  # a mask has to be counted first
        return any(tensor.dtype == torch.bool for tensor in _tensors(args[1]))
    if name == "repeat_interleave":
        return "output_size" not in kwargs
    if name == "where":
        return len(args) == 1
    return name.removeprefix("linalg_") in WAITS


def _wrapped(result: Any, arguments: list[OnCard]) -> Any:
    def wrap(part: Any) -> Any:
        if not isinstance(part, torch.Tensor) or isinstance(part, OnCard):
            return part
        for own in arguments:  # what works in place returns its argument
            if own.inner is part:
                return own
        return OnCard(part)

    return _mapped(wrap, result)


@contextlib.contextmanager
def card() -> Iterator[Card]:
    """Let torch find a CUDA device within the block, the stand-in."""
    made = Card()

    def synchronize(device: Any = None) -> None:
        made.synchronised += 1

    _CARDS.append(made)
    try:
        with (
            mock.patch.multiple(
                torch.cuda,
                is_available=lambda: True,
                synchronize=synchronize,
                mem_get_info=lambda device=None: (1 << 37, 1 << 37),
                current_stream=lambda device=None: None,
                Event=_Event,
                get_device_name=lambda device=None: "stand-in",
            ),
            _Mode(),
        ):
            yield made
    finally:
        _CARDS.pop()
