"""Counts of letters in words: by hand on three words, and the published figures."""

from __future__ import annotations

import numpy as np
import pytest

from softres.data.describe import describe
from softres.data.sets import word_ngrams
from softres.data.sets.word_ngrams import ngram_counts


def test_grams_of_marked_words_are_counted():
    A, grams = ngram_counts(["aa", "ab"], 50)
    assert grams == sorted(
        ["^", "a", "b", "$", "^a", "aa", "ab", "a$", "b$", "^aa", "^ab", "aa$", "ab$"]
    )
    counts = dict(zip(grams, A.toarray()[0], strict=True))
    assert counts["a"] == 2
    assert {gram for gram, count in counts.items() if count == 1} == {
        *("^", "$", "^a", "aa", "a$", "^aa", "aa$")
    }


def test_the_grams_in_the_most_words_are_kept_however_often_they_are_in_one():
    A, grams = ngram_counts(["zzzzzzzz", "ab", "cb"], 3)
    assert grams == ["$", "^", "b"]  # z occurs more often, but in one word
    np.testing.assert_array_equal(A.toarray(), [[1, 1, 0], [1, 1, 1], [1, 1, 1]])


def test_upper_and_lower_case_differ():
    assert "A" in ngram_counts(["Aa"], 10)[1]


@pytest.fixture(scope="module")
def instance():
    return word_ngrams.load()


@pytest.mark.network
def test_the_matrix_has_the_published_figures(instance):
    found = describe(instance)
    assert (found.n, found.d) == (321180, 2000)
    assert found.nnz / found.n == pytest.approx(21.177, abs=0.001)
    assert found.spectrum.rank == 1999
    assert found.spectrum.sigma_max == pytest.approx(1374.12, abs=0.01)
    assert found.spectrum.sigma_min == pytest.approx(1.9124, abs=0.0001)
    assert found.coherence == pytest.approx(18.971, abs=0.001)
    assert found.zeros == 0


@pytest.mark.network
def test_shares_and_names_are_those_of_words(instance):
    assert instance.b.sum() == pytest.approx(1, abs=1e-12)
    assert instance.labels[:3] == ("the", "to", "and")
    assert len(instance.labels) == 321180
    assert (np.diff(instance.b) <= 0).all()
    assert "CC BY-SA 4.0" in instance.facts["licence"]


@pytest.mark.network
def test_a_second_load_touches_no_network(instance, offline):
    again = word_ngrams.load()
    np.testing.assert_array_equal(again.A.data, instance.A.data)
    assert again.labels == instance.labels
