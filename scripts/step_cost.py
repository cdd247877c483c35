"""Compare a step of approx_newton with one of exact_newton: `python scripts/step_cost.py`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd
from rich.console import Console
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from experiments.race.step_cost import StepCost, exponents, measure, summary
from softres.command_line import OneLineParser


def main() -> None:
    parser = OneLineParser(description=__doc__)
    parser.add_argument("--d", type=int, nargs="+", default=[200])
    parser.add_argument(
        "--ratio", type=int, nargs="+", default=[500, 2000, 4000, 8000], help="values of n / d"
    )
    parser.add_argument(
        "--fit-from", type=float, default=2000, help="least n / d for the exponent in n"
    )
    parser.add_argument("--eps0", type=float, default=0.25)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--max-gb", type=float, default=4.5, help="largest A")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--out", type=Path, default=Path("results/benchmark"))
    chosen = parser.parse_args()
    clock = time.process_time if chosen.clock == "cpu" else time.perf_counter
    options = StepCost(eps0=chosen.eps0, repeats=chosen.repeat)
    console = Console(highlight=False)
    rows = []
    with threadpool_limits(1):
        for d in chosen.d:
            for ratio in chosen.ratio:
                if 8e-9 * ratio * d * d > chosen.max_gb:
                    console.print(f"d={d} n/d={ratio}: left out, A is above --max-gb")
                    continue
                found = list(measure(ratio * d, d, options, clock))
                rows += found
                console.print(summary(pd.DataFrame(found)).to_string(index=False))
    table = summary(pd.DataFrame(rows))
    growth = exponents(table, chosen.fit_from)
    chosen.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(chosen.out / "step_cost_runs.csv", index=False)
    table.to_csv(chosen.out / "step_cost.csv", index=False)
    growth.to_csv(chosen.out / "step_cost_exponents.csv", index=False)
    console.print(table.to_string(index=False))
    console.print(growth.to_string(index=False))


if __name__ == "__main__":
    main()
