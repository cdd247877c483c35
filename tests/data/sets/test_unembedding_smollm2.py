"""The unembedding of SmolLM2 has the published figures."""

from __future__ import annotations

import numpy as np
import pytest

from softres.data.describe import describe
from softres.data.sets import unembedding_smollm2


@pytest.fixture(scope="module")
def instance():
    return unembedding_smollm2.load()


@pytest.mark.network
def test_the_matrix_has_the_published_figures(instance):
    found = describe(instance)
    assert (found.n, found.d) == (49152, 576)
    assert instance.A.flags.c_contiguous
    assert found.spectrum.rank == 576
    assert found.spectrum.sigma_max == pytest.approx(509.92, abs=0.01)
    assert found.spectrum.sigma_min == pytest.approx(5.5892, abs=0.0001)
    assert found.coherence == pytest.approx(4.798, abs=0.001)


@pytest.mark.network
def test_shares_follow_english_within_a_sentence(instance):
    assert instance.b.sum() == pytest.approx(1, abs=1e-12)
    top = [instance.labels[i] for i in np.argsort(-instance.b)[:6]]
    assert top == [" the", "0", " to", " and", " of", " a"]
    assert instance.b[instance.labels.index("<|endoftext|>")] == 0
    # With a blank before it: the bare word is another token, and rare.
    assert instance.b[instance.labels.index("the")] < instance.b[instance.labels.index(" the")] / 50
    assert instance.facts["tokens_seen"] == pytest.approx(0.6466, abs=0.0001)
    assert "CC BY-SA 4.0" in instance.facts["licence"]


@pytest.mark.network
def test_a_second_load_touches_no_network(instance, offline):
    again = unembedding_smollm2.load()
    np.testing.assert_array_equal(again.A, instance.A)
    assert again.labels == instance.labels
