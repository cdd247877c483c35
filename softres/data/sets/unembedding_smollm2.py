"""The unembedding of SmolLM2-135M against the frequency of its tokens in English."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.data.base import PublishedData
from softres.data.fetch.smollm2 import GGUF, SMOLLM2, SmolLM2
from softres.data.fetch.source import Source
from softres.data.files.packed import pack_text, unpack_text
from softres.data.instance import Instance
from softres.data.sets.unembedding import WORD_LIST, WORDFREQ, token_shares, word_frequencies

__all__ = ["SOURCE", "UnembeddingSmolLM2", "load"]

SOURCE = Source(
    "unembedding_smollm2",
    ((SMOLLM2, (GGUF,)), (WORDFREQ, (WORD_LIST,))),
    recipe=1,
    readers=("gguf", "tokenizers", "msgpack"),
)


@dataclass(frozen=True)
class UnembeddingSmolLM2(PublishedData):
    """Token embeddings of SmolLM2-135M against token frequencies in English (150 MB at first)."""

    name: ClassVar[str] = "unembedding_smollm2"
    fixed: ClassVar[tuple[int, int]] = (49152, 576)
    source: ClassVar[Source | None] = SOURCE
    licence: ClassVar[str] = "Apache-2.0, CC BY-SA 4.0"

    def read(self) -> Instance:
        """Read the cached arrays; see :func:`load`."""
        return load()


def load(cache: Path | None = None) -> Instance:
    """Instance ``unembedding_smollm2``: 49152 x 576, dense, of full rank.

    A is the matrix that SmolLM2-135M embeds tokens with and, being tied, predicts them with: the
    published Q8_0 blocks dequantised, held in float64, not scaled. b is each token's share of
    English text: every word's frequency is added to every token of the word with a blank before
    it, as within a sentence, and the sums are normalised to one.

    Parameters
    ----------
    cache
        See `softres.common.cache.cache_folder`. The first load downloads 150 MB.

    Raises
    ------
    InputError
        If a package cannot be downloaded.
    """
    arrays = SOURCE.arrays(_derive, cache=cache)
    b = arrays["b"]
    return Instance(
        name="unembedding_smollm2",
        A=arrays["A"].astype(np.float64),
        b=b,
        labels=unpack_text(arrays["tokens"]),
        facts={
            "source": f"{SMOLLM2} (token embeddings), {WORDFREQ} (large English list)",
            "licence": f"model {SMOLLM2.licence}, word frequencies {WORDFREQ.licence}",
            "preparation": "A dequantised from Q8_0, not scaled; b = word frequencies added up by "
            "token",
            "words": int(arrays["words"]),
            "tokens_seen": float(np.mean(b > 0)),
        },
    )


def _derive(model_folder: Path, words_folder: Path) -> dict[str, npt.NDArray[Any]]:
    model = SmolLM2(model_folder / GGUF)
    words, frequency = word_frequencies(words_folder / WORD_LIST)
    A = model.tensor("token_embd.weight")
    spoken = [f" {word}" for word in words]
    return {
        "A": A,
        "b": token_shares(spoken, frequency, model.tokenizer, len(A)),
        "tokens": pack_text(model.readable(np.arange(len(A)))),
        "words": np.array(len(words)),
    }
