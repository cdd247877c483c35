"""English words by the letters they are made of, against their frequency."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.data.base import PublishedData
from softres.data.fetch.source import Source
from softres.data.files.packed import pack_counts, pack_text, unpack_counts, unpack_text
from softres.data.instance import Instance
from softres.data.sets.unembedding import WORD_LIST, WORDFREQ, word_frequencies

__all__ = ["SOURCE", "WordNgrams", "load", "ngram_counts"]

SOURCE = Source("word_ngrams", ((WORDFREQ, (WORD_LIST,)),), recipe=1, readers=("msgpack",))
#: Grams that have a column.
COLUMNS = 2000


@dataclass(frozen=True)
class WordNgrams(PublishedData):
    """Frequencies of English words against their 1-3-grams, sparse (57 MB at first)."""

    name: ClassVar[str] = "word_ngrams"
    fixed: ClassVar[tuple[int, int]] = (321180, 2000)
    entries: ClassVar[int | None] = 6_801_678
    source: ClassVar[Source | None] = SOURCE
    licence: ClassVar[str] = "CC BY-SA 4.0"

    def read(self) -> Instance:
        """Read the cached arrays; see :func:`load`."""
        return load()


def load(cache: Path | None = None) -> Instance:
    """Instance ``word_ngrams``: 321180 x 2000, sparse, 21 entries a row, of rank 1999.

    A counts the grams of 1 to 3 characters of each word, its start and its end marked by ``^``
    and ``$``; columns are the 2000 grams that occur in the most words, not scaled. Both marks
    occur once in every word: hence the rank. b is the word's share of English text.

    Parameters
    ----------
    cache
        See `softres.common.cache.cache_folder`. The first load downloads 57 MB.

    Raises
    ------
    InputError
        If the package cannot be downloaded.
    """
    arrays = SOURCE.arrays(_derive, cache=cache)
    return Instance(
        name="word_ngrams",
        A=unpack_counts(arrays),
        b=arrays["b"],
        labels=unpack_text(arrays["words"]),
        facts={
            "source": f"{WORDFREQ} (large English list)",
            "licence": f"word frequencies {WORDFREQ.licence}",
            "preparation": "A = counts of the 2000 most common 1-3-grams of each word between ^ "
            "and $, not scaled; b = word frequencies",
        },
    )


def _derive(folder: Path) -> dict[str, npt.NDArray[Any]]:
    words, frequency = word_frequencies(folder / WORD_LIST)
    return {
        **pack_counts(ngram_counts(words, COLUMNS)[0]),
        "b": frequency / frequency.sum(),
        "words": pack_text(words),
    }


def ngram_counts(words: list[str], columns: int) -> tuple[Any, list[str]]:
    """Count the grams of 1 to 3 characters in words.

    Parameters
    ----------
    words
        The words; ``^`` and ``$`` are put around each.
    columns
        How many grams to keep: those in the most words, ties in the order of their characters.

    Returns
    -------
    A, grams
        CSR array of shape (len(words), columns), and the gram of each column, sorted.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer="char", ngram_range=(1, 3), lowercase=False)
    counts = counter.fit_transform([f"^{word}$" for word in words])
    occurrence = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = np.sort(np.argsort(-occurrence, kind="stable")[:columns])
    grams = counter.get_feature_names_out()[kept]
    A = counts[:, kept].tocsr().astype(np.float64)
    A.sort_indices()
    return A, [str(gram) for gram in grams]
