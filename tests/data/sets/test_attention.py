"""The attention instance: options, the published spectrum, targets that are fitted exactly."""

from __future__ import annotations

import time

import numpy as np
import pytest
from logged import context

from softres import make_problem, solve
from softres.common.errors import InputError
from softres.data.fetch.download import fetch
from softres.data.fetch.smollm2 import GGUF, SMOLLM2, SmolLM2
from softres.data.fetch.transformer import Llama
from softres.data.sets import attention
from softres.data.sets.attention import AttentionSmolLM2
from softres.harness.warm_up import warm_up


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tokens": 63}, r"data\.tokens=63: allowed is 64 to 7640"),
        ({"tokens": 7641}, r"data\.tokens=7641: allowed is 64 to 7640"),
        ({"query": "3"}, r"data\.query=3: allowed are mean, 0, 1, 2"),
    ],
)
def test_options_out_of_range_are_named(values, message):
    with pytest.raises(InputError, match=message):
        AttentionSmolLM2(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"head": 3}, r"data\.query=3"),
        ({"m": 513}, "m=513: allowed is 1 to 512"),
        ({"m": 0}, "m=0: allowed is 1 to 512"),
        ({"m": 37, "tokens": 100}, "m=37: allowed is 1 to 36 at 100 tokens"),
    ],
)
def test_targets_that_cannot_be_are_refused_before_anything_is_loaded(values, message, offline):
    with pytest.raises(InputError, match=message):
        attention.query_targets(**values)


def softmax(z):
    u = np.exp(z - z.max(axis=0))
    return u / u.sum(axis=0)


@pytest.fixture(scope="module")
def whole():
    return attention.load()


@pytest.mark.network
def test_the_keys_have_the_published_spectrum(whole):
    A = whole.A
    assert whole.shape == (7168, 64)
    assert A.dtype == np.float64
    np.testing.assert_array_equal(A, A.astype(np.float32))
    squares, vectors = np.linalg.eigh(A.T @ A)
    assert np.sqrt(squares[-1]) == pytest.approx(996.67, abs=0.05)
    assert np.sqrt(squares[0]) == pytest.approx(49.880, abs=0.005)
    coherence = np.square(A @ vectors / np.sqrt(squares)).sum(axis=1).max() * 7168 / 64
    assert coherence == pytest.approx(3.041, abs=0.002)


@pytest.mark.network
def test_one_head_is_fitted_exactly_and_the_mean_of_three_is_theirs(whole):
    heads = [attention.load(AttentionSmolLM2(query=query)) for query in "012"]
    for head in heads:
        assert head.planted is not None
        np.testing.assert_allclose(head.b, softmax(whole.A @ head.planted), rtol=1e-9)
    assert len({head.b.argmax() for head in heads} | {0}) > 1
    assert whole.planted is None
    np.testing.assert_allclose(whole.b, np.mean([head.b for head in heads], axis=0), rtol=1e-9)
    # No x fits the mean: it is no softmax of keys times a vector.
    logs = np.log(whole.b)
    design = np.column_stack([whole.A, np.ones(len(logs))])
    residual = logs - design @ np.linalg.lstsq(design, logs)[0]
    assert np.sqrt(np.mean(residual**2)) > 0.05


@pytest.mark.network
def test_rows_are_the_tokens_of_the_licence(whole):
    assert "".join(whole.labels).split()[:5] == ["GNU", "GENERAL", "PUBLIC", "LICENSE", "Version"]
    assert "Apache-2.0" in whole.facts["licence"]
    assert "General Public License 3" in whole.facts["source"]


@pytest.mark.network
def test_many_targets_are_fitted_exactly_by_their_queries():
    A, B, Q = attention.query_targets(head=1, m=40)
    assert A.shape == (7168 - 40, 64)
    assert B.shape == (7168 - 40, 40)
    assert Q.shape == (40, 64)
    np.testing.assert_allclose(B, softmax(A @ Q.T / 8), rtol=1e-9)
    np.testing.assert_allclose(B.sum(axis=0), 1, rtol=1e-12)
    last = attention.load(AttentionSmolLM2(query="1"))
    np.testing.assert_array_equal(Q[-1] / 8, last.planted)
    np.testing.assert_array_equal(A, last.A[:-40])


@pytest.mark.network
def test_fewer_tokens_give_the_first_rows_of_more(whole):
    few = attention.load(AttentionSmolLM2(tokens=200))
    assert few.shape == (200, 64)
    np.testing.assert_allclose(few.A, whole.A[:200], atol=2e-3)
    assert few.labels == whole.labels[:200]


@pytest.fixture(scope="module")
def model():
    return SmolLM2(fetch(SMOLLM2, [GGUF]) / GGUF)


@pytest.mark.network
def test_the_model_knows_what_it_has_read(model):
    """All thirty layers and the unembedding: a wrong rotation or mask would not get this right."""
    text = (
        "The capital of France is Paris. The capital of Germany is Berlin. The capital of Italy is"
    )
    network = Llama.of(model)
    x = network.hidden(np.array(model.tokenizer.encode(text).ids), 30)
    scores = network.normed(x, "output_norm.weight")[-1] @ model.tensor("token_embd.weight").T
    assert model.readable([scores.argmax()]) == [" Rome"]


@pytest.mark.network
def test_the_text_has_as_many_tokens_as_the_option_allows(model):
    text = (fetch(attention.LICENCE_TEXT, [attention._TEXT]) / attention._TEXT).read_text("utf-8")
    encoded = model.tokenizer.encode(text, add_special_tokens=False)
    assert len(encoded.ids) == attention.TEXT_TOKENS
    assert model.tokenizer.decode(encoded.ids) == text


@pytest.mark.network
def test_a_second_load_touches_no_network_and_is_quick(whole, offline):
    start = time.perf_counter()
    again = attention.load()
    assert time.perf_counter() - start < 5
    np.testing.assert_array_equal(again.A, whole.A)
    np.testing.assert_array_equal(again.b, whole.b)


@pytest.fixture
def small(monkeypatch):
    """A head of 6 coordinates over 40 tokens, made up, in place of the model's."""
    rng = np.random.default_rng(0)
    A, Q = rng.standard_normal((40, 6)), rng.standard_normal((3, 512, 6))
    monkeypatch.setattr(attention, "SIZE", 6)
    monkeypatch.setattr(attention, "_arrays", lambda tokens, cache: {"A": A, "Q": Q})
    monkeypatch.setattr(AttentionSmolLM2, "arrays_path", lambda self: None)
    return A, Q


def test_a_map_has_the_factors_of_its_queries_and_keys(small):
    A, Q = small
    found = AttentionSmolLM2(tokens=40, query="1", queries=12)
    assert found.size(None, None, None) == (12 * 28, 36)
    instance = found.read()
    expected = softmax(A[:28] @ Q[1, -12:].T / np.sqrt(6)).T
    np.testing.assert_allclose(instance.b.reshape(12, 28), expected)
    problem = make_problem("matrix", instance.A, instance.b)
    np.testing.assert_allclose(problem.at(instance.planted).f, instance.b, rtol=1e-12)
    result = solve(problem, eps=1e-12)
    np.testing.assert_allclose(result.x, instance.planted, atol=1e-9)


def test_the_mean_of_three_maps_is_fitted_by_no_x(small):
    instance = AttentionSmolLM2(tokens=40, queries=12).read()
    assert instance.planted is None
    problem = make_problem("matrix", instance.A, instance.b)
    point = problem.at(solve(problem, eps=1e-10).x)
    assert 1e-3 < point.data_value < problem.at(problem.zeros()).data_value


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("solver", ["exact_newton", "preconditioned_newton"])
def test_a_head_is_solved_by_the_command_line(solver):
    words = ("problem=matrix", "data=attention_smollm2", "data.tokens=40", "data.query=0")
    job = context(*words, "weights=none", f"solver={solver}")
    assert job.settings.n == 20 * 20
    assert warm_up(job.settings) >= 0.0
    prepared = job.prepared
    assert prepared.certificate.certified
    np.testing.assert_allclose(prepared.minimiser, prepared.instance.planted, atol=1e-9)


def test_what_has_no_factors_is_one_line():
    with pytest.raises(InputError, match=r"^problem=matrix with data=synthetic: A must have two"):
        context("problem=matrix")
    with pytest.raises(InputError, match=r"^data\.queries=600: allowed is 0 to 512"):
        AttentionSmolLM2(queries=600)


@pytest.mark.network
@pytest.mark.slow
def test_the_real_head_gives_back_its_bilinear_form():
    instance = AttentionSmolLM2(tokens=1024, query="0", queries=512).read()
    problem = make_problem("matrix", instance.A, instance.b)
    assert problem.matrix.blocks == (512, 512)
    x = solve(problem, eps=1e-12).x
    planted = np.linalg.norm(instance.planted)
    assert np.linalg.norm(x - instance.planted) <= 1e-9 * planted
