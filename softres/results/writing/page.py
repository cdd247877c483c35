"""A LaTeX page with every figure and the table of a sweep, which compiles as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from softres.results.figures import labels

if TYPE_CHECKING:
    from softres.results.figures.drawing import Drawing

__all__ = ["latex_page"]

#: As wide as a figure of double width.
_HEAD = r"""\documentclass{article}
\usepackage[a4paper,textwidth=6.75in,textheight=9.8in]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
\begin{document}
"""
#: Inches that a figure may take, its caption below it.
_WIDEST, _HIGHEST = 6.75, 7.6


def latex_page(drawings: Sequence[Drawing], kind: str, *, table: str | None, command: str) -> str:
    """Return a document that includes the figures beside it.

    Parameters
    ----------
    drawings
        The figures.
    kind
        Their format: ``pdf`` or ``png``.
    table
        File of the table, without its ending.
    command
        What drew it, kept as a comment.
    """
    parts = [f"% {command}\n", _HEAD]
    for drawing in drawings:
        wide, high = drawing.grid.figure.get_size_inches()
        width = wide * min(1.0, _WIDEST / wide, _HIGHEST / high)
        parts.append(
            "\\begin{figure}[htbp]\n"
            "  \\centering\n"
            f"  \\includegraphics[width={width:.2f}in]{{{drawing.name}.{kind}}}\n"
            f"  \\caption{{{labels.latex(drawing.caption)}}}\n"
            f"  \\label{{fig:{drawing.name}}}\n"
            "\\end{figure}\n"
        )
    if table is not None:
        parts.append(f"\\input{{{table}}}\n")
    return "\n".join([*parts, "\\end{document}\n"])
