"""The reference names what a run really leaves, what files are read, and every extra."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch

import pytest
from documents import ROOT, text_of

from softres.data.files.file_formats import ENDINGS, FORMATS
from softres.data.files.text_files import COMPRESSED
from softres.data.sets.file import DECIMALS, SEPARATORS
from softres.theory.registry import THEOREMS
from softres.theory.theorem import LEMMAS


def named(page, title):
    """Return the names in the first column of the table under a title."""
    section = text_of(page).partition(f"## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]*)\|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small sweep's first run, and the names of its files."""
    import os
    import subprocess
    import sys
    import warnings

    folder = tmp_path_factory.mktemp("run")
    subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "-m", "n=60", "d=3", "solver=exact_newton"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'results' / 'mlflow.db'}")
        found = client.search_runs([one.experiment_id for one in client.search_experiments()])[0]
        return found, [one.path for one in client.list_artifacts(found.info.run_id)]


@pytest.mark.slow
def test_every_tag_metric_and_artifact_of_a_run_is_explained(run):
    found, files = run
    page = "docs/reference/runs.md"
    for title, names in (
        ("Tags", found.data.tags),
        ("Artifacts", files),
    ):
        known = named(page, title)
        assert not [one for one in names if not any(fnmatch(one, name) for name in known)]
    known = [*named(page, "Curves"), *named(page, "Single figures")]
    unexplained = [
        one for one in found.data.metrics if not any(fnmatch(one, name) for name in known)
    ]
    assert not unexplained
    logged = {*found.data.metrics}
    for name in known:
        assert any(fnmatch(one, name) for one in logged), f"{name}: no run has it"


def test_every_ending_that_is_read_is_named():
    text = text_of("docs/reference/files.md")
    assert not [end for end in (*ENDINGS, *COMPRESSED) if f"`{end}`" not in text]


def test_every_value_of_the_options_of_a_file_is_named():
    text = text_of("docs/reference/files.md")
    assert not [one for one in (*FORMATS, *SEPARATORS, *DECIMALS) if f"`{one}`" not in text]


def test_the_theorems_and_the_lemmas_that_are_judged_are_named():
    assert named("docs/tutorials/extend.md", "A theorem") == list(LEMMAS)
    text = text_of("docs/tutorials/report.md").partition("## All of them\n")[2]
    assert not [name for name in THEOREMS if f"`{name}`" not in text]


def test_the_theorem_of_the_documents_is_the_example():
    shown = (ROOT / "examples" / "tanh_theorem.py").read_text(encoding="utf-8")
    assert f"```python\n{shown}```" in text_of("docs/tutorials/extend.md")
    assert "](examples/tanh_theorem.py)" in text_of("README.md")


def test_every_extra_is_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(named("docs/start.md", "Extras")) >= set(project["optional-dependencies"])


def test_the_version_is_one_everywhere():
    import softres

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = softres.__version__
    assert project["version"] == version
    assert f"\nversion: {version}\n" in text_of("CITATION.cff")
    assert f"\n## {version}\n" in text_of("CHANGELOG.md")


def test_citation_and_issue_templates_are_yaml_with_what_they_need():
    import yaml

    entry = yaml.safe_load(text_of("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(entry)
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert path.name == "config.yml" or {"name", "description", "body"} <= set(form)
