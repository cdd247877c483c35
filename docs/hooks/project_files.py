"""Links from the documents to files of the project: each file comes along with the site.

In the repository ``../results/reference/report.md`` is a link that works. In the site it is one
too: what a page links to outside ``docs/`` is copied to ``project/``; a report's ``.html``, which
has its figures inside, in place of its ``.md``; and any other ``.md`` as plain text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

__all__ = ["on_files", "on_page_markdown"]

#: The path in a link or a picture that leaves its folder.
LINK = re.compile(r"(?<=\]\()((?:\.\./)+[^)#\s]+)")
#: Where copies lie in the site.
COPIES = "project"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every file of the project that a page links to."""
    root = Path(config.docs_dir).parent
    for page in list(files.documentation_pages()):
        for link in LINK.findall(page.content_string):
            path = _outside(page.src_uri, link)
            if path is None:
                continue
            source = _source(root / path)
            uri = _copy(source.relative_to(root).as_posix())
            if source.is_file() and files.get_file_from_path(uri) is None:
                files.append(File.generated(config, uri, abs_src_path=str(source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Point links that leave the documents to the copies."""
    root, here = Path(config.docs_dir).parent, page.file.src_uri

    def moved(match: re.Match[str]) -> str:
        path = _outside(here, match[1])
        if path is None:
            return match[1]
        uri = _copy(_source(root / path).relative_to(root).as_posix())
        return posixpath.relpath(uri, posixpath.dirname(here) or ".")

    return LINK.sub(moved, markdown)


def _outside(page: str, link: str) -> str | None:
    """Return the path from the project's root that a link goes to; none within the documents."""
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link))
    return None if path.startswith("docs/") else path


def _source(path: Path) -> Path:
    html = path.with_suffix(".html")
    return html if path.suffix == ".md" and html.is_file() else path


def _copy(path: str) -> str:
    return f"{COPIES}/{path}" + (".txt" if path.endswith((".md", ".py")) else "")
