"""Whether seconds grow with their sizes like nnz(A) + d^3, or as those of exact Newton do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize

from experiments.claim import Conclusion
from experiments.stats import Interval

__all__ = ["LAW", "TOLERANCE", "Growth"]

Vector = npt.NDArray[np.float64]
Term = Callable[[pd.DataFrame], Any]

#: The theorem's law: a step costs so much by itself, for every row, entry and for a d x d system.
#: nnz(A) + d^omega covers a cost of n, for no row of A is empty; the practical omega is 3.
LAW: Mapping[str, Term] = {
    "1": lambda sizes: np.ones(len(sizes)),
    "n": lambda sizes: sizes.n,
    "nnz": lambda sizes: sizes.nnz,
    "d^3": lambda sizes: sizes.d**3.0,
}
#: What the law has no room for and exact Newton makes: a Gram matrix of all rows, n d^2 if dense.
GRAM = "nnz d"
ALL: Mapping[str, Term] = {**LAW, GRAM: lambda sizes: sizes.nnz * sizes.d}
#: Exact Newton's own law.
RIVAL: Mapping[str, Term] = {key: term for key, term in ALL.items() if key != "nnz"}
#: Share of the seconds at the largest size that may be beyond the law: logarithms, and an A that
#: outgrows the caches, look like it.
TOLERANCE = 0.25
#: Relative residuals beyond which neither law describes the seconds.
MISFIT = 0.3
RESAMPLES = 200


@dataclass(frozen=True)
class Growth:
    """A fit of seconds by non-negative multiples of the terms of :data:`ALL`.

    Residuals are relative: every size counts alike.

    Attributes
    ----------
    sizes
        A row a size: ``n``, ``d``, ``nnz`` and ``seconds``. Several n for each of several d tell
        the terms apart.
    """

    sizes: pd.DataFrame

    @cached_property
    def beyond(self) -> Interval:
        """Share of the seconds at the largest size that is beyond the law.

        With the interval of a bootstrap of relative residuals, which keeps the sizes as they are:
        without the largest ones nothing tells the terms apart.
        """
        rng = np.random.default_rng(0)
        _, fitted, share = self._fit(self.sizes.seconds.to_numpy(float))
        residuals = np.log(self.sizes.seconds.to_numpy(float) / fitted)
        # As many residuals as terms are fitted away: what is left is less than the noise.
        residuals *= np.sqrt(len(residuals) / max(1, len(residuals) - len(ALL)))
        drawn = [
            self._fit(fitted * np.exp(rng.choice(residuals, len(residuals))))[2]
            for _ in range(RESAMPLES)
        ]
        low, high = np.percentile(drawn, [2.5, 97.5])
        return Interval(share, min(share, float(low)), max(share, float(high)))

    def _fit(self, seconds: Vector) -> tuple[float, Vector, float]:
        """Return the misfit of all terms, the fitted seconds, and the share beyond the law."""
        misfit, parts = _fit(self.sizes, seconds, ALL)
        fitted = np.sum(list(parts.values()), axis=0)
        at = int(np.argmax(ALL[GRAM](self.sizes)))
        return misfit, fitted, float(parts[GRAM][at] / fitted[at])

    @cached_property
    def misfits(self) -> dict[str, float]:
        """Root mean square of the relative residuals: of all terms, the law's and the rival's."""
        seconds = self.sizes.seconds.to_numpy(float)
        models = {"all": ALL, "law": LAW, "rival": RIVAL}
        return {name: _fit(self.sizes, seconds, terms)[0] for name, terms in models.items()}

    @property
    def conclusion(self) -> Conclusion:
        """Whether the seconds follow the law, grow beyond it, or neither for certain."""
        if self.misfits["all"] > MISFIT:
            return Conclusion.UNDECIDED
        if self.beyond.low > TOLERANCE:
            return Conclusion.VIOLATED
        return Conclusion.HOLDS if self.beyond.high <= TOLERANCE else Conclusion.UNDECIDED

    def told(self) -> str:
        """Return the fit in words."""
        found = self.misfits
        return (
            f"{self.beyond:.2g} of the seconds at the largest of {len(self.sizes)} sizes are "
            f"beyond nnz(A) + d^3; relative residuals {found['law']:.0%} of nnz(A) + d^3, "
            f"{found['rival']:.0%} of nnz(A) d + d^3, {found['all']:.0%} of both together"
        )


def _fit(
    sizes: pd.DataFrame, seconds: Vector, terms: Mapping[str, Term]
) -> tuple[float, dict[str, Vector]]:
    """Return the misfit, and the seconds of each term at every size, by non-negative squares."""
    columns = np.column_stack([np.asarray(term(sizes), float) for term in terms.values()])
    relative = columns / seconds[:, None]
    scale = np.linalg.norm(relative, axis=0)
    solution, residual = optimize.nnls(relative / scale, np.ones(len(seconds)))
    parts = dict(zip(terms, (columns * (solution / scale)).T, strict=True))
    return float(residual) / np.sqrt(len(seconds)), parts
