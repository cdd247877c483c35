"""Figures, tables and the page of a sweep."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from softres.cli.figures import draw_figures, sweep_figures
from softres.common.errors import InputError
from softres.results import load
from softres.results.figures.convergence import draw_convergence
from softres.results.figures.encoding import choose
from softres.results.figures.labels import latex, plain, value
from softres.results.figures.style import look, size_of, venues
from softres.results.sweep import draw_sweep
from softres.results.writing.summary import cells, markdown, measures_of, summary

FIGURES = (
    "convergence_step",
    "convergence_second",
    "convergence_pass",
    "scaling_n",
    "profile",
    "runtime",
)


@pytest.fixture(scope="module")
def drawn(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    words = ["--sweep", "last", "--store", str(store), "--format", "png", "--out", str(folder)]
    assert sweep_figures([*words, "--venue", "icml"]) == 0
    return folder


def texts(grid):
    figure = grid.figure
    return [text.get_text() for text in figure.findobj(lambda item: hasattr(item, "get_text"))]


def test_every_figure_has_its_caption_its_data_and_its_command(drawn):
    for name in FIGURES:
        assert (drawn / f"{name}.png").stat().st_size > 10_000
        caption = (drawn / f"{name}.txt").read_text()
        assert "8 runs, seeds 0, 1." in caption
        assert "gradient descent, step limit, 4 of 4" in caption
        assert "Redraw: python scripts/figures.py --sweep 'tiny sweep' --store /" in caption
        assert len(pd.read_csv(drawn / f"{name}.csv")) > 3


def test_the_page_includes_every_figure_and_the_table(drawn):
    page = (drawn / "page.tex").read_text()
    for name in FIGURES:
        assert f"{{{name}.png}}" in page
    assert r"\input{table}" in page
    assert_latex(page)


def test_the_table_is_sound_latex(drawn):
    text = (drawn / "table.tex").read_text()
    assert_latex(text)
    form = re.search(r"begin\{tabular\}\{(.*)\}$", text, re.MULTILINE)[1]
    columns = len(re.sub(r"@\{[^}]*\}", "", form))
    for line in text.splitlines():
        if line.endswith(r"\\"):
            spanned = 2 * line.count(r"\multicolumn{3}")
            assert line.count("&") + 1 + spanned == columns, line


def assert_latex(text):
    """Braces and environments match, and nothing special stands outside maths unescaped."""
    assert text.count("{") == text.count("}")
    opened: list[str] = []
    for word, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if word == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    bare = re.sub(r"\\(includegraphics|label|input)(\[[^]]*\])?\{[^}]*\}", "", text)
    for line in bare.splitlines():
        if not line.startswith("%"):
            parts = line.split("$")
            assert len(parts) % 2 == 1, line
            assert not re.search(r"(?<!\\)[_^#]", "".join(parts[::2])), line


def test_a_table_says_what_was_solved_and_marks_the_best(runs):
    table = summary(runs)
    assert table["method"].tolist() == ["exact Newton", "gradient descent"] * 2
    assert table["solved"].tolist() == [2, 0, 2, 0]
    assert table["tried"].tolist() == [2] * 4
    marks = [cell.best for cell in cells(table, measures_of(table)[0])]
    assert marks == [True, False, True, False]
    text = markdown(table)
    assert "| 60 | exact Newton | **" in text
    assert "| 240 | gradient descent | – | – | – | 0 of 2 |" in text


def test_the_best_is_the_least_of_those_that_solved_the_most():
    rows = {"n": [1, 1, 1], "method": ["a", "b", "c"], "solved": [3, 3, 1], "tried": [3, 3, 3]}
    medians = {"steps": [5.0, 4.0, 1.0], "steps_low": [5.0, 4.0, 1.0]}
    table = pd.DataFrame({**rows, **medians, "steps_high": [6.0, 4.0, 1.0]})
    table = table.assign(passes=float("nan"), solve_seconds=float("nan"))
    assert [cell.best for cell in cells(table, measures_of(table)[0])] == [False, True, False]


def test_swept_keys_are_colours_and_panels_and_the_rest_is_named(runs):
    encoding = choose(runs)
    assert (encoding.hue, encoding.col, encoding.pooled) == ("solver", "n", ())
    drawing = draw_convergence(runs, "step", asked={"col": None, "row": None})
    assert "8 runs, 4 a line; pooled over $n$ (2 values)" in texts(drawing.grid)
    assert "Pooled over $n$: 60, 240." in drawing.caption


def test_a_figure_says_how_many_runs_a_line_stands_for_and_names_its_panels(runs):
    drawing = draw_convergence(runs, "passes")
    found = texts(drawing.grid)
    assert {"8 runs, 2 a line", "$n$ = 60", "$n$ = 240", "exact Newton"} <= set(found)
    assert "missed the goal" in found


def test_times_leave_out_runs_that_shared_their_machine_and_say_so(copied, change):
    change(
        copied,
        "update tags set value = 'false' where key = 'timing_valid' and run_uuid in "
        "(select run_uuid from params where key = 'seed' and value = '1')",
    )
    part = load(sweep="last", store=copied)
    drawing = draw_convergence(part, "solve_seconds")
    assert "4 runs, 1 a line" in texts(drawing.grid)
    assert "they shared their machine: 4 runs" in drawing.caption
    assert "8 runs, 2 a line" in texts(draw_convergence(part, "step").grid)


def test_plot_returns_what_seaborn_has(runs):
    grid = runs.plot(x="n", y="steps", hue="solver", width="single")
    assert grid.figure.get_size_inches()[0] == pytest.approx(3.25)
    assert [axes.get_xlabel() for axes in grid.axes.flat] == ["rows $n$"]
    curves = runs.plot(x="passes", y="relative_error_H", hue="n", col=None)
    assert curves.axes.flat[0].get_yscale() == "log"
    words = runs.plot(x="solver", y="passes", hue=None, col=None)
    labels = [text.get_text() for text in words.axes.flat[-1].get_xticklabels()]
    assert labels == ["exact Newton", "gradient descent"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"y": "relativ_error"}, "no such column; there are relative_error"),
        ({"x": "n", "y": "stps"}, "steps"),
        ({"x": "n", "y": "status"}, "numbers"),
        ({"hue": "solvr"}, "solver"),
        ({"width": "triple"}, "single and double"),
        ({"venue": "nature"}, "icml"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(runs, options, words):
    with pytest.raises(InputError, match=words):
        runs.plot(**options)


def test_one_figure_of_ones_own_is_drawn_alone(store, tmp_path, capsys):
    words = ["--sweep", "tiny", "--store", str(store), "--out", str(tmp_path), "--format", "svg"]
    assert sweep_figures([*words, "--x", "n", "--y", "steps", "--col", "none"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "steps_by_n.svg",
        "steps_by_n.txt",
        "steps_by_n.csv",
    }
    assert "no page.tex" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [["--format", "gif"], ["--sweep", "none"], ["--venue", "nature"], ["--x", "nothing"]],
)
def test_a_wrong_word_of_the_command_is_one_line(store, tmp_path, capsys, words):
    base = ["--sweep", "last", "--store", str(store), "--out", str(tmp_path)]
    assert sweep_figures([*base, *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_sweep_without_traces_is_one_line(copied, change, tmp_path, capsys):
    change(copied, "update runs set artifact_uri = 'file:///gone'")
    words = ["--sweep", "last", "--store", str(copied), "--out", str(tmp_path / "out")]
    assert sweep_figures(words) == 2
    assert "none of 8 runs has a trace" in capsys.readouterr().err


def test_measurements_are_neither_tried_nor_solved(copied, change):
    change(copied, "update tags set value = 'measured' where key = 'status' and value like 'step%'")
    assert summary(load(sweep="last", store=copied))["method"].tolist() == ["exact Newton"] * 2


def test_without_a_sweep_the_claims_are_redrawn(store, tmp_path):
    given = []

    def claims(arguments):
        given.append(arguments)
        return 7

    assert draw_figures(["--profile", "quick"], claims) == 7
    words = ["--sweep", "tiny", "--store", str(store), "--out", str(tmp_path), "--x", "n"]
    assert draw_figures([*words, "--y", "passes", "--format", "png"], claims) == 0
    assert given == [["--profile", "quick"]]
    assert (tmp_path / "passes_by_n.png").exists()


def test_every_venue_has_a_size_in_both_widths():
    assert {"icml", "neurips", "iclr", "jmlr"} <= set(venues())
    for venue in venues():
        single, double = size_of("single", venue), size_of("double", venue)
        assert 1.5 < single.width < double.width < 8.0
    assert size_of("double", "neurips").width == pytest.approx(5.5)


def test_solvers_keep_their_look_and_no_two_of_a_figure_share_one():
    names = ["exact_newton", "scipy_lbfgs", "torch_lbfgs", "scipy_newton_cg", "approx_newton"]
    whole, part = look("solver", names), look("solver", names[:2])
    assert len({str(colour) for colour in whole.colours.values()}) == 5
    assert len(set(whole.markers.values())) == 5
    for name in names[:2]:
        assert part.colours[name] == whole.colours[name]


@pytest.mark.parametrize(
    ("item", "text", "simple"),
    [
        (2000, "2,000", "2,000"),
        (0.05, "0.05", "0.05"),
        (1e-10, "$10^{-10}$", "1e-10"),
        (2.5e-7, r"$2.5\times 10^{-7}$", "2.5e-7"),
        ("exact_newton", "exact Newton", "exact Newton"),
        (None, "none", "none"),
        (True, "true", "true"),
    ],
)
def test_values_read_as_people_write_them(item, text, simple):
    assert value(item) == text
    assert plain(text) == simple


def test_latex_escapes_all_but_maths():
    assert latex("a_b 20 % of $x_0$ & 1,000") == r"a\_b 20 \% of $x_0$ \& 1{,}000"


def test_drawing_changes_no_setting_of_the_user(runs):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with mpl.rc_context({"lines.linewidth": 9.0}):
        grid = runs.plot(x="n", y="steps", col=None)
        assert mpl.rcParams["lines.linewidth"] == 9.0
    assert dict(mpl.rcParams) == before
    assert {line.get_linewidth() for line in grid.axes.flat[0].lines} == {1.2}


def test_panels_that_do_not_fit_a_column_are_folded(runs):
    grid = draw_convergence(runs, asked={"col": "n", "row": "seed"}, width="single").grid
    assert grid.axes.shape == (2, 2)
    grid = draw_convergence(runs, asked={"col": "name", "row": "seed"}, width="single").grid
    assert len(grid.axes.flat) == 8
    titles = {axes.get_title() for axes in grid.axes.flat}
    assert "name = exact newton n=60 d=3 seed=0, seed = 0" in titles


def test_one_run_alone_is_drawn(runs):
    one = runs.select(solver="exact_newton", n=60, seed=0)
    names = [drawing.name for drawing in draw_sweep(one, say=lambda line: None)]
    assert names == ["convergence_step", "convergence_second", "convergence_pass", "runtime"]


def test_an_option_of_a_solver_makes_another_method(copied, change):
    change(copied, "update tags set value = value || ' solver.rate=1' where key = 'overrides'")
    change(
        copied,
        "insert into params (run_uuid, key, value) select run_uuid, 'solver.rate', value "
        "from params where key = 'seed'",
    )
    part = load(sweep="last", store=copied).select(solver="exact_newton", n=60)
    assert summary(part)["method"].tolist() == ["rate = 0", "rate = 1"]
    assert value(r"a_b, $\varepsilon_0$ = 1") == r"a_b, $\varepsilon_0$ = 1"
    assert plain(r"$\varepsilon_0$ = 1") == "eps0 = 1"
