"""Which hidden state predicts given shares of the next token, and what the skip term changes.

The rows of A are token embeddings, b the shares of the next token: softmax regression fits the
state x of an unembedding, soft-residual regression one with A x added to its exponentials. The
embeddings here are made up, frequent tokens shorter, and
the shares those of a state, with noise; `data=unembedding_minilm`
has real ones.

python examples/unembedding_fit.py FOLDER
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import softres


def main(out: Path) -> None:
    """Fit both problems, and draw the shares by rank."""
    rng = np.random.default_rng(2)
    tokens, width = 4000, 24
    frequency = np.log(np.arange(1, tokens + 1)) / np.log(tokens)
    A = (0.5 + frequency)[:, None] * rng.standard_normal((tokens, width)) / np.sqrt(width)
    b = np.exp(A @ (2 * rng.standard_normal(width)) + 0.5 * rng.standard_normal(tokens))
    b /= b.sum()
    ranks = np.arange(1, tokens + 1)
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    axes.plot(ranks, np.sort(b)[::-1], "k", label="b")
    for name in ("softmax", "softres"):
        problem = softres.make_problem(name, A, b, 1e-5)
        result = softres.solve(problem)
        left = problem.value(result.x) / problem.value(np.zeros(width))
        print(f"{name}: {result}, {left:.2%} of the loss at 0 left")
        z = A @ result.x
        u = np.exp(z) + (z if name == "softres" else 0)
        axes.plot(ranks, np.sort(u / u.sum())[::-1], label=name)
    axes.set(xlabel="rank", ylabel="share", xscale="log", yscale="log", ylim=(1e-6, 1e-1))
    axes.legend()
    figure.savefig(out / "unembedding_fit.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
