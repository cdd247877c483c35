"""What stands in the project's documents: pages, blocks of code, links, lines of shell."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Every page that people read in the repository or as a site.
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*.md")]
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: What stands behind a command, and the end of one where the next begins.
_COMMENT, _NEXT = re.compile(r"\s+#\s.*"), re.compile(r" && ")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str]]:
    """Return a page's blocks of code, each as language and content."""
    return _BLOCK.findall(text_of(page))


def commands(content: str) -> list[str]:
    """Return the single commands of a block of shell."""
    lines = content.replace("\\\n", " ").splitlines()
    found = [" ".join(one.split()) for line in lines for one in _NEXT.split(_COMMENT.sub("", line))]
    return [one for one in found if one]


def links(page: str) -> list[tuple[str, str]]:
    """Return the links of a page within the project, each as path and anchor."""
    prose = re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", text_of(page)))
    found = re.findall(r"\]\(([^)\s]+)\)", prose)
    return [
        (path, anchor)
        for path, _, anchor in (target.partition("#") for target in found)
        if "://" not in path and not path.startswith("mailto:")
    ]


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's titles, as a repository's host and the site make them."""
    titles = re.findall(r"^#+ (.*)$", _BLOCK.sub("", text_of(page)), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", title.lower().replace("`", "")).replace(" ", "-")
        for title in titles
    }
