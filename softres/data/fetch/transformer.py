"""The forward pass of a Llama transformer in NumPy, in row blocks: n^2 scores never exist at once.

Source: the Llama architecture (RMSNorm, rotary embedding, grouped-query attention, SwiGLU) as
llama.cpp evaluates it; files in GGUF have the rows of the query and key matrices permuted so that
the rotary embedding turns neighbouring coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softres.data.fetch.smollm2 import SmolLM2

__all__ = ["Llama"]

Matrix = npt.NDArray[np.float32]

#: Positions whose attention scores, or whose feed-forward units, are held at the same time.
BLOCK_POSITIONS = 512


@dataclass(frozen=True)
class Llama:
    """The architecture, with the weights looked up by their GGUF names.

    Attributes
    ----------
    tensor
        Gives a weight by name, matrices of shape (outputs, inputs).
    heads, key_heads
        Query heads, and the heads of keys and values that groups of them share.
    frequency_base
        Of the rotary embedding.
    epsilon
        Added to the mean square in RMSNorm.
    """

    tensor: Callable[[str], Matrix]
    heads: int
    key_heads: int
    frequency_base: float
    epsilon: float

    @classmethod
    def of(cls, model: SmolLM2) -> Llama:
        """Return the architecture of a model in a GGUF file."""
        return cls(
            model.tensor,
            int(model.number("attention.head_count")),
            int(model.number("attention.head_count_kv")),
            model.number("rope.freq_base"),
            model.number("attention.layer_norm_rms_epsilon"),
        )

    def hidden(self, ids: npt.NDArray[np.intp], layers: int) -> Matrix:
        """Return the residual stream after the first `layers` layers, shape (n, width).

        Parameters
        ----------
        ids
            The tokens, shape (n,).
        layers
            How many layers to run.
        """
        x = self.tensor("token_embd.weight")[ids]
        for layer in range(layers):
            q, k = self.queries_and_keys(x, layer)
            normed = self._normed(x, layer, "attn")
            v = self._heads(normed, f"blk.{layer}.attn_v.weight", self.key_heads)
            output = self.tensor(f"blk.{layer}.attn_output.weight")
            for start in range(0, len(x), BLOCK_POSITIONS):
                block = slice(start, start + BLOCK_POSITIONS)
                x[block] += _attention(q[:, block], k, v, start) @ output.T
            self._add_feed_forward(x, layer)
        return x

    def queries_and_keys(self, x: Matrix, layer: int) -> tuple[Matrix, Matrix]:
        """Return queries (heads, n, size) and keys (key_heads, n, size) of a layer, rotated.

        Parameters
        ----------
        x
            The residual stream before the layer, shape (n, width).
        layer
            Its number, from 0.
        """
        normed = self._normed(x, layer, "attn")
        q = self._heads(normed, f"blk.{layer}.attn_q.weight", self.heads)
        k = self._heads(normed, f"blk.{layer}.attn_k.weight", self.key_heads)
        return self._rotated(q), self._rotated(k)

    def normed(self, x: Matrix, name: str) -> Matrix:
        """Return x over its root mean square, row by row, times a weight."""
        scale = 1 / np.sqrt(np.square(x).mean(axis=1, keepdims=True) + np.float32(self.epsilon))
        return np.asarray(x * scale * self.tensor(name), dtype=np.float32)

    def _normed(self, x: Matrix, layer: int, part: str) -> Matrix:
        return self.normed(x, f"blk.{layer}.{part}_norm.weight")

    def _heads(self, normed: Matrix, name: str, heads: int) -> Matrix:
        projected = normed @ self.tensor(name).T
        split = projected.reshape(len(normed), heads, -1)
        return np.ascontiguousarray(split.transpose(1, 0, 2))

    def _rotated(self, heads: Matrix) -> Matrix:
        """Turn coordinates 2 i and 2 i + 1 of position p by the angle p base^(-2 i / size)."""
        _, n, size = heads.shape
        # In double precision: angles reach thousands of radians.
        frequency = self.frequency_base ** (-np.arange(0, size, 2) / size)
        turn = np.exp(1j * np.outer(np.arange(n), frequency)).astype(np.complex64)
        turned = np.ascontiguousarray(heads).view(np.complex64) * turn
        return turned.view(np.float32)

    def _add_feed_forward(self, x: Matrix, layer: int) -> None:
        gate, up, down = (
            self.tensor(f"blk.{layer}.ffn_{part}.weight") for part in ("gate", "up", "down")
        )
        for start in range(0, len(x), BLOCK_POSITIONS):
            block = slice(start, start + BLOCK_POSITIONS)
            normed = self._normed(x[block], layer, "ffn")
            gated = normed @ gate.T
            gated /= 1 + np.exp(-gated)
            x[block] += (gated * (normed @ up.T)) @ down.T


def _attention(q: Matrix, k: Matrix, v: Matrix, start: int) -> Matrix:
    """Return what a block of positions, the first of which is `start`, reads; (block, width)."""
    heads, rows, size = q.shape
    stop = start + rows
    group = heads // len(k)
    later = np.triu(np.ones((rows, rows), dtype=bool), 1)
    read = np.empty((rows, heads, size), dtype=np.float32)
    for head in range(heads):
        scores = q[head] @ k[head // group, :stop].T / np.float32(np.sqrt(size))
        scores[:, start:][later] = -np.inf  # a position reads itself and earlier ones
        read[:, head] = _softmax_rows(scores) @ v[head // group, :stop]
    return read.reshape(rows, heads * size)


def _softmax_rows(scores: Matrix) -> Matrix:
    """Return the softmax of each row, in the memory of `scores`."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
