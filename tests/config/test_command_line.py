"""What a person types is understood, or answered with what they probably meant."""

from __future__ import annotations

import pytest

from softres.common.discovery import catalogue
from softres.common.errors import InputError
from softres.config.typed.command_line import as_written, command_words
from softres.config.typed.nearest import choices_of, no_such_key


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("n=1e4", "n=10000"),
        ("n=1000.0", "n=1000"),
        ("n=1e3,2E+3,5", "n=1000,2000,5"),
        ("seed=range(0,1e1)", "seed=range(0,10)"),
        ("+d=2e1", "+d=20"),
        ("max_steps=1.5e3", "max_steps=1500"),
        ("n=1.5", "n=1.5"),
        ("n=-1e3", "n=-1e3"),
        ("n=1e-3", "n=1e-3"),
        ("n=1e400", "n=1e400"),
        ("eps=1e4", "eps=1e4"),
        ("data.path=1e4", "data.path=1e4"),
        ("+experiment=quick/psd", "experiment=quick/psd"),
        ("experiment=null", "experiment=null"),
    ],
)
def test_words_are_written_as_hydra_takes_them(typed, taken):
    assert command_words(["-m", typed]) == ["-m", taken]


def test_an_option_may_stand_between_keys():
    assert command_words(["n=5", "-m", "seed=0,1"]) == ["-m", "n=5", "seed=0,1"]
    assert command_words(["n=5", "--cfg", "job", "d=2"]) == ["--cfg", "job", "n=5", "d=2"]


def test_a_completion_is_left_to_the_shell():
    assert command_words(["-sc", "query=bash"]) == ["-sc", "query=bash"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-n", "1000"], "-n: no such option; keys have no dashes: n=1000"),
        (["--solver=typo"], "--solver=typo: no such option; keys have no dashes: solver=typo"),
        (["-x"], "-x: no such option; 'python run.py --help' shows those there are"),
        (["--cfg", "typo"], "argument --cfg/-c: invalid choice: 'typo'"),
        (["backend=4"], "backend=4: must be a choice; allowed are cuda, dask, numpy, torch"),
        (["-m", "solver=exact_newton,2"], "solver=2: must be a choice; allowed are "),
        (["weights=true"], "weights=true: must be a choice; allowed are absolute, none, relative"),
        (["n=glob(*)"], "n=glob(*): several values need -m"),
    ],
)
def test_what_cannot_be_is_one_line(words, line):
    with pytest.raises(InputError) as caught:
        command_words(words)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("solvr", "did you mean solver?"),
        ("r", "did you mean R? (capitals count)"),
        ("Seed", "did you mean seed? (capitals count)"),
        ("max_step", "did you mean max_steps?"),
        ("dry_run", "did you mean sweep.dry_run?"),
        ("distance", "did you mean start.distance?"),
        ("device", "did you mean backend.device?"),
        ("eps_0", "did you mean solver.eps0 (of solver=approx_newton)?"),
        ("solver.eps", "did you mean eps?"),
        ("solver.ep0", "did you mean solver.eps0 (of solver=approx_newton)?"),
        ("solver.eps0", "it is an option of solver=approx_newton: add that"),
        ("zzz", "'python run.py ... --cfg job' shows those there are"),
    ],
)
def test_a_key_that_is_not_there_is_answered_with_the_nearest(name, meant):
    assert no_such_key(name) == f"{name}: no such key; {meant}"


def test_an_option_of_several_choices_names_each():
    owners = [one.name for one in catalogue("data").values() if "path" in one.options]
    line = no_such_key("data.path")
    assert len(owners) > 1
    assert all(name in line for name in owners)


def test_groups_have_choices_and_other_keys_none():
    assert choices_of("weights") == ["absolute", "none", "relative", "theorem"]
    assert choices_of("solver") == list(catalogue("solver"))
    assert len(set(choices_of("experiment"))) == len(choices_of("experiment")) > 10
    assert choices_of("n") == []


def test_an_option_waits_for_the_swept_choice_that_has_it():
    words = ["-m", "solver=exact_newton,approx_newton", "solver.eps0=0.1", "n=5"]
    taken = ["-m", "solver=exact_newton,approx_newton", "solver.eps0=choice(0.1)", "n=5"]
    assert command_words(words) == taken
    alone = ["-m", "solver=approx_newton", "solver.eps0=0.1", "n=5,6"]
    assert command_words(alone) == alone


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("solver.eps0=choice(0.1)", "solver.eps0=0.1"),
        ("data.columns=choice([1,2])", "data.columns=[1,2]"),
        ("n=choice(1,2)", "n=choice(1,2)"),
        ("n=1,2", "n=1,2"),
    ],
)
def test_a_word_is_shown_as_it_was_written(word, written):
    assert as_written(word) == written
