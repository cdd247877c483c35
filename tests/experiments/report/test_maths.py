"""Formulas of statements: typeset on the page, between dollars in Markdown."""

from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from experiments.report.documents.reference import REFERENCE
from experiments.report.page.markdown import _code, plain
from experiments.report.page.maths import FORMULAS, dollars, mathml, split


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("radius 10^-4.5", "10^{-4.5}"),
        ("from |x0 - x*| <= 0.1 l / M, M recalled", r"\lVert x_0 - x^* \rVert \le 0.1\, l / M"),
        ("at eps0 = 0.08, softres", r"\epsilon_0 = 0.08"),
        ("error 3.5e-14 (loss)", r"3.5 \cdot 10^{-14}"),
        ("condition 1.3e+09", r"1.3 \cdot 10^{9}"),
        ("the bound 1e-12", "10^{-12}"),
        ("the worst H~ there", r"\tilde{H}"),
        ("w^2 = K + l / sigma_min^2 gives", r"w^2 = K + l / \sigma_{\min}^2"),
    ],
)
def test_a_formula_is_found_among_words(text, latex):
    parts = list(split(text))
    assert [found for _, found in parts if found] == [latex]
    assert "".join(words for words, _ in parts) == text


@pytest.mark.parametrize("text", ["(at -8.9e-16)", "from [-1e-3, 2]", "is -10^2.5, or"])
def test_what_touches_a_formula_stays_on_its_line(text):
    page = ElementTree.fromstring(f"<p>{mathml(text)}</p>")
    assert "-" not in "".join(page.itertext())  # all signs are in the formula
    (kept,) = page.findall("span[@class='one']")
    assert " " not in "".join(kept.itertext())


def test_words_stay_words():
    text = "gradient of resnet-exp <so> & so"
    assert list(split(text)) == [(text, "")]
    assert mathml(text) == "gradient of resnet-exp &lt;so&gt; &amp; so"


def test_markdown_keeps_formulas_from_its_own_signs():
    assert dollars("a_b: H >= l I", plain) == r"a\_b: $H \succeq l I$"


def test_no_formula_has_a_bar_that_would_end_a_cell():
    assert not [latex for latex in FORMULAS.values() if "|" in latex]


def test_every_kept_verdict_becomes_well_formed():
    table = pd.read_csv(REFERENCE / "verdicts.csv", dtype=str, keep_default_na=False)
    for text in table[["statement", "measured", "bound", "reason"]].to_numpy().ravel():
        ElementTree.fromstring(f"<p>{mathml(text)}</p>".replace("&nbsp;", " "))


@pytest.mark.parametrize("words", ["`<script>`", "[x](javascript:y)", "a\\", "![x](http://y)"])
def test_markdown_of_what_a_store_says_is_text(words):
    for source in (f"a {plain(words)} b", f"a {_code(words)} b"):
        (inline,) = (
            token for token in MarkdownIt("commonmark").parse(source) if token.type == "inline"
        )
        shown = "".join(child.content for child in inline.children)
        assert {child.type for child in inline.children} <= {"text", "code_inline", "text_special"}
        assert shown == f"a {words} b"
