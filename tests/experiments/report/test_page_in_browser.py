"""The kept report as a reader's browser shows it: narrow and wide, light and dark, and printed."""

from __future__ import annotations

import base64
import re

import pytest
from browser import chromium, show

from experiments.report.documents.reference import REFERENCE

#: What stands outside the window, but for what has its own scroll bar.
OUTSIDE = """
const width = document.documentElement.clientWidth;
const scrolls = (e) => ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX);
const inside = (e) => e && (scrolls(e) || inside(e.parentElement));
return [...document.querySelectorAll('body *')]
    .filter((e) => e.getBoundingClientRect().right > width + 1 && !inside(e.parentElement))
    .map((e) => e.tagName + ' ' + e.textContent.slice(0, 40));
"""
#: The contrast of a text to the page (WCAG 2.1), by selector.
CONTRAST = """
const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
const page = light(getComputedStyle(document.body).backgroundColor);
return arguments[0].map((selector) => {
    const text = light(getComputedStyle(document.querySelector(selector)).color);
    return (Math.max(text, page) + 0.05) / (Math.min(text, page) + 0.05);
});
"""
TEXTS = ("body", "nav a", ".soft", "span.holds", "span.empty", "span.violated", "figcaption")


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        browser.get((REFERENCE / "report.html").as_uri())
        yield browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 800, 1280])
def test_nothing_overflows_and_all_can_be_read(page, width, dark):
    show(page, width, dark=dark)
    page.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.execute_script(OUTSIDE) == []
    contrasts = dict(zip(TEXTS, page.execute_script(CONTRAST, list(TEXTS)), strict=True))
    assert min(contrasts.values()) >= 4.5, contrasts
    background = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    shade = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert shade < 64 if dark else shade > 192


def test_every_figure_is_there_and_says_what_it_shows(page):
    found = page.execute_script(
        "return [...document.images].map((i) => [i.complete && i.naturalWidth > 100, i.alt])"
    )
    # The first page shows one of them too.
    assert len(found) == len(list((REFERENCE / "figures").glob("*.png"))) + 1
    assert all(loaded for loaded, _ in found)
    assert all(len(alt) > 20 for _, alt in found)


def test_the_list_of_contents_leads_to_every_claim(page):
    show(page, 1280)
    page.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = false; })")
    links = page.find_elements("css selector", "nav a")
    assert len(links) >= 17
    for link in links:
        name = link.get_attribute("href").partition("#")[2]
        page.execute_script("arguments[0].click()", link)
        top = page.execute_script(
            "return document.getElementById(arguments[0]).getBoundingClientRect().top", name
        )
        assert -1 <= top < 900, name


def test_a_folded_figure_opens_from_the_table_of_verdicts(page):
    page.execute_script("document.querySelectorAll('details').forEach((e) => { e.open = false; })")
    link = page.find_element("css selector", ".verdicts a[href='#figure-psd']")
    page.execute_script("arguments[0].click()", link)
    figure = page.find_element("id", "figure-psd")
    assert figure.size["height"] > 50


def test_print_fits_the_paper(page):
    """On paper nothing is cut, and what is folded away takes no page."""
    page.execute_script("location.reload()")
    printed = page.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    pages = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"])))
    assert 10 < pages < 34
