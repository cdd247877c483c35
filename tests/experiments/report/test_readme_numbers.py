"""Every figure of the documents is generated from the kept results, or compared here."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest

from experiments.kit.claim import Conclusion
from experiments.race.findings import number, power, span
from experiments.race.measure import LEVELS
from experiments.report.documents.kept import kept_pages
from experiments.report.documents.readme import BLOCKS, generated, replaced, rewrite
from experiments.report.documents.reference import ReferenceResults
from experiments.report.page.markdown import plain
from softres.config.one_line import USAGE
from softres.harness.reproducing import TOLERANCE
from softres.results.resample import HIGH, LOW
from softres.theory.predictions import CONTRACTION

ROOT = Path(__file__).parents[3]
PAGES = ("results/reference/report.html", "results/reference/report.md")
#: Names and formulas with digits in them: no figures.
NAMES = (
    "arXiv 2309.13482", "Theorem 9.1", "Algorithm 1", "O(log 1/eps)", "log10", "x0", "float64",
    "min(1, s p_i)", "none below 0", "at most 1", "eps0", "Lemma A.10",
)  # fmt: skip


def prose(text):
    """Return a document without generated blocks, code, links and the numbers of a list."""
    for pattern in (
        r"<!-- (\w+): begin -->.*?<!-- \1: end -->", r"```.*?```", r"`[^`]*`", r"\]\([^)]*\)",
        r"\n    [^\n]*", r"\n\d\. ",
    ):  # fmt: skip
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    return " ".join(text.split())


@pytest.mark.parametrize("document", BLOCKS)
def test_generated_parts_say_what_the_kept_results_do(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for name, content in generated(document, ReferenceResults()).items():
        assert replaced(text, name, content) == text, "python scripts/report.py --readme"


def test_the_kept_pages_are_set_from_the_kept_files():
    """All that is on them is: each verdict, figure and table, and a command for each violation."""
    pages = kept_pages(ReferenceResults())
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert pages[Path(page).name] == text, "python scripts/report.py --readme"
    folder = ReferenceResults().folder
    text = pages["report.md"]
    for path in (*folder.glob("figures/*.png"), *folder.glob("counterexamples/*.npz")):
        assert f"{path.parent.name}/{path.name}" in text, path.name
    for path in folder.glob("tables/*.txt"):
        if path.stem != "verdicts":
            assert plain(path.read_text(encoding="utf-8").strip()) in text, path.name
    counts = pd.read_csv(folder / "verdicts.csv")["verdict"].value_counts()
    assert text.count("\n- **violated**") == counts["violated"]
    assert text.count("  Counterexample") == counts["violated"]


#: Documents whose figures are generated or compared.
DOCUMENTS = (
    "README.md", "docs/start.md", "docs/operations.md", "docs/findings/index.md",
    "docs/tutorials/data.md", "docs/tutorials/sweep.md", "docs/tutorials/report.md",
)  # fmt: skip


def test_other_figures_of_the_documents_are_compared():
    text = " ".join(prose((ROOT / name).read_text(encoding="utf-8")) for name in DOCUMENTS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python = project["requires-python"].removeprefix(">=")
    most, *least = (power(level) for level in LEVELS)
    said = [
        f"Python {python} or newer",
        f"exit status {USAGE}",
        f"relative error of {most}, {least[0]} and {least[1]}",
        f"({power(TOLERANCE)}) elsewhere",
        f"a contraction by {CONTRACTION:g}",
        f"median and {100 * LOW:.0f}-{100 * HIGH:.0f}% band",
        "the exit status is 1",  # test_command_line, test_outage
        "The exit status is 0",
    ]
    assert not [phrase for phrase in said if phrase not in text]
    for phrase in (*said, *NAMES):
        text = text.replace(phrase, "")
    assert not re.findall(r"\S*\d\S*", text), "neither generated nor compared"


#: What definitions are made of, by page, beside 0, 1 and 2: no other number is said of anything.
DEFINED = {
    "docs/glossary.md": {"0.1", "0.4", "1e-6", "95%", "100", "4", "9/10", "11/10", "200"},
    "docs/how/preconditioned_newton.md": {"8", "0.2", "3/4", "1/4", "1/2"},  # of the method
    "docs/platforms.md": {"3.11", "3.13"},
    "docs/questions.md": {"0.4", "1e-8"},
    "docs/reference/runs.md": {"320", "1e-17", "0.4"},
    "docs/theory/repaired.md": {"0.4"},
    "docs/tutorials/extend.md": {"0.1", "0.4", "9/10", "11/10"},  # of the lemmas
    "CONTRIBUTING.md": {"250"},
}
#: Places in papers, years of papers, and the papers.
PLACES = re.compile(
    r"(?:Lemmas?|Theorems?|Sections?|Definitions?|Eq\.) [\w.]+(?:(?:,| and| to) [A-Z]?[.\d]*\d)*"
    r"|\d{4}\.\d{5}|\(\d{4}\)|Tropp \d{4}"
)


@pytest.mark.parametrize(
    "page",
    sorted(
        path.relative_to(ROOT).as_posix()
        for path in [*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md"]
    ),
)
def test_other_pages_have_the_numbers_of_definitions_alone(page):
    if page in DOCUMENTS:
        return
    text = prose((ROOT / page).read_text(encoding="utf-8"))
    text = PLACES.sub("", re.sub(r"\$\$.*?\$\$|\$[^$]*\$", "", text))
    found = re.findall(r"(?<![\w.^|/])\d[\d,./]*(?:e-?\d+)?%?(?![\w^|])", text)
    assert {one.rstrip(".,") for one in found} <= DEFINED.get(page, set()) | {"0", "1", "2"}


@dataclass(frozen=True)
class Changed(ReferenceResults):
    """The kept results, but for one verdict and one time."""

    @cached_property
    def verdicts(self):
        table = super().verdicts.copy()
        table.loc[table.index[0], "verdict"] = Conclusion.VIOLATED.value
        return table

    @cached_property
    def medians(self):
        return super().medians.assign(seconds=lambda table: table["seconds"] ** 1.1)


def test_another_result_is_another_document(tmp_path):
    for document in (*BLOCKS, *PAGES):
        (tmp_path / document).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / document).write_bytes((ROOT / document).read_bytes())
    assert rewrite(ReferenceResults(), tmp_path) == []
    changed = {path.relative_to(tmp_path).as_posix() for path in rewrite(Changed(), tmp_path)}
    assert changed == {
        "README.md", "docs/findings/index.md", "docs/findings/claims.md",
        "docs/how/preconditioned_newton.md",
    }  # fmt: skip
    text = " ".join((tmp_path / "docs/findings/index.md").read_text(encoding="utf-8").split())
    first = ReferenceResults().verdicts.iloc[0]
    assert plain(first["statement"]) in text  # violated ones are spelt out
    assert "**Closed forms.**" not in text  # what is said of all of them holds no longer


def test_generated_lists_are_lists_of_a_page():
    """A broken line must not begin what Markdown takes for another item, quotation or title."""
    text = generated("docs/findings/index.md", ReferenceResults())["findings"]
    for line in text.splitlines():
        assert not re.match(r"\s*([+*>#|=]|\d+[.)]\s)", line)
        if line.lstrip().startswith("-"):
            assert re.match(r"(  )?- \S", line)


def test_a_document_without_its_block_is_told():
    with pytest.raises(ValueError, match="not one block"):
        replaced("no markers", "findings", "text")


def test_figures_in_words():
    assert [number(value) for value in (0.0423, 1.55, 2.0, 25.1, 250.4, 1600000)] == [
        "0.042", "1.6", "2", "25", "250", "1,600,000",
    ]  # fmt: skip
    assert span([2.0, 4.5, 3.0]) == "2 to 4.5"
    assert span(pd.Series([1.0, 1.01])) == "1"
    assert [power(level) for level in (1e-4, 1e-8, 1e-10)] == ["1e-4", "1e-8", "1e-10"]


def test_every_figure_of_a_claim_is_shown_once_in_its_section():
    text = (ROOT / "docs/findings/claims.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    shown = re.findall(r"figures/(\w+)\.png", text)
    kept = {path.stem for path in (ROOT / "results/reference/figures").glob("*.png")}
    assert sorted(shown) == sorted(name for name in kept if not name.startswith("convergence"))
    assert "figures/hessian_lipschitz.png" in sections["hessian_lipschitz"]
    assert "figures/hessian_lipschitz.png" not in sections["hessian"]
