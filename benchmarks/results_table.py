"""The numbers behind docs/results.md, from finished runs: python results_table.py RUNS [CSV].

RUNS holds run folders at any depth, as `llpbench sweep --preset results` leaves them;
`results_page.py` makes tables and pictures of the CSV, docs/results/results.csv by default.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from llpbench.runs.command import command_of
from llpbench.runs.results import Result, find_results, result_row
from llpbench.writing import replace_text

PAGE_DATA = Path(__file__).parents[1] / "docs" / "results" / "results.csv"
DECIMALS = {"calibration_slope": 2, "within_division_r2": 2, "fit_seconds": 1, "cpu_seconds": 1}
"""Of the columns that have fewer than four."""


def table(folder: Path) -> pd.DataFrame:
    """Read all results on the data that their methods were trained on, best first.

    Returns
    -------
    DataFrame
        A row a setting of a method: its dataset; its ``kind`` (a track, or ``not ranked``); scores,
        costs, number of seeds, and the command that makes it again.
    """
    results = sorted(find_results([folder]), key=lambda one: one.scores.value("mae"))
    rows = [_row(one) for one in results if one.record.dataset == one.record.trained_on]
    return pd.DataFrame(rows)


def _row(result: Result) -> dict[str, object]:
    numbers = result_row(result.runs)
    scores = {name: result.value(name) for name in ("calibration_slope", "within_division_r2")}
    known = {name: numbers[name] for name in ("mae", "low", "high", "mae_hard", "f1_micro")}
    costs = {name: numbers[name] for name in ("parameters", "fit_seconds", "cpu_seconds")}
    values = {**known, **scores, **costs}
    return {
        "dataset": result.record.dataset,
        "kind": "not ranked" if result.record.is_reference else result.record.track,
        "method": result.label,
        **{name: _rounded(name, value) for name, value in values.items()},
        "seeds": len(result.runs),
        "command": str(command_of(result.runs)),
    }


def _rounded(name: str, value: float | int | None) -> str:
    """As it is printed; blank where there is none."""
    if value is None or pd.isna(value):
        return ""
    return str(value) if name == "parameters" else f"{value:.{DECIMALS.get(name, 4)}f}"


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    written = table(Path(sys.argv[1])).to_csv(index=False, lineterminator="\n")
    replace_text(Path(sys.argv[2]) if len(sys.argv) == 3 else PAGE_DATA, written)
