"""Tables of docs/methods-ablation.md and their picture, from the CSVs that `ablation.py` writes.

Usage: python ablation_page.py [FOLDER [PAGE]]: docs/methods-ablation and docs/methods-ablation.md
by default. FOLDER holds a CSV a dataset, and receives the picture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from ablation import DATA
from ablation_pictures import draw_differences
from comparison_page import format_difference, format_ends, format_p_value
from page_arguments import page_arguments
from results_page import TITLES
from small_png import write_small

from llpbench.markdown import markdown_table, replace_between

BEGIN, END = "<!-- tables: benchmarks/ablation_page.py -->", "<!-- end of the tables -->"
HEADINGS = (
    *("variant", "MAE", "95 %", "minus `llpnet`", "p", "F1", "minus `llpnet`", "slope"),
    "R² within divisions",
)


def main(folder: Path, page: Path) -> None:
    """Write all of them."""
    tables = read(folder)
    write_small(draw_differences(tables), folder / "differences.png")
    if not replace_between(page, BEGIN, END, "\n".join(sections(tables))):
        sys.exit(f"{page} has no marks for the tables")


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of all datasets that are there."""
    paths = {name: folder / f"{name}.csv" for name in TITLES}
    return {name: pd.read_csv(path) for name, path in paths.items() if path.exists()}


def sections(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Write a table a dataset."""
    for name, table in tables.items():
        number = table["seeds"].max()
        seeds = "one seed" if number == 1 else f"{number} seeds"
        rows = (_row(row) for _, row in table.iterrows())
        yield f"**{TITLES[name]}: `{name}`**, {seeds}\n\n{markdown_table(HEADINGS, rows)}"


def _row(row: pd.Series) -> list[str]:
    return [
        str(row["title"]),
        f"{row['mae']:.4f}",
        format_ends(row["mae_low"], row["mae_high"], 4),
        _difference(row, "mae", 4),
        format_p_value(row["mae_p_value"]),
        f"{row['f1_micro']:.3f}",
        _difference(row, "f1_micro", 3),
        f"{row['calibration_slope']:.2f}",
        f"{row['within_division_r2']:.2f}",
    ]


def _difference(row: pd.Series, metric: str, decimals: int) -> str:
    value, low, high = (row[f"{metric}_difference{end}"] for end in ("", "_low", "_high"))
    return format_difference(value, low, high, decimals)


if __name__ == "__main__":
    main(*page_arguments(__doc__, DATA, DATA.with_suffix(".md")))
