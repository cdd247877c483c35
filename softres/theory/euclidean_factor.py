r"""What one step with an inexact Hessian does in the Euclidean norm, at worst, in closed form.

Lemmas A.10 and A.11 bound the Euclidean error of x+ = x - H~^-1 g by a factor in which the
condition kappa of H does not enter. Near x*, for all H~ with (1 - eps) H <= H~ <= (1 + eps) H, the
worst factor is

    phi = 1/2 (r (k + 1/k) + sqrt(4 c^2 + r^2 (k - 1/k)^2)),    k = sqrt(kappa),
    r = eps / (1 - eps^2),   c = eps^2 / (1 - eps^2)

in any dimension from 2 on, and eps / (1 - eps) in the norm of H. It grows like eps sqrt(kappa).

**Proof.** H~ = H^1/2 (I + E) H^1/2 with E symmetric, -eps <= E <= eps, and the error goes over to
N e with

    N = I - H~^-1 H = H^-1/2 K H^1/2,   K = E (I + E)^-1,   -eps/(1 - eps) <= K <= eps/(1 + eps),

all such K. In the norm of H the factor is |K|, at most eps / (1 - eps), at E = -eps I. As -K = c I
+ r S with a symmetric S, |S| <= 1, and as a symmetric S of norm 1 takes any direction to any other,

    sup |N| = max over unit x, y of  c |<x, y>| + r |H^1/2 x| |H^-1/2 y|.

*At most phi.* Let H have its eigenvalues in [1, kappa]. The second term is at most r/2 (|H^1/2 x|^2
/ k + k |H^-1/2 y|^2). So the whole is at most mu = mu/2 (|x|^2 + |y|^2) once, for every eigenvalue
h of H and t = h / k, the matrix [[mu - r t, -c], [-c, mu - r/t]] is positive semidefinite. Its
determinant, mu^2 + r^2 - c^2 - r mu (t + 1/t), is smallest at the ends t = 1/k and k, for t + 1/t
is convex, and vanishes there for mu = phi, the larger root of mu^2 - r mu (k + 1/k) + r^2 - c^2.

*Attained.* For H = diag(1, kappa) and S the swap of the two axes, N = -[[c, r k], [r / k, c]] has
|N|_F^2 = 2 c^2 + r^2 (kappa + 1/kappa) and determinant c^2 - r^2, and so the norm phi. QED

**The theorem, repaired.** With eps <= 4/45 a step contracts by 0.4 in the norm of H = H(x*) from
any x with M |x - x*| <= 0.1 l: 2 (eps + 1/9) <= 0.4 is Lemma A.10's factor, which is proven in that
norm together with the claim ``shrinking``. From |e| <= |e|_H / sqrt(l) <= sqrt(kappa) |e| follow

    the basin:  M sqrt(kappa) |e_0| <= 0.1 l, as then M |e_t| <= M |e_t|_H / sqrt(l) <= 0.1 l,
    the error:  |e_T| <= 0.4^T sqrt(kappa) |e_0|,
    the steps:  T = ln(sqrt(kappa) |x0 - x*| / eps) / ln 2.5 are enough,

half a ln(kappa) / ln 2.5 more than a factor of 0.4 in the Euclidean norm would take.
"""

from __future__ import annotations

from math import ceil, inf, log, sqrt

from softres.theory.predictions import CONTRACTION

__all__ = ["euclidean_factor", "h_norm_factor", "largest_condition", "repaired_steps"]


def h_norm_factor(eps: float) -> float:
    """Return the worst factor of a step in the norm of H, over all H~ within eps of H."""
    return eps / (1.0 - eps)


def euclidean_factor(eps: float, condition: float) -> float:
    """Return phi, the worst factor in the Euclidean norm over all H~ within eps of H.

    Parameters
    ----------
    eps
        Spectral accuracy of H~, 0 < eps < 1.
    condition
        Condition number of H, at least 1.
    """
    k = sqrt(condition)
    r, c = eps / (1.0 - eps * eps), eps * eps / (1.0 - eps * eps)
    return 0.5 * (r * (k + 1.0 / k) + sqrt(4.0 * c * c + r * r * (k - 1.0 / k) ** 2))


def largest_condition(eps: float, factor: float = CONTRACTION) -> float:
    """Return the condition of H up to which every H~ within eps contracts by a factor in l2.

    Where not even condition 1 is small enough, 0; phi = factor solved for kappa.
    """
    if factor < h_norm_factor(eps):
        return 0.0
    r, product = eps / (1.0 - eps * eps), eps * eps / (1.0 - eps * eps)
    middle = 0.5 * (factor * factor + product) / (r * factor)
    return (middle + sqrt(max(0.0, middle * middle - 1.0))) ** 2


def repaired_steps(eps: float, condition: float) -> int:
    """Return T = ln(sqrt(kappa) / eps) / ln 2.5, rounded up, for an eps relative to |x0 - x*|."""
    if condition == inf:
        raise ValueError("condition=inf: allowed is a finite number >= 1")
    return max(0, ceil(log(sqrt(condition) / eps) / log(1.0 / CONTRACTION)))
