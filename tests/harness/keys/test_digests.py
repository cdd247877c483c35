"""A key covers the code that was run, and nothing else: what an edit of a file changes."""

from __future__ import annotations

import inspect

import pytest

from experiments.kit.registry import claim, claim_ids
from softres.data.sets.synthetic import Synthetic
from softres.harness.keys import code, digests, sources
from softres.harness.keys.digests import measurement_digest, measurement_files, solver_digest
from softres.problems import SoftResidualRegression
from softres.solvers import SOLVERS

#: Classes of the problem and the data that a run has by default.
KINDS = (SoftResidualRegression, Synthetic)
MEASURES = {name: claim(name).measure for name in claim_ids() if claim(name).measure is not None}
CACHED = (
    code.source,
    sources.imported,
    digests._solve_digest,
    digests._measurement_digest,
)
ALL = set(SOLVERS)
#: Claims whose measurement stands in a module of its own.
APART = {
    name: measure for name, measure in MEASURES.items() if measure.__module__.endswith("_measure")
}
BOUNDED = {"psd", "sandwich", "basic_bounds", "basic_lipschitz", "hessian_lipschitz"}
#: Those whose measurement searches for the worst case: also the exponents of what it finds.
SEARCHED = BOUNDED | {"scaling_laws"}
FORMS = {"gradient", "hessian", "low_rank_plus_diagonal"}
#: Claims that sample rows, and those of them that run Algorithm 1.
SOLVING = {"success_probability", "cost_per_iteration", "regime", "basin", "literal"}
SAMPLING = {"sparsifier", "shrinking", "induction", *SOLVING}


@pytest.fixture(autouse=True)
def forgetful(tmp_path_factory, monkeypatch):
    """Read every file anew, and leave nothing of edits that nobody made."""
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path_factory.getbasetemp() / "code"))
    yield
    forget()


def forget():
    for function in CACHED:
        function.cache_clear()


def all_digests():
    forget()
    solvers = {name: solver_digest(solver, *KINDS) for name, solver in SOLVERS.items()}
    return solvers | {
        name: measurement_digest(measure, *KINDS) for name, measure in MEASURES.items()
    }


@pytest.fixture(scope="module")
def before():
    return all_digests()


@pytest.fixture
def changed(monkeypatch, before):
    """Return a function that says which solvers and claims an edit gives another digest."""

    def touched(module, edit=b"\nEDITED = 1\n"):
        edited = []

        def read(path):
            content = path.read_bytes()
            if not path.match(module):
                return content
            edited.append(path)
            return edit(content) if callable(edit) else content + edit

        with monkeypatch.context() as patch:
            patch.setattr(code, "read", read)
            after = all_digests()
        return {name for name, digest in before.items() if after[name] != digest}, edited

    return touched


@pytest.mark.parametrize(
    ("module", "solvers"),
    [
        ("approximate/approx_newton.py", {"approx_newton"}),
        ("solvers/exact_newton.py", {"exact_newton", "softmax_regression", "resnet_regression"}),
        ("solvers/gradient_descent.py", {"gradient_descent"}),
        ("outside/torch_lbfgs.py", {"torch_lbfgs"}),
        ("outside/scipy_baselines.py", {"scipy_lbfgs", "scipy_trust_ncg", "scipy_newton_cg"}),
        ("sketching/sampling.py", {"approx_newton"}),
        ("solvers/many/newton.py", set()),
        ("softres/problems/regressions.py", ALL),
        ("softres/certification/minimiser.py", ALL),
        ("solvers/loop.py", ALL),
        ("steps/newton.py", ALL),
        ("sets/synthetic.py", ALL),
        ("data/base.py", ALL),
        ("matrices/dense.py", ALL),
        ("harness/prepare.py", ALL),
        ("theory/bounds.py", set()),
        ("tracking/run.py", set()),
        ("terminal/console.py", set()),
        ("config/settings.py", set()),
    ],
)
def test_an_edit_changes_the_digest_of_the_solvers_that_use_it(changed, module, solvers):
    touched, edited = changed(module)
    assert touched & ALL == solvers
    assert edited or not solvers


@pytest.mark.parametrize(
    ("module", "claims", "others"),
    [
        ("sketching/leverage.py", SAMPLING, FORMS | BOUNDED),
        ("sketching/sampling.py", SAMPLING, FORMS | BOUNDED),
        ("sketching/reuse.py", SOLVING, FORMS | BOUNDED),
        ("approximate/approx_newton.py", SOLVING, FORMS | BOUNDED),
        ("outside/torch_lbfgs.py", {"cost_per_iteration"}, FORMS | BOUNDED | {"sparsifier"}),
        ("experiments/claims/bounds/psd_measure.py", {"psd"}, set(MEASURES) - {"psd"}),
        ("experiments/claims/bounds/adversary.py", SEARCHED, set(MEASURES) - SEARCHED),
        ("experiments/claims/bounds/bounded_measure.py", SEARCHED, set(MEASURES) - SEARCHED),
        ("experiments/claims/closed_forms/references.py", FORMS, set(MEASURES) - FORMS),
        ("theory/lipschitz.py", {"basic_lipschitz", "hessian_lipschitz"}, FORMS | {"psd"}),
        ("softres/problems/regressions.py", set(MEASURES), set()),
        ("harness/prepare.py", set(MEASURES), set()),
        ("harness/probe.py", set(MEASURES), set()),
        ("data/seeds.py", set(MEASURES), set()),
        ("terminal/console.py", set(), set(MEASURES)),
        ("tracking/run.py", set(), set(MEASURES)),
        ("experiments/kit/registry.py", set(), set(MEASURES)),
        ("experiments/report/build.py", set(), set(MEASURES)),
    ],
)
def test_an_edit_changes_the_digest_of_the_claims_whose_measurement_uses_it(
    changed, module, claims, others
):
    touched, _ = changed(module)
    assert claims <= touched
    assert not others & touched


@pytest.mark.parametrize("module", ["psd", "bounded", "derivatives", "style", "claim", "runs"])
def test_code_that_draws_or_judges_is_in_no_key_of_a_measurement_that_stands_apart(changed, module):
    touched, _ = changed(f"{module}.py")
    assert not touched & set(APART)


@pytest.mark.parametrize(
    "module", ["psd_measure", "adversary", "*sampling", "*approx_newton", "*problems/problem"]
)
def test_a_comment_or_a_docstring_is_in_no_key(changed, module):
    def edit(content):
        first, rest = content.split(b'"""', 2)[1:]
        return b'"""Another text: ' + first + b'"""' + rest + b"\n# A comment.\n"

    touched, edited = changed(f"{module}.py", edit)
    assert edited
    assert not touched


@pytest.mark.parametrize("name", APART)
def test_a_measurement_that_stands_apart_imports_nothing_that_draws_or_judges(name):
    folder = sources._HERE / "experiments"
    used = {path.stem for path in measurement_files(APART[name], *KINDS) if folder in path.parents}
    assert inspect.getmodule(APART[name]).__name__.endswith(f".{name}_measure")
    assert not used & {"claim", "runs", "style", "statistics", "verdicts", "legends", name}
    assert not [stem for stem in used if stem.endswith("_figures")]


def test_measurements_stand_apart():
    assert {*FORMS, *BOUNDED} <= set(APART)
