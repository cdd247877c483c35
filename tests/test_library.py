"""What one meets in a notebook: names under Tab, short words for objects, a figure of a result."""

from __future__ import annotations

import doctest

import matplotlib as mpl
import numpy as np
import pytest

import softres


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return softres.SoftResidualRegression(
        rng.standard_normal((60, 4)), rng.dirichlet(np.ones(60)), 0.01
    )


def test_tab_shows_the_public_names():
    assert dir(softres) == sorted(softres.__all__)
    for name in softres.__all__:
        assert getattr(softres, name) is not None


def test_a_certified_minimiser_gives_true_errors(problem):
    reference = softres.certify(problem)
    assert reference.certificate.certified
    result = softres.solve(problem, reference=reference)
    assert result.trace["relative_error_l2"].iloc[-1] <= 1e-10
    assert softres.solve(problem, x0=reference.x, reference=reference).steps == 0


def test_only_a_problem_on_the_host_in_double_is_certified(problem):
    with pytest.raises(softres.InputError, match=r"certify takes .* float64"):
        softres.certify(problem, np.zeros(4, dtype=np.float32))


def test_objects_say_what_they_are_in_a_line(problem):
    assert repr(problem) == "<SoftResidualRegression, 60 x 4, numpy, weights>"
    bare = softres.SoftmaxRegression(np.eye(3, 2), np.full(3, 1 / 3))
    assert repr(bare) == "<SoftmaxRegression, 3 x 2, numpy, no weights>"
    result = softres.solve(problem)
    assert repr(result).startswith(f"<Result: converged after {result.steps} steps, ")
    assert "<table" in result._repr_html_()


def test_a_result_draws_its_trace(problem):
    mpl.use("agg")
    result = softres.solve(problem, reference=softres.certify(problem))
    axes = result.plot(x="passes")
    assert (axes.get_xlabel(), axes.get_yscale()) == ("passes", "log")
    assert len(axes.lines[0].get_xdata()) == result.steps + 1
    mpl.pyplot.close(axes.figure)


def test_a_solve_that_starts_at_its_end_is_drawn_too():
    uniform = softres.SoftmaxRegression(np.eye(4, 2), np.full(4, 0.25), 0.01)
    axes = softres.solve(uniform, reference=softres.certify(uniform)).plot()
    assert axes.get_yscale() == "linear"
    mpl.pyplot.close(axes.figure)


@pytest.mark.parametrize("name", [*softres.__all__, ""])
def test_every_public_name_has_an_example_that_runs(name):
    named = getattr(softres, name) if name else softres
    text = named.__doc__ or ""
    assert ">>> " in text
    examples = doctest.DocTestParser().get_doctest(text, vars(softres) | {name: named}, name, "", 0)
    shown: list[str] = []
    doctest.DocTestRunner().run(examples, out=shown.append)
    assert not shown, "".join(shown)


def test_help_shows_what_there_is():
    for name in ("solve", "certify", "SoftResidualRegression", "ManyTargets"):
        assert f"``{name}``" in (softres.__doc__ or "")
