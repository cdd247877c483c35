"""A statement of one's own, tested against certified minimisers.

For softmax regression the gradient in z at x* is v q + w^2 A x*, with |v q| = |F^T c| at most
|F||c| <= 1/2 sqrt(2): F = diag(f) - f f^T has norm 1/2 at most, and f and b are shares. It
vanishes on the range of A, so that |x*| <= 1 / (sqrt(2) w^2 sigma_min(A)). Does it hold, and how
sharp is it? `examples/residual.py` is a claim in a file, with logged runs, verdict and report.

python examples/own_theorem.py FOLDER
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import softres


def main(out: Path) -> None:
    """Look for an instance that breaks it, and draw how sharp it is."""
    rng = np.random.default_rng(4)
    weights = np.logspace(-3, 1, 9)
    found = []
    for kind in ("spread", "one row"):
        for w2 in weights:
            A = rng.standard_normal((30, 3))
            b = rng.dirichlet(np.full(30, 0.1)) if kind == "spread" else np.eye(30)[0]
            problem = softres.SoftmaxRegression(A, b, np.sqrt(w2))
            reference = softres.certify(problem)
            if not reference.certificate.certified:
                continue
            bound = 1 / (np.sqrt(2) * w2 * np.linalg.svd(A, compute_uv=False)[-1])
            found.append((kind, w2, float(np.linalg.norm(reference.x)) / bound))
    worst = max(found, key=lambda one: one[2])
    verdict = "holds" if worst[2] <= 1 else "violated"
    print(f"{verdict} on {len(found)} instances; at most {worst[2]:.2g} of the bound, {worst[0]}")
    assert verdict == "holds"
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    for kind in ("spread", "one row"):
        some = [one for one in found if one[0] == kind]
        axes.plot([one[1] for one in some], [one[2] for one in some], "o-", label=f"b: {kind}")
    axes.axhline(1, color="k", linestyle=":")
    axes.set(xlabel="$w^2$", ylabel="$|x^*|$ over its bound", xscale="log", yscale="log")
    axes.legend()
    figure.savefig(out / "own_theorem.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
