"""Reading a GGUF file: blocks, hyperparameters, tokenizer."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from softres.common.errors import InputError
from softres.data.fetch.smollm2 import SmolLM2

TOKENS = ["a", "b", "1", "2", "Ġ", "Ã", "©", "ab", "Ġab"]
WEIGHTS = np.random.default_rng(0).standard_normal((9, 64)).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_head_count(9)
    writer.add_rope_freq_base(1e5)
    writer.add_token_list(TOKENS)
    writer.add_token_merges(["a b", "Ġ ab"])
    blocks = gguf.quantize(WEIGHTS, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("token_embd.weight", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    blocks = gguf.quantize(WEIGHTS, gguf.GGMLQuantizationType.Q4_1)
    writer.add_tensor("blk.0.attn_k.weight", blocks, raw_dtype=gguf.GGMLQuantizationType.Q4_1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(
    ("name", "steps"), [("token_embd.weight", 254), ("blk.0.attn_k.weight", 15)]
)
def test_weights_are_within_half_a_step_of_their_block(path, name, steps):
    found = SmolLM2(path).tensor(name)
    assert found.dtype == np.float32
    blocks = WEIGHTS.reshape(-1, 32)
    if steps == 254:  # symmetric
        width = 2 * np.abs(blocks).max(axis=1, keepdims=True)
    else:
        width = np.ptp(blocks, axis=1, keepdims=True)
    error = np.abs(found.reshape(-1, 32) - blocks)
    assert (error <= (0.5 + 0.02 * steps / 15) * width / steps).all()
    assert error.max() > 0


def test_hyperparameters_are_found_by_name(path):
    model = SmolLM2(path)
    assert model.number("attention.head_count") == 9
    assert model.number("rope.freq_base") == pytest.approx(1e5)


def test_text_becomes_tokens_digit_by_digit(path):
    model = SmolLM2(path)
    encoded = model.tokenizer.encode("ab12 ab", add_special_tokens=False).ids
    assert [TOKENS[k] for k in encoded] == ["ab", "1", "2", "Ġab"]


def test_tokens_are_named_by_their_text_unless_they_are_parts_of_a_character(path):
    model = SmolLM2(path)
    assert model.readable([8, 5, 0]) == [" ab", "Ã", "a"]


def test_another_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"not a model" * 10)
    with pytest.raises(InputError, match="cannot be read as a GGUF file"):
        SmolLM2(tmp_path / "x.gguf")
