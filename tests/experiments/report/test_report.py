"""The report from a small store: what it shows, and what it survives."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from logged import logged

from experiments.claims.practice import convergence
from experiments.kit.claim import Author, Claim, Conclusion, Counterexample, Verdict
from experiments.kit.registry import claim_ids
from experiments.kit.runs import load_runs
from experiments.kit.style import new_figure
from experiments.kit.tables import latex, shown
from experiments.report.agreement import agreement
from experiments.report.build import Request, report
from experiments.report.collect import JudgedClaim
from experiments.report.command import report_command
from experiments.report.facts import facts, listed, origin
from experiments.report.planned import gap
from experiments.report.runner import reproduce, run_missing
from softres.config.choices import register
from softres.config.jobs import Job
from softres.config.settings import settings
from softres.config.sweeps import jobs_of
from softres.harness.keys.identity import config_hash
from softres.tracking import TrackingOptions, open_store

ROOT = Path(__file__).parents[3]
COMMAND = "python run.py experiment=quick/regime seed=3 R=<4>"


def judge(runs):
    worst = max(runs, key=lambda run: run.table["factor"].max())
    factor = float(worst.table["factor"].max())
    found = Counterexample(worst, COMMAND, "worst.npz")
    violated = Conclusion.VIOLATED
    return [
        Verdict(
            "factor < 0.4", violated, f"{factor:.3g}", "0.4", 2, "Too large.", 0.5, found,
            Author.PAPER,
        ),
        Verdict("A <b> holds", Conclusion.HOLDS, "1", "2", 7, "By far.", derived=True),
        Verdict("nothing left", Conclusion.EMPTY, "1e-9", "1e-3", 2, "Empty by rule."),
    ]  # fmt: skip


def draw(runs):
    figure, axes = new_figure()
    axes[0].plot([1, 2], [3, 4], label="the line")
    return {"line": figure}


def tables(runs):
    return {"numbers": pd.DataFrame({"a_b": [1.0], "|x|": ["<"]})}


def fake_claim(**changes):
    parts = {
        "id": "regime", "place": "Section 0", "statement": "A claim & a half.", "judge": judge,
        "draw": draw, "tables": tables,
    }  # fmt: skip
    return Claim(**(parts | changes))


def fake_module(claim, **names):
    module = ModuleType("experiments.claims.practice.regime")
    module.CLAIM = claim
    module.CAPTIONS = {"line": "A line of two points"}
    for name, value in names.items():
        setattr(module, name, value)
    return module


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with two measured runs of one claim."""
    folder = tmp_path_factory.mktemp("store")
    opened = open_store(TrackingOptions(folder=str(folder), experiment="regime"))
    for seed, factor in ((0, 0.3), (3, 0.75)):
        params = {"experiment.profile": "quick", "n": 100, "d": 5, "R": 4.0, "seed": seed}
        tags = {"key": f"key-{seed}", "config_hash": f"c{seed}", "commit": "abcdef1234567"}
        with opened.start_run(f"regime seed={seed}", params, tags) as run:
            run.table(pd.DataFrame({"factor": [factor]}), "measurements.parquet")
            run.arrays("worst.npz", {"A": np.eye(2) * seed})
            run.tags({"status": "measured"})
    return folder


def write(store, out, *claims, say=lambda line: None):
    request = Request("quick", claims, run=False, store=str(store), out=out)
    return report(request, say)


def test_a_violated_claim_shows_its_counterexample_and_command(store, tmp_path, monkeypatch):
    module = fake_module(fake_claim(), headline=lambda runs: f"{len(runs)} runs say <so>.")
    monkeypatch.setitem(sys.modules, "experiments.claims.practice.regime", module)
    assert write(store, tmp_path, "regime")
    page = (tmp_path / "report.html").read_text()
    text = (tmp_path / "report.md").read_text()
    assert "2 runs say &lt;so&gt;." in page
    assert "<pre>python run.py experiment=quick/regime seed=3 R=&lt;4&gt;</pre>" in page
    assert COMMAND in text
    for content in (page, text):
        assert "counterexamples/regime_1.npz" in content
        assert "0.75" in content
        assert (
            "The paper's statements: 0 hold, 0 hold but are empty, 1 violated, 0 not decided."
            in content.replace("&#39;", "'")
        )
        assert "Our statements: 0 hold, 1 hold but are empty, 0 violated, 0 not decided." in content
        assert "Checks of our derivation: 1 of 1 pass." in content
        assert "seeds = 0, 3; 2 runs; commit abcdef1234" in content
        assert "local changes" not in content
        assert reproduce("regime", "quick") in content.replace("\\", "")
    kept = np.load(tmp_path / "counterexamples" / "regime_1.npz")
    np.testing.assert_array_equal(kept["A"], 3 * np.eye(2))
    assert COMMAND in (tmp_path / "counterexamples" / "regime_1.txt").read_text()
    for name in ("figures/regime_line.pdf", "figures/regime_line.png", "tables/verdicts.tex"):
        assert (tmp_path / name).stat().st_size > 100
    caption = (tmp_path / "figures" / "regime_line.txt").read_text()
    assert caption.startswith("A line of two points. (n = 100; d = 5; R = 4;")
    assert "a\\_b & $|$x$|$" in (tmp_path / "tables" / "regime_numbers.tex").read_text()


def test_the_page_needs_nothing_else(store, tmp_path, monkeypatch):
    monkeypatch.setitem(
        sys.modules, "experiments.claims.practice.regime", fake_module(fake_claim())
    )
    write(store, tmp_path, "regime")
    page = (tmp_path / "report.html").read_text()
    assert "A &lt;b&gt; holds" in page
    assert "data:image/png;base64," in page
    assert not re.search(r'(src|href)="https?:|<script|@import|url\(', page)
    (alt,) = set(re.findall(r'alt="([^"]*)"', page))
    assert alt == "values; the line rises from 3 to 4."
    for link in re.findall(r'href="([^"#][^"]*)"', page):
        assert (tmp_path / link).is_file()
    for anchor in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page


def test_a_holds_says_what_it_could_have_seen(store, tmp_path, monkeypatch):
    monkeypatch.setitem(
        sys.modules, "experiments.claims.practice.regime", fake_module(fake_claim())
    )
    write(store, tmp_path, "regime")
    table = pd.read_csv(tmp_path / "verdicts.csv", keep_default_na=False)
    assert list(table["whose"]) == ["paper", "derived", "ours"]
    # Of what fails, by how much it does; of the rest how far it is from sharp, where that is known.
    assert list(table["looseness"]) == ["", "", ""]
    assert list(table["missed_by"]) == ["2.0", "", ""]
    # 1 - 0.05^(1/7) and 1 - 0.05^(1/2); where something failed nothing was missed.
    assert list(table["sees"]) == ["", "35%", "78%"]
    text = (tmp_path / "report.md").read_text()
    assert "| regime | the paper | factor &lt; 0.4 | **violated** | 0.75 | 0.4 |  | 2 |  |" in text
    assert "| regime | ours | nothing left | **holds, but empty** |" in text
    assert "(2 cases; sees 78%)" in text


def test_a_comparison_lacks_no_verdict(store, tmp_path, monkeypatch):
    claim = fake_claim(judge=lambda runs: [], comparison=True)
    monkeypatch.setitem(sys.modules, "experiments.claims.practice.regime", fake_module(claim))
    write(store, tmp_path, "regime")
    text = (tmp_path / "report.md").read_text()
    assert "compared, not judged" in text
    assert "**Compared, not judged.** regime." in text
    assert "Without a verdict so far" not in text


def test_jobs_without_a_finished_run_are_named(store, tmp_path, monkeypatch):
    jobs = [Job(compose_one(f"R={R}"), ("seed=0", f"R={R}", "experiment=regime")) for R in (1, 4)]
    monkeypatch.setattr("softres.config.sweeps.jobs_of", lambda conf, *overrides: jobs)
    done = run_of(jobs[0])
    assert gap("regime", "full", [done, run_of(jobs[1])]) == ""
    assert gap("regime", "full", [done]) == (
        "No finished run of 1 of its sweep's 2 jobs: seed=0 R=4."
    )
    other = replace(done, name="regime R=9", tags={"config_hash": "else"})
    assert gap("regime", "full", [done, run_of(jobs[1]), other]) == (
        "1 of its 3 runs have options that the sweep has not."
    )
    assert gap("never_heard_of", "full", []) == ""


def test_every_report_looks_for_gaps(store, tmp_path, monkeypatch):
    monkeypatch.setitem(
        sys.modules, "experiments.claims.practice.regime", fake_module(fake_claim())
    )
    write(store, tmp_path, "regime")
    for file in ("report.md", "report.html"):
        assert "No finished run of 3 of its sweep" in (tmp_path / file).read_text()
    about = json.loads((tmp_path / "report.json").read_text())
    assert about["gaps"].keys() == {"regime"}
    assert about["commits"] == {"abcdef1234567": 2}
    assert (about["runs"], about["statements"], about["runs_with_local_changes"]) == (2, 3, 0)


def compose_one(*overrides):
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        return compose("config", overrides=["tracking=none", *overrides])


def run_of(job):
    return tagged(logged(pd.DataFrame()), config_hash=config_hash(settings(job.config)))


def tagged(run, **tags):
    return replace(run, tags={**run.tags, **tags})


def test_sweeps_are_composed_as_they_run():
    jobs = jobs_of(ROOT / "conf", "experiment=quick/gradient")
    assert [job.overrides[0] for job in jobs] == ["seed=0"] * 3
    assert [float(job.config["R"]) for job in jobs] == [1, 2, 4]


def a_verdict(conclusion, cases=3):
    return Verdict("s", conclusion, "1", "2", cases, f"{conclusion.value} because.")


def test_profiles_that_differ_are_told_with_both_reasons():
    holds, violated = a_verdict(Conclusion.HOLDS), a_verdict(Conclusion.VIOLATED, 9)
    undecided = a_verdict(Conclusion.UNDECIDED)
    mine = [
        JudgedClaim(name, verdicts=[verdict])
        for name, verdict in (("a", holds), ("b", holds), ("c", undecided), ("d", holds))
    ]
    others = {
        "a": JudgedClaim("a", verdicts=[holds]),
        "b": JudgedClaim("b", verdicts=[violated]),
        "c": JudgedClaim("c", verdicts=[holds]),
        "d": JudgedClaim("d", verdicts=[replace(holds, statement="another")]),
    }
    found = agreement("full", mine, others)
    assert found.compared == 3
    assert found.conflicts == [
        "b: s: full says holds, measured 1 in 3 cases. holds because. "
        "quick says violated, measured 1 in 9 cases. violated because."
    ]
    assert [text[:4] for text in found.opened] == ["c: s"]
    ((title, texts),) = found.told
    assert (title, len(texts)) == ("Profiles", 3)
    assert texts[0].startswith("Quick and full agree on 1 of the 3 statements")
    assert agreement("full", mine, {}).told == []


def test_several_commits_are_named_with_their_runs():
    runs = [logged(pd.DataFrame(), k) for k in range(3)]
    tags = [("a" * 40, "false"), ("a" * 40, "true"), ("b" * 40, "false")]
    runs = [tagged(run, commit=c, dirty=d) for run, (c, d) in zip(runs, tags, strict=True)]
    assert origin(runs[:1]) == f"1 run; commit {'a' * 10}"
    assert origin(runs) == (f"3 runs; commits {'a' * 10} (2), {'b' * 10} (1), 1 with local changes")
    assert origin(runs[1:2]).endswith(", all with local changes")


def test_claims_without_module_or_runs_say_so(tmp_path):
    assert write(tmp_path / "none", tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("no runs yet") >= len(claim_ids()) + 1  # convergence has no verdict
    assert not (tmp_path / "none").exists()


def broken(runs):
    raise ValueError("boom\nsecond line")


def test_an_error_in_one_claim_is_told_and_fails_the_command(store, tmp_path, monkeypatch, capfd):
    module = fake_module(fake_claim(judge=broken))
    monkeypatch.setitem(sys.modules, "experiments.claims.practice.regime", module)
    assert not write(store, tmp_path, "regime")
    assert "not judged, ValueError: boom<" in (tmp_path / "report.html").read_text()
    module.CLAIM = fake_claim(draw=broken)
    assert not write(store, tmp_path, "regime")
    page = (tmp_path / "report.html").read_text()
    assert "not drawn, ValueError" in page
    assert "factor &lt; 0.4" in page  # the verdicts stand
    assert "boom" in capfd.readouterr().err


def test_runs_of_another_profile_do_not_count(store):
    options = TrackingOptions(folder=str(store), experiment="regime")
    assert len(load_runs(options, "quick")) == 2
    assert load_runs(options, "full") == []


def test_only_runs_of_the_latest_code_of_their_solver_count(tmp_path):
    options = TrackingOptions(folder=str(tmp_path), experiment="regime")
    runs = (("a", "old", "1"), ("a", "old", "2"), ("b", "old", "1"), ("a", "new", "1"))
    for solver, code, seed in runs:
        params = {"experiment.profile": "quick", "solver": solver, "seed": seed}
        # The configuration of one of the old runs is in no sweep any more.
        tags = {"key": f"{solver}{seed}-{code}", "config_hash": solver + seed, "code_digest": code}
        with open_store(options).start_run(f"{solver} {code} {seed}", params, tags):
            time.sleep(0.002)  # runs are told apart by the millisecond in which they begin
    assert [run.name for run in load_runs(options, "quick")] == ["a new 1", "b old 1"]


def test_a_wrong_claim_is_one_line(capsys):
    assert report_command(["--claims", "nonsense", "--no-run"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("softres: --claims nonsense: allowed are gradient,")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("script", ["report.py", "figures.py"])
def test_scripts_help(script):
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--profile" in done.stdout


def test_a_sweep_that_fails_is_told(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("experiments.report.runner.has_sweep", lambda name, profile: True)
    log = tmp_path / "log.txt"
    monkeypatch.chdir(tmp_path)
    assert not run_missing("no_such_sweep", "quick", "results", log, said.append)
    assert "exit status 2" in said[-1]
    assert "no_such_sweep" in log.read_text()


@pytest.mark.slow
def test_jobs_of_a_claim_are_counted_and_the_finished_ones_beside_them(tmp_path):
    said = []
    store, log = str(tmp_path / "store"), tmp_path / "log.txt"
    for _ in range(2):
        assert run_missing("low_rank_plus_diagonal", "quick", store, log, said.append)
    jobs = len([line for line in said if ": job " in line]) // 2
    assert jobs > 0
    ends = [line for line in said if "finished before" in line]
    assert f": {jobs} jobs, 0 of them finished before" in ends[0]
    assert f": {jobs} jobs, {jobs} of them finished before" in ends[1]


def test_a_claim_without_a_sweep_is_passed_over(tmp_path):
    said = []
    assert run_missing("no_such_sweep", "quick", "results", tmp_path / "log", said.append)
    assert "no sweep" in said[0]


def test_numbers_as_text(store, tmp_path):
    assert listed([0, 1, 2, 3]) == "0..3"
    assert listed([1, 10000, 4]) == "1, 4, 10,000"
    assert listed(range(0, 70, 10)) == "0, 10, ..., 60"
    table = pd.DataFrame({"x": [1.0, 1e-9, np.nan, 123456.0], "y": [True, "a_%", None, 2]})
    cells = shown(table)
    assert list(cells["x"]) == ["1", "1e-09", "", "123,456"]
    assert list(cells["y"]) == ["yes", "a_%", "", "2"]
    assert "a\\_\\%" in latex(table, tmp_path, "t", "c").read_text()
    runs = load_runs(TrackingOptions(folder=str(store), experiment="regime"), "quick")
    assert facts(runs) == "n = 100; d = 5; R = 4; seeds = 0, 3; 2 runs; commit abcdef1234"


def test_bands_hold_an_error_until_the_next_step_is_done():
    traces = [(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1e-2, 1e-4]))] * 3
    middle, low, high = convergence.band(traces, np.array([0.0, 0.99, 1.0, 1.5, 2.0, 9.0]))
    np.testing.assert_allclose(middle, [1, 1, 1e-2, 1e-2, 1e-4, 1e-4])
    np.testing.assert_allclose(low, high)
