"""What was found by trying stands in one module, and all of it is used."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from softres.solvers.preconditioned import tuning

FOLDER = Path(tuning.__file__).parent
CONSTANTS = {name for name in vars(tuning) if name.isupper()}
#: Rates of a machine are measured, not tuned.
OTHERS = sorted(set(FOLDER.glob("*.py")) - {FOLDER / "tuning.py", FOLDER / "machine.py"})


def test_every_constant_is_read():
    read = {
        node.attr
        for module in OTHERS
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "tuning"
    }
    assert read == CONSTANTS


@pytest.mark.parametrize("module", OTHERS, ids=lambda path: path.name)
def test_no_other_module_has_numbers_of_its_own(module):
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            values = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
            assert not any(isinstance(value, int | float) for value in values), ast.unparse(node)


def test_a_constant_that_is_replaced_is_the_one_in_force(monkeypatch):
    from softres.solvers.preconditioned.refresh import Progress, Stagnation

    monkeypatch.setattr(tuning, "PATIENCE", 5)
    monkeypatch.setattr(tuning, "SADDLE_PATIENCE", 1)
    assert Progress().patience == 5
    assert Stagnation(weak_steps=1).suspects_saddle
