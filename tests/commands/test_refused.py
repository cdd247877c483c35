"""What is refused, read otherwise or left out, in one line each."""

from __future__ import annotations

import re

import numpy as np
import pytest
from commanding import check_refused, run

import softres
from softres.data.files.shard_writer import write_folder

A = np.random.default_rng(0).standard_normal((20, 3))
B = np.full(20, 0.05)

BAD = {
    "n=0": r"n=0: allowed is a whole number >= 1",
    "n=3": r"n=3: .* n >= d=20",
    "n=abc": r"n=abc: must be a whole number",
    "eps=2": r"eps=2\.0: allowed is 0 < eps < 1",
    "R=-1": r"R=-1\.0: allowed is a number between 0 and 1e6",
    "solver=typo": r"solver=typo: .* allowed are approx_newton, exact_newton, gradient_descent",
    "backend=cuda": r"backend\.device=cuda: .* no CUDA device .* backend\.device=cpu",
    "typo=1": r"typo: no such key; .* shows those there are",
    "solvr=exact_newton": r"solvr: no such key; did you mean solver\?",
    "N=100": r"N: no such key; did you mean n\? \(capitals count\)",
    "eps0=0.1": r"eps0: no such key; did you mean solver\.eps0 \(of solver=approx_newton\)\?",
    "dry_run=true": r"dry_run: no such key; did you mean sweep\.dry_run\?",
    "data.path=x": r"data\.path: no such key; it is an option of data=file: add that .*",
    "solver=aprox_newton": r"solver=aprox_newton: .* did you mean approx_newton\? allowed are .*",
    "weights=1e-4": r"weights=1e-4: .* absolute, .* theorem; weights\.value=1e-4 sets the number",
    "weights=theorem weights.value=0.1": r"weights\.value=0\.1 .* weights=theorem: .* no value; .*",
    "weights=none weights.value=0.1": r"weights\.value=0\.1 with weights=none: it takes no value.*",
    "seed=range(3)": r"seed=range\(3\): several values need -m: .* -m 'seed=range\(3\)'",
    "n=100,200": r"n=100,200: several values need -m: python run\.py -m n=100,200",
    "-n 1000": r"-n: no such option; keys have no dashes: n=1000",
    "-m n=1.5,3": r"n=1\.5: must be a whole number",
    "-m eps=small,0.1": r"eps=small: must be a number",
    "solver=approx_newton solver.eps0=3": r"solver\.eps0=3\.0: approx_newton allows 0 < eps0 < 1",
    "data=digits n=100": r"n=100: data=digits has n=1797; leave it out",
    "solver=torch_lbfgs": r"solver=torch_lbfgs with backend=numpy: .* backend=torch only",
    "backend=torch data=streamed data.path=SHARDS": r"backend=torch .* with data=streamed: .* dask",
    "-m solver=torch_lbfgs backend=numpy,dask": r"every job of the sweep was left out, see above",
    "-m n=100 solver.eps0=0.1,0.2": r"solver\.eps0: no such key; .*",
    "plugins=[missing.py]": r"plugins=missing\.py: no such Python file",
    "backend=dask backend.address=nowhere": r"backend.*(no Dask scheduler|not installed).*",
    "sweep.objective=typo": r"sweep\.objective=typo: allowed are error, seconds, steps, passes",
    "memory_limit=0": r"memory_limit=0\.0: allowed is a positive number of GiB",
    "tracking=server tracking.uri=http://me:s3cret@127.0.0.1:9": r"\S+//127\.0\.0\.1:9: no server",
    "-m hydra/launcher=typo": r"hydra/launcher=typo: .* allowed are .*joblib, ray, serial",
    "-m n=range(9,5)": r"the sweep has no jobs: .* range",
    "-m n=1000,-1": r"n=-1: allowed is a whole number >= 1",
    "-m solver=exact_newton,typo": r"solver=typo: .* allowed are",
    "tracking.port=0": r"tracking\.port=0: must be in 1 \.\.\. 65535",
    "data=file data.path=missing.npz": r"data\.path=missing\.npz: No such file",
    "data=file": r"data\.path: data=file needs the path",
    # The sweep's own data.rows is no option of other data; n and d are not theirs.
    "-m +experiment=quick/sparsifier data=digits": r"experiment=sparsifier with data=digits: .*",
    "experiment=quick/basin data=digits R=null": r"experiment=basin .* data=synthetic only",
    "-m +experiment=quick/psd backend=torch,numpy": r"experiment=psd with backend=torch: .*",
}


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_ends_in_one_line_and_starts_nothing(tmp_path, arguments):
    if "SHARDS" in arguments:
        write_folder(tmp_path / "SHARDS", [A], B)
    check_refused(tmp_path, run(tmp_path, *arguments.split()), BAD[arguments])


def test_combinations_that_make_no_sense_are_left_out_and_counted(tmp_path):
    grid = ("solver=exact_newton,scipy_lbfgs,torch_lbfgs", "backend=numpy,torch")
    ended = run(tmp_path, "-m", *grid, "n=60", "d=4", "sweep.dry_run=true")
    assert ended.returncode == 0
    assert re.findall(
        r"^left out: (solver=\w+ with backend=\w+): .* \((\d) job\)$", ended.stdout, re.M
    ) == [
        ("solver=scipy_lbfgs with backend=torch", "1"),
        ("solver=torch_lbfgs with backend=numpy", "1"),
    ]
    assert "4 of 4 jobs would run" in ended.stdout


def test_an_option_goes_to_the_choice_that_has_it(tmp_path):
    ended = run(
        tmp_path,
        *("-m", "solver=exact_newton,approx_newton", "solver.eps0=0.1,0.25"),
        *("n=60", "d=4", "sweep.dry_run=true"),
    )
    assert ended.returncode == 0
    assert ended.stdout.count("exact_newton n=60") == 1
    assert ended.stdout.count("approx_newton n=60") == 2
    assert "3 of 3 jobs would run" in ended.stdout


def test_one_value_of_an_option_goes_to_the_choice_that_has_it(tmp_path):
    ended = run(
        tmp_path,
        *("-m", "solver=exact_newton,approx_newton", "solver.eps0=0.1"),
        *("n=60", "d=4", "sweep.dry_run=true"),
    )
    assert ended.returncode == 0
    assert ended.stdout.count("approx_newton n=60 d=4 seed=0 solver.eps0=0.1") == 1
    assert "2 of 2 jobs would run" in ended.stdout


def test_a_group_without_a_choice_ends_in_one_line(tmp_path):
    check_refused(tmp_path, run(tmp_path, "solver=null"), "solver=null: must be a choice; .*")


def test_a_whole_number_may_be_written_as_a_float(tmp_path):
    grid = ("-m", "n=6e1,70.0", "d=4e0", "seed=range(0,2e0)", "max_steps=1e2")
    own = ("solver=approx_newton", "solver.rows=3e1")
    ended = run(tmp_path, *grid, *own, "sweep.dry_run=true")
    assert (ended.returncode, ended.stderr) == (0, "")
    plans = re.findall(r"approx_newton (n=\S+ d=\S+ seed=\S+) ", ended.stdout)
    assert plans == [f"n={n} d=4 seed={seed}" for n in (60, 70) for seed in (0, 1)]


def test_the_version_is_that_of_softres(tmp_path):
    ended = run(tmp_path, "--version")
    assert (ended.returncode, ended.stdout) == (0, f"softres {softres.__version__}\n")
