"""Write the numbers of ``paper/paper.md``: python benchmarks/paper_page.py.

They are read from the tables below ``docs``, which other commands of this folder write.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from results_page import PAGE_DATA, read

from llpbench.markdown import format_number, markdown_table, replace_between

PAPER = Path(__file__).resolve().parents[1] / "paper" / "paper.md"
BEGIN, END = "<!-- numbers: benchmarks/paper_page.py -->", "<!-- end of the numbers -->"
DATASET, FILE = "semi-esa", ("llpnet", "litert", "int8")
DIVISIONS = 12
"""Of the simulated tables whose intervals are told."""
LEARNS = {
    "train-mean": "their mean alone",
    "downconv": "shares of divisions",
    "qkm": "shares of divisions",
    "goodman": "shares of divisions",
    "bag-ridge": "shares of divisions",
    "llpnet": "shares of divisions",
    "llpnet+rake": "those of test divisions, too",
    "pixel-supervised": "labels of pixels",
}
"""The methods that the paper names, and what they learn from."""


def numbers() -> str:
    """Write what was measured in Markdown: a table, and what files and intervals do."""
    docs = PAGE_DATA.parents[1]
    return f"{_table(read(PAGE_DATA))}\n{_file(docs)}\n\n{_intervals(docs)}\n"


def _table(rows: pd.DataFrame) -> str:
    known = rows[rows["dataset"] == DATASET].set_index("method")
    cells = [
        [
            *(f"`{method}`", learns, f"{row['mae']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}"),
            *(format_number(known, ".4f") for known in row[["mae_hard", "f1_micro"]]),
            f"{row['parameters']:,.0f}",
        ]
        for method, learns in LEARNS.items()
        for row in [known.loc[method]]
    ]
    heads = ["method", "learns from", "MAE", "95 %", "MAE, counted", "F1", "parameters"]
    return markdown_table(heads, cells)


def _file(docs: Path) -> str:
    rows = pd.read_csv(docs / "orbit" / "results.csv")
    rows = rows[rows["dataset"] == DATASET].set_index(["method", "file_format", "quantize"])
    row = rows.loc[FILE]
    return (
        f"As a LiteRT file of eight-bit matrix products `{FILE[0]}` has {row['bytes']:,.0f} bytes "
        f"and an MAE of {row['mae']:.4f}."
    )


def _intervals(docs: Path) -> str:
    rows = pd.read_csv(docs / "protocol-coverage" / "coverage.csv")
    rows = rows[(rows["divisions"] == DIVISIONS) & (rows["quantity"] == "score")]
    held = rows.groupby("method")["coverage"].mean()
    tables = rows["table"].nunique()
    return (
        f"Of {tables} simulated tables with {DIVISIONS} divisions, nominal 95 % intervals by the "
        f"percentile bootstrap hold the true score in {held['percentile']:.1%} of cases, those in "
        f"use in {held['same on arcsine scale']:.1%} (means of the tables)."
    )


if __name__ == "__main__":
    replace_between(PAPER, BEGIN, END, numbers())
