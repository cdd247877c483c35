"""What is read off a figure: its ticks, and its words for those who do not see it."""

from __future__ import annotations

from experiments.kit.alt_text import alt_text
from experiments.kit.legends import readable_ticks
from experiments.kit.style import new_figure


def test_every_panel_says_its_axes_and_where_its_curves_go():
    figure, (left, right) = new_figure(columns=2)
    left.plot([2, 1, 3], [4.0, 8.0, 1e-3], label=r"$\mathrm{exact}$ Newton")
    left.plot([1, 3], [5.0, 5.01], label="bound")
    left.plot([1, 3], [0.1, 0.2])  # of no name
    left.set(xlabel="step", ylabel="error $r_t$", yscale="log")
    right.scatter([1, 2], [3.0, 30.0], label="softmax")
    right.set(title="R = 4", xscale="log")
    assert alt_text(figure) == (
        "2 panels. Panel 1: error r_t against step (y logarithmic); exact Newton falls from 8 to "
        "0.001, bound stays near 5. R = 4: values (x logarithmic); softmax rises from 3 to 30."
    )


def test_many_curves_are_told_as_one():
    figure, (axes,) = new_figure()
    for k in range(9):
        axes.plot([0, 1], [k, k + 1], label=f"{k}")
    axes.set(ylabel="height")
    assert alt_text(figure) == "height; 9 curves between 0 and 9."


def test_a_short_logarithmic_axis_is_read_in_digits():
    figure, (short, long) = new_figure(columns=2)
    short.plot([1, 2], [0.03, 0.45])
    long.plot([1, 2], [1e-9, 1.0])
    for axes in (short, long):
        axes.set_yscale("log")
    readable_ticks(figure)
    figure.canvas.draw()
    shown = [text.get_text() for text in short.get_yticklabels()]
    assert {"0.05", "0.1", "0.2"} <= set(shown)
    assert not [text for text in short.get_yticklabels(minor=True) if text.get_text()]
    assert "10^{-3}" in "".join(text.get_text() for text in long.get_yticklabels())
