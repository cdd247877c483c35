"""The regression problems: one family, told apart by a link and by whether it is normalised.

Every problem minimises L(x) = 1/2 |f(A x) - target|^2 + 1/2 |diag(w) A x|^2. Normalised problems
have f = u / <u, 1> and target b; plain ones have f = u and target n b, so that x = 0 already has
the right mean.
"""

from __future__ import annotations

from typing import Any

from softres.common.checks import choice, number
from softres.problems.links import BRANCHES, Cosh, Exp, Link, Residual, Sinh, SoftResidual
from softres.problems.problem import Problem

__all__ = [
    "CoshRegression",
    "ExpRegression",
    "HyperbolicRegression",
    "ResNetRegression",
    "SinhRegression",
    "SoftResidualRegression",
    "SoftmaxRegression",
]


class SoftResidualRegression(Problem):
    """f = u / <u, 1> with u = exp(A x) + A x (Definition 1.4).

    Parameters
    ----------
    beta
        The loss counts as undefined where alpha = <u, 1> falls below it; ``None``: 1e-6 n. A, b, w
        as for :class:`Problem`.

    Examples
    --------
    >>> import numpy as np
    >>> problem = SoftResidualRegression(np.eye(3, 2), [0.5, 0.3, 0.2], w=0.1)
    >>> problem
    <SoftResidualRegression, 3 x 2, numpy, weights>
    >>> problem.gradient(np.zeros(2)).shape
    (2,)
    """

    name = "softres"
    order = 1
    normalised = True

    def __init__(self, A: Any, b: Any, w: Any = None, *, beta: float | None = None) -> None:
        if beta is not None:
            beta = number("beta", beta, "a positive number, for u takes both signs")
        super().__init__(A, b, w, link=SoftResidual(), beta=beta)


class SoftmaxRegression(Problem):
    """f = u / <u, 1> with u = exp(A x) (Definition 1.1).

    Parameters
    ----------
    beta
        The loss counts as undefined where alpha = <u, 1> falls below it; ``None``: 0, for this
        alpha is positive. A, b, w as for :class:`Problem`.

    Examples
    --------
    >>> import numpy as np
    >>> round(SoftmaxRegression(np.eye(2), [0.5, 0.5]).value(np.zeros(2)), 3)
    0.0
    """

    name = "softmax"
    order = 2
    normalised = True
    shift_invariant = True

    def __init__(self, A: Any, b: Any, w: Any = None, *, beta: float | None = None) -> None:
        # exp is positive: alpha has no zero, so only a user's own beta can forbid an x.
        super().__init__(A, b, w, link=Exp(), beta=0.0 if beta is None else beta)


class ResNetRegression(Problem):
    """f = A x + g(A x), a skip connection beside one residual branch, without a softmax.

    Parameters
    ----------
    branch
        g: ``"exp"``, ``"tanh"``, ``"softplus"`` or ``"gelu"``.

    Examples
    --------
    >>> import numpy as np
    >>> problem = ResNetRegression(np.eye(3, 2), [1.0, -2.0, 0.5], w=0.1, branch="tanh")
    >>> problem.value(np.zeros(2)).__class__.__name__, problem.normalised
    ('float', False)
    """

    name = "resnet"
    order = 3
    normalised = False

    def __init__(self, A: Any, b: Any, w: Any = None, *, branch: str = "exp") -> None:
        choice("branch", branch, BRANCHES)
        super().__init__(A, b, w, link=Residual(branch))


class HyperbolicRegression(Problem):
    """f = exp(A x), cosh(A x) or sinh(A x) (Definition 1.3).

    Parameters
    ----------
    function
        ``"exp"``, ``"cosh"`` or ``"sinh"``.

    Examples
    --------
    >>> import numpy as np
    >>> HyperbolicRegression(np.eye(2), [0.5, 0.5], function="cosh").value(np.zeros(2))
    0.0
    """

    normalised = False

    def __init__(self, A: Any, b: Any, w: Any = None, *, function: str = "exp") -> None:
        functions: dict[str, Link] = {"exp": Exp(), "cosh": Cosh(), "sinh": Sinh()}
        choice("function", function, functions)
        super().__init__(A, b, w, link=functions[function])
        self.name = function


class ExpRegression(HyperbolicRegression):
    """f = exp(A x)."""

    name = "exp"

    def __init__(self, A: Any, b: Any, w: Any = None) -> None:
        super().__init__(A, b, w, function="exp")


class CoshRegression(HyperbolicRegression):
    """f = cosh(A x)."""

    name = "cosh"

    def __init__(self, A: Any, b: Any, w: Any = None) -> None:
        super().__init__(A, b, w, function="cosh")


class SinhRegression(HyperbolicRegression):
    """f = sinh(A x)."""

    name = "sinh"

    def __init__(self, A: Any, b: Any, w: Any = None) -> None:
        super().__init__(A, b, w, function="sinh")
