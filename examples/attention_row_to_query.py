"""A row of an attention map gives back the query that paid it.

A head pays softmax(K q) to the keys K, a row of K each. Given K and the row, softmax regression
finds q: here from the whole row, and from a row whose small entries were cut off.

python examples/attention_row_to_query.py FOLDER
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import softres


def main(out: Path) -> None:
    """Recover queries of growing length, and draw how well."""
    rng = np.random.default_rng(0)
    tokens, width = 400, 16
    keys = rng.standard_normal((tokens, width)) / 4
    lengths = [1.0, 2.0, 4.0, 8.0]
    errors: dict[str, list[float]] = {"the whole row": [], "its 40 largest entries": []}
    for length in lengths:
        query = rng.standard_normal(width)
        query *= length / np.linalg.norm(query)
        scores = np.exp(keys @ query)
        row = scores / scores.sum()
        cut = np.where(row >= np.sort(row)[-40], row, 0.0)
        for name, target in zip(errors, (row, cut / cut.sum()), strict=True):
            result = softres.solve(softres.SoftmaxRegression(keys, target, w=1e-9))
            errors[name].append(float(np.linalg.norm(result.x - query)) / length)
            print(f"|q| = {length:g}, {name}: {result.status.value}, error {errors[name][-1]:.1e}")
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    for name, values in errors.items():
        axes.plot(lengths, values, "o-", label=name)
    axes.set(xlabel="length of the query", ylabel="relative error", xscale="log", yscale="log")
    axes.legend()
    figure.savefig(out / "attention_row_to_query.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
