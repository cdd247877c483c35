"""The forward pass agrees with one that is written out position by position."""

from __future__ import annotations

import math

import numpy as np
import pytest

from softres.data.fetch import transformer
from softres.data.fetch.transformer import Llama

HEADS, KEY_HEADS, SIZE, WIDTH, UNITS, VOCABULARY = 4, 2, 6, 24, 40, 11
BASE, EPSILON = 100.0, 1e-5


def weights(layers):
    rng = np.random.default_rng(0)
    tensors = {"token_embd.weight": rng.standard_normal((VOCABULARY, WIDTH))}
    for layer in range(layers):
        shapes = {
            "attn_norm": (WIDTH,),
            "attn_q": (HEADS * SIZE, WIDTH),
            "attn_k": (KEY_HEADS * SIZE, WIDTH),
            "attn_v": (KEY_HEADS * SIZE, WIDTH),
            "attn_output": (WIDTH, HEADS * SIZE),
            "ffn_norm": (WIDTH,),
            "ffn_gate": (UNITS, WIDTH),
            "ffn_up": (UNITS, WIDTH),
            "ffn_down": (WIDTH, UNITS),
        }
        for part, shape in shapes.items():
            tensors[f"blk.{layer}.{part}.weight"] = rng.standard_normal(shape) / math.sqrt(WIDTH)
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def norm(x, weight):
    return x / math.sqrt(np.mean(x**2) + EPSILON) * weight


def rotate(vector, position):
    turned = vector.copy()
    for i in range(SIZE // 2):
        angle = position * BASE ** (-2 * i / SIZE)
        c, s = math.cos(angle), math.sin(angle)
        turned[2 * i : 2 * i + 2] = np.array([[c, -s], [s, c]]) @ vector[2 * i : 2 * i + 2]
    return turned


def head(matrix, h, x):
    return matrix[h * SIZE : (h + 1) * SIZE] @ x


def reference(tensors, ids, layers):
    """Double precision, one position and one head at a time."""
    tensors = {name: tensor.astype(float) for name, tensor in tensors.items()}
    stream = [tensors["token_embd.weight"][k] for k in ids]
    for layer in range(layers):
        get = lambda part: tensors[f"blk.{layer}.{part}.weight"]  # noqa: B023, E731
        normed = [norm(x, get("attn_norm")) for x in stream]
        for p, x in enumerate(list(stream)):
            read = []
            for h in range(HEADS):
                g = h // (HEADS // KEY_HEADS)
                q = rotate(head(get("attn_q"), h, normed[p]), p)
                keys = [rotate(head(get("attn_k"), g, normed[j]), j) for j in range(p + 1)]
                scores = np.exp([q @ k / math.sqrt(SIZE) for k in keys])
                values = np.array([head(get("attn_v"), g, normed[j]) for j in range(p + 1)])
                read.append(scores @ values / scores.sum())
            after = x + get("attn_output") @ np.concatenate(read)
            y = norm(after, get("ffn_norm"))
            gate = get("ffn_gate") @ y
            stream[p] = after + get("ffn_down") @ (gate / (1 + np.exp(-gate)) * (get("ffn_up") @ y))
    return np.array(stream)


@pytest.fixture(scope="module")
def network():
    return Llama(weights(3).__getitem__, HEADS, KEY_HEADS, BASE, EPSILON)


IDS = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5])


@pytest.mark.parametrize("block", [1, 4, 512])
def test_hidden_states_agree_whatever_the_blocks(network, block, monkeypatch):
    monkeypatch.setattr(transformer, "BLOCK_POSITIONS", block)
    found = network.hidden(IDS, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference(weights(3), IDS, 3), atol=2e-5)


def test_later_tokens_change_nothing_before_them(network):
    whole = network.hidden(IDS, 3)
    np.testing.assert_allclose(network.hidden(IDS[:6], 3), whole[:6], atol=1e-5)


def test_scores_depend_on_distance_alone(network):
    x = np.tile(network.hidden(IDS[:1], 0), (9, 1))
    q, k = network.queries_and_keys(x, 1)
    assert q.shape == (HEADS, 9, SIZE)
    assert k.shape == (KEY_HEADS, 9, SIZE)
    scores = q[0] @ k[0].T
    for distance in range(-8, 9):
        np.testing.assert_allclose(
            np.diagonal(scores, distance), scores.diagonal(distance)[0], rtol=1e-4, atol=1e-5
        )
    assert np.ptp(scores[0]) > 1e-2  # and on the distance they do depend
