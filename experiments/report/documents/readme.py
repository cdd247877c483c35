"""The parts of the documents that are generated from the kept results."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import wrap

import pandas as pd

from experiments.kit.claim import Conclusion
from experiments.race.findings import race_sentences, size_sentence, size_table
from experiments.race.summary import markdown
from experiments.report.documents.findings import findings, made_with
from experiments.report.documents.kept import kept_pages
from experiments.report.documents.reference import ReferenceResults
from experiments.report.documents.verdict_lines import claim_sections, verdict_table
from experiments.report.page.markdown import plain
from experiments.report.page.verdict_table import DERIVED
from experiments.report.runner import ROOT

__all__ = ["BLOCKS", "generated", "replaced", "rewrite"]

WIDTH = 120
#: A blank that no line may be broken at.
_OPENS = re.compile(r" (?=[-+*>|#=]|\d+[.)] )")
#: Weights of the instances in the solver's own table, as the race names them.
WEIGHT = "1e-2"


def _findings(reference: ReferenceResults) -> str:
    return _wrapped(findings(reference, root="../../"))


def _claims(reference: ReferenceResults) -> str:
    return claim_sections(reference, root="../../")


def _verdicts(reference: ReferenceResults) -> str:
    told = (
        f"Computed from {reference.about['runs']} runs; {made_with(reference.about)}. Of several "
        "statements the worst counts, with the figures of the one nearest to its bound or beyond. "
        f"Empty: it holds where nothing is left to solve. {plain(_first(reference, 'regime'))}"
        f"{_in_the_norm_of_H(reference.verdicts)}"
    )
    return f"{verdict_table(reference)}\n\n{_wrapped(told)}"


def _in_the_norm_of_H(verdicts: pd.DataFrame) -> str:
    """Return what we have proven of the two lemmas instead, while every check of it passes."""
    checks = verdicts[verdicts["claim"].isin(("shrinking", "induction"))]
    checks = checks[checks["whose"] == DERIVED]
    if checks.empty or not (checks["verdict"] == Conclusion.HOLDS.value).all():
        return ""
    proven = "hold in the norm of the Hessian, and with them [the theorem](docs/theory/repaired.md)"
    return f" **Lemmas A.10 and A.11 {proven}**, with half a ln(kappa) more steps."


def _first(reference: ReferenceResults, claim: str) -> str:
    """Return the first sentence that a claim says of itself."""
    return reference.headlines.get(claim, "").partition(". ")[0] + "."


def _race(reference: ReferenceResults) -> str:
    return _wrapped(" ".join(race_sentences(reference.medians)[:2]))


def _sizes(reference: ReferenceResults) -> str:
    told = _wrapped(size_sentence(reference.medians, WEIGHT))
    return f"{markdown(size_table(reference.medians, WEIGHT))}\n{told}"


def _origin(reference: ReferenceResults) -> str:
    about, race = reference.about, reference.races
    made = about["made_with"]
    packages = ", ".join(f"{name} {' and '.join(made[name])}" for name in _PACKAGES if name in made)
    cpu = " and ".join(made.get("cpu", ["unknown"]))
    commits = sorted({run["commit"][:10] for run in race["runs"]})
    text = (
        f"The {about['profile']} profile: {about['runs']} runs, {about['statements']} statements, "
        f"{made_with(about)}. {packages}; {cpu}. The race: "
        f"{reference.medians['instance'].nunique()} instances, commit{'s' * (len(commits) > 1)} "
        f"{', '.join(commits)}."
    )
    return _wrapped(text)


_PACKAGES = ("python", "numpy", "scipy", "torch", "mlflow")
#: By document: the name of each block, and what stands in it.
BLOCKS: Mapping[str, Mapping[str, Callable[[ReferenceResults], str]]] = {
    "README.md": {"verdicts": _verdicts, "race": _race},
    "docs/findings/index.md": {"findings": _findings},
    "docs/findings/claims.md": {"claims": _claims},
    "docs/how/preconditioned_newton.md": {"sizes": _sizes},
    "results/reference/README.md": {"origin": _origin},
}


def generated(document: str, reference: ReferenceResults) -> dict[str, str]:
    """Return what each block of a document has to say, by its name."""
    return {name: make(reference) for name, make in BLOCKS[document].items()}


def replaced(text: str, name: str, content: str) -> str:
    """Return a document with the content of a block replaced; markers stay.

    Raises
    ------
    ValueError
        If the document has no such block, or more than one.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"not one block between {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n\n{content}\n\n{end}", text)


def rewrite(reference: ReferenceResults, root: Path = ROOT) -> list[Path]:
    """Bring every block and the kept report's page up to date; return what changed."""
    changed = []
    for document in BLOCKS:
        path = root / document
        before = path.read_text(encoding="utf-8")
        text = before
        for name, content in generated(document, reference).items():
            text = replaced(text, name, content)
        if text != before:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    folder = reference.folder.relative_to(ROOT)
    for name, content in kept_pages(reference).items():
        path = root / folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            changed.append(path)
    return changed


def _wrapped(text: str) -> str:
    """Return Markdown with its lines no longer than :data:`WIDTH`, lists indented.

    No line begins with what Markdown would take for a list, a quotation or a title.
    """
    lines = []
    for whole in text.split("\n"):
        content = whole.lstrip(" ").removeprefix("- ")
        hanging = " " * (len(whole) - len(content))
        line = whole.removesuffix(content) + _OPENS.sub("\0", content)
        lines += wrap(
            line,
            WIDTH,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines).replace("\0", " ")
