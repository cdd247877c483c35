"""Formulas in statements and captions: LaTeX for the page and for Markdown.

Statements are plain text, for a terminal and for ``verdicts.csv``. What is a formula in them, and
its LaTeX, is said here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from markupsafe import Markup, escape

__all__ = ["dollars", "mathml", "split"]

#: Plain text of formulas, as regular expressions, with their LaTeX; the first that fits counts.
FORMULAS: dict[str, str] = {
    r"T = O\(log\(\|x0 - x\*\| ?/ ?eps\)\)": (r"T = O(\log(\lVert x_0 - x^* \rVert / \epsilon))"),
    r"\|x0 - x\*\| <= 0\.1 l / M": r"\lVert x_0 - x^* \rVert \le 0.1\, l / M",
    r"M \|x0 - x\*\| <= 0\.1 l": r"M \lVert x_0 - x^* \rVert \le 0.1\, l",
    r"\|x_T - x\*\| <= eps": r"\lVert x_T - x^* \rVert \le \epsilon",
    r"\|x0 - x\*\|": r"\lVert x_0 - x^* \rVert",
    r"\|exp\(Ax\)\|_inf <= exp\(R\^2\)": r"\lVert \exp(Ax) \rVert_\infty \le \exp(R^2)",
    r"\|exp\(Ax\)\| <= sqrt\(n\) exp\(R\^2\)": (r"\lVert \exp(Ax) \rVert \le \sqrt{n} \exp(R^2)"),
    r"r\+ <= 2 \(eps0 \+ rbar/\(l - rbar\)\) r": (
        r"r_+ \le 2 \left(\epsilon_0 + \frac{\bar{r}}{l - \bar{r}}\right) r"
    ),
    r"r_t <= 0\.4 r_\(t-1\)": r"r_t \le 0.4\, r_{t-1}",
    r"M r_t <= 0\.1 l": r"M r_t \le 0.1\, l",
    r"rbar = M r\b": r"\bar{r} = M r",
    r"rbar < l\b": r"\bar{r} < l",
    r"s = C eps0\^-2 d log\(d/delta\)": r"s = C \epsilon_0^{-2} d \log(d/\delta)",
    r"s = \(2 \+ 2 eps0/3\) eps0\^-2 d log\(2d/delta\)": (
        r"s = (2 + 2\epsilon_0/3)\, \epsilon_0^{-2} d \log(2d/\delta)"
    ),
    r"O~\(nnz\(A\) \+ d\^omega\)": r"\tilde{O}(\mathrm{nnz}(A) + d^\omega)",
    r"M = beta\^-2 n\^1\.5 exp\(20 R\^2\)": r"M = \beta^{-2} n^{1.5} \exp(20 R^2)",
    r"w\^2 = (K|C) \+ l / sigma_min\^2": r"w^2 = @1 + l / \sigma_{\min}^2",
    r"w\^2 >= C \+ l / sigma_min\(A\)\^2": r"w^2 \ge C + l / \sigma_{\min}(A)^2",
    r"w\^2 >= 200 exp\(R\^2\) \+ l / sigma_min\^2": (
        r"w^2 \ge 200 \exp(R^2) + l / \sigma_{\min}^2"
    ),
    r"\(L\(0\) - L\(x\*\)\) / L\(0\)": r"(L(0) - L(x^*)) / L(0)",
    r"B1 = F\^T F >= 0": r"B_1 = F^\top F \succeq 0",
    r"B1 \+ B2 \+ B3 \+ W\^2": r"B_1 + B_2 + B_3 + W^2",
    r"B - diag\(D\)": r"B - \mathrm{diag}(D)",
    r"<v,h> \+- \|v\|\|h\|": r"\langle v, h \rangle \pm \lVert v \rVert \lVert h \rVert",
    r"I - f 1\^T": r"I - f \mathbf{1}^\top",
    r"lambda_min / \|B1\|": r"\lambda_{\min} / \lVert B_1 \rVert",
    r"H >= l I\b": r"H \succeq l I",
    r"1/ln 2\.5": r"1/\ln 2.5",
    r"1/alpha\^2": r"1/\alpha^2",
    r"1/alpha\b": r"1/\alpha",
    r"\beps0 = ([0-9.]+[0-9])": r"\epsilon_0 = @1",
    r"\b(beta|delta|alpha) = ([0-9.]*[0-9])": r"\@1 = @2",
    r"\b(beta|delta|alpha)=([0-9.]*[0-9])": r"\@1 = @2",
    r"\b1 - delta\b": r"1 - \delta",
    r"((?<![\w.)\]])-|\b)1e\+?(-?)0*([0-9]+)\b": r"@110^{@2@3}",
    r"((?<![\w.)\]])-|\b)([0-9.]+)e\+?(-?)0*([0-9]+)\b": r"@1@2 \cdot 10^{@3@4}",
    r"((?<![\w.)\]])-|\b)10\^(-?[0-9.]*[0-9])": r"@110^{@2}",
    r"\bd\^(-?[0-9.]*[0-9])": r"d^{@1}",
    r"\bw\^2": r"w^2",
    r"w²": r"w^2",
    r"\bx\*": r"x^*",
    r"\bx0\b": r"x_0",
    r"\bA\^T\b": r"A^\top",
    r"\bR ?= ?([0-9.]*[0-9])": r"R = @1",
    r"\bl2\b": r"\ell_2",
    r"\beps0\b": r"\epsilon_0",
    r"\beps\b": r"\epsilon",
    r"\b(beta|delta|kappa)\b": r"\@1",
    r"\b([DH])~": r"\tilde{@1}",
    r"<=": r"\le",
    r">=": r"\ge",
}
#: Formulas that are a sign alone: a page has it, and the blanks of the text are room enough.
SIGNS = {r"\le": Markup("\u2264"), r"\ge": Markup("\u2265")}
#: A group of the pattern, in its LaTeX.
_GROUP = re.compile(r"@([1-9])")
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in FORMULAS))
_ONE = {re.compile(pattern): latex for pattern, latex in FORMULAS.items()}


def split(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text's parts in order: each as ``(plain, latex)``, no LaTeX where it is words."""
    end = 0
    for match in _ANY.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], ""
        yield match.group(), _latex(text, match)
        end = match.end()
    if end < len(text):
        yield text[end:], ""


def _latex(text: str, found: re.Match[str]) -> str:
    """Return the LaTeX of the first formula that fits where one was found."""
    fits = ((pattern.match(text, found.start()), latex) for pattern, latex in _ONE.items())
    match, latex = next((m, la) for m, la in fits if m is not None and m.end() == found.end())
    return _GROUP.sub(lambda group: match[int(group[1])], latex)


def mathml(text: str) -> Markup:
    """Return a text for a page, its formulas as MathML, the rest escaped.

    A browser may end a line beside every formula: what stands next to one without a blank between
    them, such as a minus sign or the end of a bracket, is kept with it.
    """
    return Markup("").join(_word(parts) for parts in _words(text))


def _words(text: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the parts between two blanks as one, and every blank as one."""
    word: list[tuple[str, str]] = []
    for plain, latex in split(text):
        if latex:
            word.append((plain, latex))
            continue
        for piece in re.split(r"(\s+)", plain):
            if piece.isspace():
                yield word
                yield [(piece, "")]
                word = []
            elif piece:
                word.append((piece, ""))
    yield word


def _word(parts: list[tuple[str, str]]) -> Markup:
    made = Markup("").join(
        SIGNS.get(latex) or (_converted(latex) if latex else escape(plain))
        for plain, latex in parts
    )
    whole = len(parts) > 1
    return Markup('<span class="one">{}</span>').format(made) if whole else made


@cache
def _converted(latex: str) -> Markup:
    from latex2mathml.converter import convert

    return Markup(convert(latex))  # made here from our own table and digits


def dollars(text: str, quoted: Callable[[str], str]) -> str:
    """Return a text for Markdown, its formulas between dollar signs, the rest ``quoted``."""
    return "".join(f"${latex}$" if latex else quoted(plain) for plain, latex in split(text))
