"""Baby names: the derivation on a small table, and the published figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.linalg import svds

from softres.data.files.packed import unpack_text
from softres.data.sets import babynames


def test_names_are_numbered_from_the_one_in_the_most_rows_on(tmp_path):
    path = tmp_path / babynames._TABLE
    path.parent.mkdir(parents=True)
    table = pd.DataFrame(
        {
            "year": [1880.0, 1880.0, 1881.0, 1881.0, 1881.0],
            "sex": ["F", "M", "F", "F", "M"],
            "name": ["Mary", "Zoe", "Mary", "Ann", "Mary"],
            "n": [7, 5, 9, 5, 6],
            "prop": 0.1,
        }
    )
    table.to_parquet(path)
    arrays = babynames._derive(tmp_path)
    assert unpack_text(arrays["group_names"]) == ("1880 F", "1880 M", "1881 F", "1881 M")
    assert arrays["group"].tolist() == [0, 1, 2, 2, 3]
    assert unpack_text(arrays["name_names"]) == ("Mary", "Ann", "Zoe")  # ties: the alphabet
    assert arrays["name"].tolist() == [0, 2, 0, 1, 0]
    assert arrays["births"].tolist() == [7, 5, 9, 5, 6]


@pytest.fixture(scope="module")
def instance():
    return babynames.load()


@pytest.mark.network
def test_the_matrix_has_the_published_figures(instance):
    A = instance.A
    assert instance.shape == (1924665, 3276)
    assert instance.nnz / 1924665 == pytest.approx(1.25, abs=0.005)
    assert svds(A, k=1, return_singular_vectors=False)[0] == pytest.approx(143.388, abs=0.001)
    gram = (A.T @ A).toarray()
    # Years exclude each other, and so do names: one block is eliminated exactly.
    names = np.diagonal(gram)[276:]
    assert (names > 0).all()
    rest = gram[:276, :276] - gram[:276, 276:] / names @ gram[276:, :276]
    values = np.linalg.eigvalsh(rest)
    assert values[0] > 1e-9 * values[-1]  # full rank
    # The smallest eigenvalue of A^T A lies just above the one that was published.
    shifted = gram - 9.58**2 * np.eye(3276)
    np.linalg.cholesky(shifted)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(gram - 9.60**2 * np.eye(3276))


@pytest.mark.network
def test_rows_are_names_in_a_year(instance):
    assert instance.b.sum() == pytest.approx(1, abs=1e-12)
    assert instance.b.min() > 0
    assert instance.labels[0] == "Mary 1880 F"
    assert instance.labels[int(instance.b.argmax())] == "Linda 1947 F"
    assert instance.facts["births"] == 348120517


@pytest.mark.network
def test_a_second_load_touches_no_network(instance, offline):
    again = babynames.load()
    np.testing.assert_array_equal(again.A.indices, instance.A.indices)
    np.testing.assert_array_equal(again.b, instance.b)
