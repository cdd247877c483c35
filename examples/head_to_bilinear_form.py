"""A head's whole map gives back its bilinear form.

Row j of the map is the softmax of row j of Q X K^T, for the queries Q and the keys K: the matrix
form of the problem, whose unknown is X itself.

python examples/head_to_bilinear_form.py FOLDER
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import softres


def main(out: Path) -> None:
    """Recover a form from maps of growing noise, and draw the one and the other."""
    rng = np.random.default_rng(1)
    tokens, width = 200, 8
    queries, keys = rng.standard_normal((2, tokens, width)) / 2
    form = np.eye(width) + rng.standard_normal((width, width)) / 3
    scores = np.exp(queries @ form @ keys.T)
    exact = scores / scores.sum(axis=1, keepdims=True)
    noises, found = [1e-6, 1e-4, 1e-2, 1e-1], []
    for noise in noises:
        seen = exact * np.exp(noise * rng.standard_normal(exact.shape))
        seen /= seen.sum(axis=1, keepdims=True)
        problem = softres.MatrixRegression(queries, keys, seen, w=1e-9)
        result = softres.solve(problem)
        assert result.status is softres.Status.CONVERGED
        found.append(problem.unpacked(result.x))
        error = float(np.linalg.norm(found[-1] - form) / np.linalg.norm(form))
        print(f"noise {noise:g}: {result.steps} steps, relative error of the form {error:.1e}")
    figure, axes = plt.subplots(1, 3, figsize=(7, 2.6), layout="constrained")
    largest = float(np.abs(form).max())
    shown = {"the form": form, "found, noise 1%": found[2], "found, noise 10%": found[3]}
    for axis, (title, values) in zip(axes, shown.items(), strict=True):
        image = axis.imshow(values, cmap="RdBu", vmin=-largest, vmax=largest)
        axis.set(title=title, xticks=[], yticks=[])
    figure.colorbar(image, ax=axes)
    figure.savefig(out / "head_to_bilinear_form.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
