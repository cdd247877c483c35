"""What a store says is text wherever it is read: terminal, LaTeX, Markdown, HTML, spreadsheet."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
import unicodedata
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from softres.cli.figures import draw_figures
from softres.common.text import typed
from softres.results import load
from softres.results.figures.labels import latex, plain, text, value
from softres.tracking.backend import quiet_mlflow
from softres.tracking.create import create_database
from softres.tracking.sweeps import PREFIX, key_of

CLEAR, RIGHT_TO_LEFT = "\x1b[2J", "\u202e"
LATEX = r"\input{/etc/passwd} ${ $\input{/etc/passwd}$ %} # & ~ ^ _ \\"
MARKUP = "<script>alert(1)</script> [x](javascript:alert) ![y](http://z) `code` | **b**"
SHEET = "=cmd|'/C calc'!A0"
SWEEP = f"mine\n\\end{{document}} {CLEAR}it's {SHEET}"
SOLVERS = (f"{SHEET}\n{CLEAR}{RIGHT_TO_LEFT}", f"[{LATEX}\r", f"@SUM(1) {MARKUP}\n")
#: All that a page or a table of ours has of LaTeX's commands.
COMMANDS = re.compile(
    r"documentclass|usepackage|begin|end|centering|includegraphics|caption|label|input|small|"
    r"par|medskip|resizebox|ifdim|width|linewidth|else|fi|toprule|midrule|bottomrule|"
    r"multicolumn|addlinespace|textbf|footnotesize|textbackslash|textasciitilde|"
    r"textasciicircum|textbar|varepsilon|times"
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A store of another's making: 12 runs of 3 solvers, as MLflow's client takes them."""
    folder = tmp_path_factory.mktemp("hostile")
    with quiet_mlflow():
        from mlflow import MlflowClient

        create_database(folder / "mlflow.db")
        client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
        place = client.create_experiment(f"x{CLEAR}{MARKUP}", (folder / "artifacts").as_uri())
        for number in range(12):
            solver = SOLVERS[number % 3]
            tags = {
                "sweep": SWEEP,
                f"{PREFIX}{key_of(SWEEP)}": SWEEP,
                "status": "converged" if number % 4 else f"{LATEX}\n{MARKUP}",
                "cpu": f"{MARKUP}{number % 2}{CLEAR}",
                "instance": f"{number // 3 % 2} {SHEET}{CLEAR}",
                "overrides": "solver=a,b n=10,20 weights=a,b",
            }
            run = client.create_run(place, tags=tags, run_name=f"{SHEET} {LATEX}\n{CLEAR}{number}")
            params = {"solver": solver, "n": 10 * (1 + number // 3 % 2), "eps": 1e-6}
            more = {"weights": f"{LATEX}{MARKUP}\n{number // 6}", "seed": number // 6}
            for key, item in (params | more).items():
                client.log_param(run.info.run_id, key, item)
            steps = np.arange(5)
            spent = {"steps": 4.0, "passes": 8.0 + number, "solve_seconds": 0.1 + number}
            for key, size in spent.items():
                client.log_metric(run.info.run_id, key, size)
            trace = pd.DataFrame(
                {"step": steps, "passes": 2.0 * steps, "solve_seconds": 0.1 * steps}
            )
            for goal in ("relative_error_l2", "relative_error_H", "relative_gradient"):
                trace[goal] = 0.03**steps
            if number != 11:  # the one without is named in captions
                trace.to_parquet(folder / "trace.parquet")
                client.log_artifact(run.info.run_id, str(folder / "trace.parquet"))
            client.set_terminated(run.info.run_id)
    return folder / "mlflow.db"


def obeyed(words):
    """Return the characters of a text that a terminal would obey, ends of lines aside."""
    return {one for one in words if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


def assert_harmless_latex(words):
    lines = [line for line in words.splitlines() if not line.startswith("%")]
    source = re.sub(r"\\\\", "", "\n".join(lines))
    assert [
        one for one in re.findall(r"\\([A-Za-z]+)", source) if not COMMANDS.fullmatch(one)
    ] == []
    assert set(re.findall(r"\\input\{([^}]*)\}", source)) <= {"table"}
    bare = re.sub(r"\\[{}$%&#_]", "", source)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not set(bare) & {"#", "~"}
    assert bare.count(r"\begin{document}") == bare.count(r"\end{document}") <= 1


def assert_harmless_markdown(words):
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(words)
    inner = [child for token in tokens for child in token.children or ()]
    found = {token.type for token in (*tokens, *inner)}
    assert "table_open" in found
    assert not found & {"html_block", "html_inline", "link_open", "image", "code_inline"}
    rows = [line for line in words.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_figures_and_tables_of_a_hostile_store_are_harmless(hostile, tmp_path, capfd):
    words = ["--sweep", "last", "--tracking-uri", f"sqlite:///{hostile}", "--out", str(tmp_path)]
    assert draw_figures([*words, "--format", "png"], lambda _: 1) == 0
    own = [*words, "--x", "solver", "--y", "steps", "--hue", "weights", "--col", "none"]
    assert draw_figures([*own, "--format", "svg"], lambda _: 1) == 0
    assert draw_figures([*words[:3], "no such", *words[4:]], lambda _: 1) == 2
    printed = capfd.readouterr()
    assert obeyed(printed.out + printed.err) == set()
    assert r"\x1b[2J" in printed.out
    written = {path.name: path for path in tmp_path.iterdir()}
    assert {"page.tex", "table.tex", "table.md", "table.csv"} <= set(written)
    for name, path in written.items():
        if path.suffix == ".png":
            continue
        content = path.read_bytes().decode()
        assert obeyed(content) == set(), name
        if path.suffix == ".tex":
            assert_harmless_latex(content)
        elif path.suffix == ".md":
            assert_harmless_markdown(content)
        elif path.suffix == ".svg":
            tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
            assert not tags & {"script", "a", "image"}, name
        elif path.suffix == ".csv":
            for row in csv.reader(content.splitlines()):
                for cell in row:
                    number = re.fullmatch(r"-?[\d.]+(e[-+]\d+)?|-inf", cell)
                    assert number or not cell.startswith(("=", "+", "-", "@")), (name, cell)


def test_a_notebook_shows_no_markup_of_a_store(hostile):
    runs = load("last", store=f"sqlite:///{hostile}")
    page = runs._repr_html_()
    assert obeyed(page + repr(runs)) == set()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert runs.source["sweeps"] == (SWEEP,)  # as it is: by it the sweep is found again


def test_the_command_that_redraws_is_one_line_and_names_the_same_sweep():
    words = ["figures", "--sweep", SWEEP, "\u202e\x7f$x'\\"]
    line = typed(words)
    assert obeyed(line) == set()
    assert "\n" not in line
    shell = ["bash", "-c", f"printf '%s\\0' {line}"]
    back = subprocess.run(shell, capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}).stdout
    assert back.decode().split("\0")[:-1] == words
    assert typed(["a", "b c"]) == shlex.join(["a", "b c"])


@pytest.mark.parametrize(
    ("words", "shown", "source"),
    [
        (r"$\input{x}$", r"\$\input{x}\$", r"\$\textbackslash{}input\{x\}\$"),
        ("costs $5", r"costs \$5", r"costs \$5"),
        (r"a\$", r"a\$", r"a\$"),
        ("$x^2^3$", r"\$x^2^3\$", r"\$x\textasciicircum{}2\textasciicircum{}3\$"),
        (r"$\varepsilon_0$ & $2\times 10^{-3}$", None, r"$\varepsilon_0$ \& $2\times 10^{-3}$"),
        ("$|x - x^*|_H / |x_0 - x^*|_H$", None, "$|x - x^*|_H / |x_0 - x^*|_H$"),
        ("fit $y = c x^p$", None, "fit $y = c x^p$"),
    ],
)
def test_only_harmless_maths_is_maths(words, shown, source):
    assert text(words) == (words if shown is None else shown)
    assert text(text(words)) == text(words)
    assert latex(words) == latex(text(words)) == source


def test_a_literal_dollar_reads_as_one():
    assert value("a$b_c") == r"a\$b c"
    assert plain(value("a$b_c")) == "a$b c"
