"""One-hot flights: the derivation on a small table, and the published figures."""

from __future__ import annotations

import tracemalloc
import zipfile

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import svds

from softres.data.files.packed import unpack_text
from softres.data.sets import flights

HEADER = "year,month,day,dep_delay,carrier,flight,tailnum,origin,dest,hour\n"
ROWS = """\
2013,1,1,2,UA,1545,N2,EWR,IAH,5
2013,1,1,-4,UA,1714,N1,LGA,IAH,0
2013,12,31,6,AA,1141,,JFK,MIA,23
2013,1,1,NA,AA,725,N1,JFK,MIA,5
"""


def test_a_small_table_becomes_codes_and_shares(tmp_path):
    path = tmp_path / flights._TABLE
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("flights.csv", HEADER + ROWS)
    arrays = flights._derive(tmp_path)
    np.testing.assert_allclose(arrays["b"], [0.25, 0, 0.75, 0])
    assert arrays["tail"].tolist() == [1, 0, -1, 0]
    assert unpack_text(arrays["tail_names"]) == ("N1", "N2")
    assert unpack_text(arrays["day_names"]) == ("2013-01-01", "2013-12-31")
    assert arrays["day"].tolist() == [0, 0, 1, 0]
    assert arrays["hour"].tolist() == [5, 0, 23, 5]
    assert len(unpack_text(arrays["hour_names"])) == 24


@pytest.fixture(scope="module")
def instance():
    return flights.load()


@pytest.mark.network
def test_the_matrix_is_sparse_and_has_the_published_figures(instance):
    A = instance.A
    assert instance.shape == (336776, 4556)
    assert sparse.issparse(A)
    assert A.has_canonical_format
    assert (A.data == 1).all()
    assert instance.nnz == 2018144
    assert svds(A, k=1, return_singular_vectors=False)[0] == pytest.approx(437.127, abs=0.001)
    # A flight that is alone in a column has leverage one.
    alone = np.bincount(A.indices, minlength=4556)[A.indices] == 1
    rows = np.repeat(np.arange(336776), np.diff(A.indptr))
    assert len(np.unique(rows[alone])) == 173


@pytest.mark.network
def test_the_rank_is_the_published_one(instance):
    gram = (instance.A.T @ instance.A).toarray()
    # Tail numbers exclude each other, so their block is diagonal and is eliminated exactly.
    tails = np.diagonal(gram)[:4043]
    assert (tails > 0).all()
    rest = gram[4043:, 4043:] - gram[4043:, :4043] / tails @ gram[:4043, 4043:]
    values = np.linalg.eigvalsh(rest)
    assert 4043 + np.count_nonzero(values > 1e-9 * values[-1]) == 4540


@pytest.mark.network
def test_shares_are_those_of_delays(instance):
    assert instance.b.sum() == pytest.approx(1, abs=1e-12)
    assert np.mean(instance.b == 0) == pytest.approx(0.6186, abs=1e-4)
    assert instance.labels[instance.b.argmax()] == "N384HA HA JFK HNL 2013-01-09 09h"
    assert len(instance.labels) == 336776
    assert "CC0" in instance.facts["licence"]


@pytest.mark.network
def test_a_second_load_touches_no_network(instance, offline):
    again = flights.load()
    np.testing.assert_array_equal(again.A.indices, instance.A.indices)
    np.testing.assert_array_equal(again.b, instance.b)


@pytest.mark.network
def test_loading_never_makes_the_matrix_dense(instance):
    tracemalloc.start()
    flights.load()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.2e9  # bytes; dense it would take 12e9
