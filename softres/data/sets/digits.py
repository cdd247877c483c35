"""Handwritten digits: a small real instance, for smoke tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import softmax

from softres.data.base import PublishedData
from softres.data.instance import Instance

__all__ = ["Digits", "load"]


@dataclass(frozen=True)
class Digits(PublishedData):
    """Handwritten digits of 8 x 8 pixels; see :func:`load`."""

    name: ClassVar[str] = "digits"
    fixed: ClassVar[tuple[int, int]] = (1797, 64)
    licence: ClassVar[str] = "BSD-3-Clause"

    def read(self) -> Instance:
        """Read the cached arrays; see :func:`load`."""
        return load()


def load() -> Instance:
    """Scikit-learn's digits: 1797 images of 8 x 8 grey values, 1797 x 64, of rank 61.

    With s_i the squared distance of image i to image 0, b = softmax(-s / (0.1 median(s))): the
    attention that image 0 pays to all images. A holds the published grey values 0 to 16 divided
    by 16. About half of its entries are zero (33 non-zeros a row); it is kept dense, because a
    sparse format would save neither memory nor time at 64 columns. Three pixels are zero in every
    image, so A is rank deficient.
    """
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    A = np.ascontiguousarray(images, dtype=np.float64) / 16
    squared = np.square(A - A[0]).sum(axis=1)
    b = softmax(-squared / (0.1 * np.median(squared)))
    return Instance(
        name="digits",
        A=A,
        b=b,
        labels=tuple(f"{digit} (image {i})" for i, digit in enumerate(digits)),
        facts={
            "source": "scikit-learn load_digits (UCI optical recognition of handwritten digits)",
            "licence": "BSD-3-Clause",
            "preparation": "A = grey values over 16; b = softmax of minus the squared distance to "
            "image 0 over 0.1 of its median",
        },
    )
