"""The comparison of the three problems: ratios by kind of instance, and a small measurement."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from logged import logged

from experiments.claims.practice import unification, unification_measure
from softres.data.weights import WeightOptions


def rows(seed=0, kinds=2, **factors):
    """One seed: on each kind of instance the three problems, soft-residual with these factors."""
    rng = np.random.default_rng(seed)
    table = []
    for kind in range(kinds):
        for name in ("softres", "softmax", "resnet"):
            factor = factors.get(f"kind{kind}", 1.0) if name == "softres" else 1.0
            noise = np.exp(0.05 * rng.standard_normal())
            table.append({
                "kind": f"kind {kind}", "problem": name, "R": 1.0, "n": 10, "d": 2,
                "condition": 100.0 * factor * noise, "condition_on_path": 100.0, "indefinite": 0,
                "steps": 5.0 * factor * noise, "passes": 20, "seconds": 0.1, "converged": True,
                "error": 1e-12, "gap": 0.0,
            })  # fmt: skip
    return pd.DataFrame(table)


def runs(seeds=8, **factors):
    return [logged(rows(seed, **factors), seed) for seed in range(seeds)]


def by_kind(made):
    table = unification.CLAIM.tables(made)["by_kind"]
    return table[table.compared.str.startswith("condition")].set_index(["kind", "with"])


def test_it_is_a_comparison_and_judges_nothing():
    assert unification.CLAIM.comparison
    assert unification.judge(runs()) == []


def test_one_kind_of_instance_does_not_carry_the_others():
    found = by_kind(runs(kind1=3.0))
    plain, hard = found.loc[("kind 0", "softmax")], found.loc[("kind 1", "softmax")]
    assert plain.ratio == pytest.approx(1.0, abs=0.1)
    assert hard.ratio == pytest.approx(3.0, rel=0.1)
    assert hard.low > 2.5
    assert plain.low < plain.ratio < plain.high < 1.1


def test_seeds_are_what_an_interval_is_over():
    found = by_kind(runs(8))
    assert (found.instances == 8).all()
    alone = by_kind(runs(1))
    assert alone.ratio.notna().all()
    assert alone[["low", "high"]].isna().all(axis=None)


def test_all_instances_of_a_seed_are_drawn_together():
    table = pd.concat([rows(seed).assign(run=str(seed)) for seed in range(6)])
    twice = pd.concat([table, table.assign(kind=table.kind + " again")])
    once, again = (unification.ratio(made, "condition", "softmax") for made in (table, twice))
    assert (again.low, again.high) == pytest.approx((once.low, once.high))


def test_the_measurement_solves_each_problem_to_its_own_optimum():
    settings = SimpleNamespace(
        n=60, d=3, seed=1, weights=WeightOptions(),
        experiment={"structures": [{"condition": 5.0}], "sizes": [2.0]},
    )  # fmt: skip
    table = unification_measure.measure(SimpleNamespace(settings=settings))
    assert list(table["problem"]) == ["softres", "softmax", "resnet"]
    assert table["converged"].all()
    assert table["certified"].all()
    assert table["gap"].max() < 1e-12
    assert table["condition"].nunique() == 3


def test_the_figure_has_a_legend_and_every_kind_of_instance():
    made = runs(3, kind1=0.5)
    figures, tables = unification.draw(made), unification.CLAIM.tables(made)
    assert set(figures) | set(tables) == set(unification.CAPTIONS)
    (figure,) = figures.values()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["over softmax", "over ResNet-style"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["kind 0", "kind 1"]
    said = unification.headline(made)
    assert "with an interval below 1 on 1 and above 1 on 0 of 2" in said
    assert "solves 18 of 18 problems" in said
