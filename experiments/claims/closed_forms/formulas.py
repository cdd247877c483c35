"""The chain of derivatives in Lemmas 4.1 and 5.2 as closed forms, and two independent references.

The functions are z, exp(z), u, alpha, 1/alpha, f and L of soft-residual regression. Derivatives
with respect to x have shapes (m, d) and (m, d, d) for a function with m entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CHAIN", "MODELS", "chain_values", "first_derivatives", "second_derivatives"]

Array = npt.NDArray[np.float64]


def _root_of_two(library: Any) -> Any:
    """Return the square root of 2 with the library's digits."""
    return 2.0**0.5 if library.__name__ == "torch" else library.sqrt(2)


#: The functions of both lemmas, in their order.
CHAIN = ("z", "exp", "u", "alpha", "1/alpha", "f", "L")

#: u(z) of every problem by name and branch or link, over any library of scalar functions.
MODELS: dict[str, Callable[[Any, Any], Any]] = {
    "softres": lambda m, z: m.exp(z) + z,
    "softmax": lambda m, z: m.exp(z),
    "resnet-exp": lambda m, z: z + m.exp(z),
    "resnet-tanh": lambda m, z: z + m.tanh(z),
    "resnet-softplus": lambda m, z: z + m.log(1 + m.exp(z)),
    "resnet-gelu": lambda m, z: z + z * (1 + m.erf(z / _root_of_two(m))) / 2,
    "exp": lambda m, z: m.exp(z),
    "cosh": lambda m, z: m.cosh(z),
    "sinh": lambda m, z: m.sinh(z),
    "rescaled-exp": lambda m, z: m.exp(z),
    "rescaled-cosh": lambda m, z: m.cosh(z),
    "rescaled-softres": lambda m, z: m.exp(z) + z,
}


def first_derivatives(A: Array, b: Array, w: Array, x: Array) -> dict[str, Array]:
    """Return the first derivatives of Lemma 4.1 as closed forms.

    Besides the functions of :data:`CHAIN`: c, and the pieces from which Parts 9 to 12 build the
    second derivatives, v * A_j (as ``"v A_j"``, shape (n d, d)) and <v, A_j> (``"<v, A_j>"``).
    """
    z = A @ x
    e = np.exp(z)
    u, v = e + z, e + 1.0
    alpha = u.sum()
    f = u / alpha
    c = f - b
    slope = v @ A  # of alpha
    df = (v[:, None] * A - np.outer(f, slope)) / alpha
    n, d = A.shape
    return {
        "z": A,
        "exp": e[:, None] * A,
        "u": v[:, None] * A,
        "alpha": slope[None],
        "1/alpha": -slope[None] / alpha**2,
        "f": df,
        "c": df,
        "L": (A.T @ (v * (c - f @ c) / alpha + w * w * z))[None],
        "v A_j": np.einsum("i,ij,ik->ijk", e, A, A).reshape(n * d, d),
        "<v, A_j>": np.einsum("i,ij,ik->jk", e, A, A),
    }


def second_derivatives(A: Array, b: Array, w: Array, x: Array) -> dict[str, Array]:
    """Return the second derivatives of Lemma 5.2 as closed forms, by the names of `CHAIN`."""
    z = A @ x
    e = np.exp(z)
    u, v = e + z, e + 1.0
    alpha = u.sum()
    f = u / alpha
    c = f - b
    bent = np.einsum("i,ij,ik->ijk", e, A, A)
    vA, slope = v[:, None] * A, v @ A
    d2alpha = bent.sum(axis=0)
    both = np.einsum("ij,k->ijk", vA, slope)
    inverse = 2.0 * np.outer(slope, slope) / alpha**3 - d2alpha / alpha**2
    d2f = bent / alpha - (both + both.transpose(0, 2, 1)) / alpha**2
    d2f += u[:, None, None] * inverse
    q = (c - f @ c) / alpha
    s = f @ f + 2.0 * (f @ c)
    h = v * (b - 2.0 * f + 0.5 * s) / alpha**2
    diagonal = v * v / alpha**2 + q * e + w * w
    cross = np.outer(A.T @ v, A.T @ h)
    return {
        "z": np.zeros_like(bent),
        "exp": bent,
        "u": bent,
        "alpha": d2alpha[None],
        "1/alpha": inverse[None],
        "f": d2f,
        "L": (A.T @ (diagonal[:, None] * A) + cross + cross.T)[None],
    }


def chain_values(x: Any, A: Any, b: Any, w: Any) -> dict[str, Any]:
    """Return the functions themselves as torch tensors, for automatic differentiation."""
    z = A @ x
    e = z.exp()
    u = e + z
    alpha = u.sum()
    f = u / alpha
    c = f - b
    v = e + 1.0
    return {
        "z": z,
        "exp": e,
        "u": u,
        "alpha": alpha[None],
        "1/alpha": 1.0 / alpha[None],
        "f": f,
        "c": c,
        "L": 0.5 * (c @ c + ((w * z) ** 2).sum())[None],
        "v A_j": (v[:, None] * A).flatten(),
        "<v, A_j>": v @ A,
    }
