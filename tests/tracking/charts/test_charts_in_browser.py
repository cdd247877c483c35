"""The printed link in a browser: it opens the charts of its own sweep, and of no other run."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from browser import chromium, show

ROOT = Path(__file__).parents[3]
SOLVES = ("d=3", "n=60", "solver=exact_newton,gradient_descent", "max_steps=20")
#: What the charts of solves are called, with an axis each.
CHARTS = (
    "log10_error_H", "log10_error_H_by_microseconds", "log10_relative_gradient",
    "log10_relative_gradient_by_microseconds",
)  # fmt: skip
#: Every chart that has been drawn: the title of its horizontal axis, and whether it has points.
DRAWN = """
return [...document.querySelectorAll('.js-plotly-plot')].filter((p) => p.layout).map((p) => [
    (p.layout.xaxis.title || {}).text || '',
    (p.data || []).some((line) => (line.x || []).length + (line.y || []).length > 0),
]);
"""


def start(folder, port, *words):
    return subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), "-m", *words, "tracking.folder=results",
         f"tracking.port={port}", "sweep.figures=false"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "SOFTRES_CACHE": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip


def link_of(text):
    (found,) = re.findall(r"http://127\.0\.0\.1:\d+/#\S+", text)
    return found


def run(folder, port, *words):
    with start(folder, port, *words) as process:
        text, _ = process.communicate(timeout=240)
    assert process.returncode == 0, text
    return link_of(text)


def interrupted(folder, port, *words):
    """Return the link of a sweep that Ctrl-C ended after its second job began, and its runs."""
    lines, asked = [], False
    with start(folder, port, *words) as process:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("job 3 of") and not asked:
                process.send_signal(signal.SIGINT)
                asked = True
    return link_of("".join(lines))


@contextmanager
def interface(folder, port):
    """Run the command that the sweep's end names."""
    words = ["ui", "--folder", "results", "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", "softres", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            for _ in range(900):
                try:
                    with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                        break
                except (URLError, ConnectionError):
                    assert process.poll() is None
                    time.sleep(0.1)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def links(tmp_path_factory):
    """The links of four sweeps, printed by them, with the interface running; skips come first."""
    with chromium() as browser:
        folder = tmp_path_factory.mktemp("sweeps")
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        found = {
            "fresh": run(folder, port, *SOLVES, "seed=0,1"),
            "extended": run(folder, port, *SOLVES, "seed=0,1,2"),
            "interrupted": interrupted(folder, port, *SOLVES, "seed=range(3,300)"),
            "claim": run(folder, port, "experiment=quick/gradient", "R=1,2", "seed=0"),
        }
        with interface(folder, port):
            yield browser, found


def opened(browser, link, charts=1, legend=""):
    """Open a link as one does by a click; return how many runs it shows, and all of its words."""
    show(browser, 1440, 1000)
    browser.get("about:blank")
    browser.get(link)
    for _ in range(300):
        text = browser.execute_script("return document.body.innerText")
        count = re.search(r"(\d+) matching runs", text)
        drawn = browser.execute_script(DRAWN)
        if count and len(drawn) >= charts and all(points for _, points in drawn) and legend in text:
            return int(count[1]), text
        time.sleep(0.2)
    pytest.fail(f"no charts after a minute: {text[:2000]}")


@pytest.mark.slow
@pytest.mark.parametrize(("sweep", "runs"), [("fresh", 4), ("extended", 6)])
def test_the_link_opens_the_charts_of_its_sweep(links, sweep, runs):
    browser, found = links
    shown, text = opened(browser, found[sweep], len(CHARTS), f"({CHARTS[-1]})")
    assert shown == runs
    for chart in CHARTS:  # each has its legend
        for solver in ("exact_newton", "gradient_descent"):
            assert re.search(rf"^.*{solver}.* \({chart}\)$", text, re.M)
    drawn = browser.execute_script(DRAWN)
    assert len(drawn) == len(CHARTS)
    assert all(title and points for title, points in drawn)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= 1440


@pytest.mark.slow
def test_after_an_interruption_the_link_opens_what_was_done(links):
    browser, found = links
    shown, text = opened(browser, found["interrupted"])
    assert 2 <= shown < 594  # two and what was on its way, of 594 jobs
    assert all(f"seed={seed}" not in text for seed in (0, 1, 2))
    assert all(points for _, points in browser.execute_script(DRAWN))


@pytest.mark.slow
def test_a_claims_page_has_charts_of_its_own_figures(links):
    browser, found = links
    shown, text = opened(browser, found["claim"])
    assert shown == 2
    assert "log10_error_H" not in text
