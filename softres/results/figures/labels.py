"""Names of keys and values for people: with maths for figures and LaTeX, and plain for text."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["assignment", "axis", "latex", "markdown", "plain", "symbol", "text", "value"]

#: Short name and unit of a key; what stands between dollars is LaTeX's and matplotlib's alike.
_KEYS: dict[str, tuple[str, str]] = {
    "n": ("rows $n$", ""),
    "d": ("columns $d$", ""),
    "R": ("radius $R$", ""),
    "eps": (r"accuracy $\varepsilon$", ""),
    "step": ("step", ""),
    "steps": ("steps", ""),
    "solve_seconds": ("solver time", "s"),
    "seconds_per_step": ("time a step", "s"),
    "passes": ("passes over $A$", ""),
    "relative_error_l2": ("relative error", ""),
    "relative_error_H": ("relative error, $H$-norm", ""),
    "error_l2": ("error $|x - x^*|$", ""),
    "error_H": ("error $|x - x^*|_H$", ""),
    "relative_gradient": ("relative gradient", ""),
    "contraction_l2": ("contraction", ""),
    "contraction_H": ("contraction, $H$-norm", ""),
    "loss": ("loss $L(x)$", ""),
    "peak_memory_gib": ("peak memory", "GiB"),
    "job_seconds": ("time of the job", "s"),
}
_SYMBOLS = {
    "n": "$n$",
    "d": "$d$",
    "R": "$R$",
    "eps": r"$\varepsilon$",
    "solver.eps0": r"$\varepsilon_0$",
}
_VALUES = {
    "approx_newton": "approximate Newton",
    "exact_newton": "exact Newton",
    "preconditioned_newton": "preconditioned Newton",
    "hand_newton": "Newton by hand",
    "gradient_descent": "gradient descent",
    "softmax_regression": "softmax regression",
    "resnet_regression": "ResNet regression",
    "scipy_lbfgs": "SciPy L-BFGS",
    "scipy_newton_cg": "SciPy Newton-CG",
    "scipy_trust_ncg": "SciPy trust-NCG",
    "torch_lbfgs": "torch L-BFGS",
}
#: Keys whose values say what they are.
_NAMES = ("solver", "problem", "method", "from")
_LATEX = {
    r"\$": r"\$",
    "$": r"\$",
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    "\u2013": "--",
    "\u2019": "'",
}
#: Maths between dollars: signs with at most one index and one exponent each. Nothing in it defines
#: or reads anything, and LaTeX and matplotlib take every one; other dollars are text.
_INDEX = r"(?:[A-Za-z0-9*]|\{-?\d+\})"
_MATHS = re.compile(
    rf"(?<!\\)(\$(?! )(?:(?:\\(?:varepsilon|times)(?![A-Za-z])|[A-Za-z0-9)|*])(?:_{_INDEX})?"
    rf"(?:\^{_INDEX})?|[ .,=+(/-])+\$)"
)


def axis(key: str) -> str:
    """Return the title of an axis, with its unit."""
    name, unit = _KEYS.get(key, (symbol(key), ""))
    return f"{name} [{unit}]" if unit else name


def symbol(key: str) -> str:
    """Return the shortest name of a key: its symbol where it has one."""
    return _SYMBOLS.get(key, text(_words(key.removeprefix("solver."))))


def value(item: Any) -> str:
    """Return a value: 2,000, 0.05, ``$10^{-10}$``, a solver by its name in words."""
    if item is None or (isinstance(item, float) and math.isnan(item)):
        return "none"
    if isinstance(item, str):
        return _VALUES.get(item, text(item if _MATHS.search(item) else _words(item)))
    if isinstance(item, bool) or not hasattr(item, "__float__"):
        return text(str(item).lower())
    number = float(item)
    if number == 0 or 1e-3 <= abs(number) < 1e6 or not math.isfinite(number):
        return f"{number:,.4g}" if abs(number) < 1e3 else f"{number:,.0f}"
    mantissa, exponent = f"{number:.2e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if mantissa == "1" else rf"${mantissa}\times {power}$"


def assignment(key: str, item: Any) -> str:
    """Return what a key is equal to, such as ``$n$ = 2,000``; a solver's name says it alone."""
    return value(item) if key in _NAMES else f"{symbol(key)} = {value(item)}"


def text(words: str) -> str:
    r"""Return what others wrote with its dollars as ``\$``, unless they hold harmless maths."""
    parts = _MATHS.split(words)
    parts[::2] = [re.sub(r"(?<!\\)\$", r"\\$", part) for part in parts[::2]]
    return "".join(parts)


def plain(words: str) -> str:
    """Return a text without its maths' signs, for text files and terminals."""
    parts = _MATHS.split(words)
    parts[::2] = [part.replace(r"\$", "$") for part in parts[::2]]
    parts[1::2] = [_plain_maths(part) for part in parts[1::2]]
    return "".join(parts)


def _plain_maths(maths: str) -> str:
    maths = re.sub(r"(?:([\d.]+)\\times )?10\^\{(-?\d+)\}", _scientific, maths)
    return (
        maths.replace(r"\varepsilon_0", "eps0")
        .replace(r"\varepsilon", "eps")
        .replace("^*", "*")
        .replace("$", "")
    )


def markdown(words: str) -> str:
    """Return a text without its maths' signs, and with nothing that Markdown or HTML reads."""
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", plain(words))


def latex(words: str) -> str:
    """Return a text whose maths stands between dollars with all else escaped for LaTeX."""
    parts = _MATHS.split(words)
    parts[::2] = [
        re.sub(r"\\\$|.", lambda found: _LATEX.get(found[0], found[0]), part, flags=re.DOTALL)
        for part in parts[::2]
    ]
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "{,}", "".join(parts))


def _scientific(match: re.Match[str]) -> str:
    return f"{match[1] or 1}e{match[2]}"


def _words(key: str) -> str:
    return key.replace("_", " ")
