"""Links of the documents lead somewhere, in the repository and in the site."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from documents import PAGES, ROOT, anchors, links


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_project_lead_to_what_is_there(page):
    for path, anchor in links(page):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {path}"
        if anchor and target.suffix == ".md":
            found = anchors(target.resolve().relative_to(ROOT).as_posix())
            assert anchor in found, f"{page}: {path}#{anchor}"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_documents_is_in_the_table_of_contents(page):
    if page.startswith("docs/"):
        assert page.removeprefix("docs/") in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site, where every warning is an error, and return its folder."""
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_asks_no_other_host(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    assert "<math " in home
    assert 'class="arithmatex"' not in home
    for page in site.rglob("*.html"):
        if "project" in page.relative_to(site).parts:
            continue
        text = page.read_text(encoding="utf-8")
        for formula in re.findall(r"<math.*?</math>", text, re.DOTALL):
            assert not re.search(r"\\[A-Za-z]|<mi>&</mi>", formula), f"{page}: {formula}"
        assert not [part for part in ('src="http', 'rel="stylesheet" href="http') if part in text]


@pytest.mark.slow
def test_the_generated_reference_has_every_key_and_command(site):
    keys = (site / "reference" / "configuration" / "index.html").read_text(encoding="utf-8")
    for key in (
        "solver.eps0",
        "0 &lt; eps0 &lt; 1",
        "memory_limit",
        "tracking.uri",
        "data.condition",
    ):
        assert key in keys
    shown = (site / "reference" / "command_line" / "index.html").read_text(encoding="utf-8")
    for name in ("run", "ui", "data", "sync", "reproduce", "report", "figures", "benchmark"):
        assert f'id="softres-{name}"' in shown
    library = (site / "reference" / "library" / "index.html").read_text(encoding="utf-8")
    assert "relative_gradient" in library
