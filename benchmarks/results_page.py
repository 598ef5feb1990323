"""Tables and pictures of docs/results.md, from the numbers of `comparison.py` on real divisions.

Usage: python results_page.py [CSV [PAGE]]: docs/comparison/methods.csv and docs/results.md by
default. Pictures are written into the folder beside the page that has its name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from comparison_tables import FOLDER, METHODS
from page_arguments import page_arguments
from results_pictures import draw_costs, draw_overview
from small_png import write_small

from llpbench.markdown import format_interval, format_number, markdown_table, replace_between

PAGE_DATA = FOLDER / METHODS
PAGE = FOLDER.with_name("results.md")
BEGIN, END = "<!-- tables: benchmarks/results_page.py -->", "<!-- end of the tables -->"
TITLES = {
    "semi-esa": "Semi-real land cover",
    "semi-esa-hazy": "Semi-real land cover, hazy",
    "semi-pop": "Semi-real population",
    "demo-esaworldcover": "Demo land cover (synthetic)",
    "demo-humanpop": "Demo population (synthetic)",
}
KINDS = ("inductive", "disaggregation", "not ranked")
COLUMNS = {
    "mae": ("MAE", ".4f"),
    "low": ("95 %", ".4f"),
    "mae_hard": ("MAE hard", ".4f"),
    "f1_micro": ("F1", ".4f"),
    "calibration_slope": ("slope", ".2f"),
    "within_division_r2": ("R² within", ".2f"),
    "parameters": ("weights", ",.0f"),
    "cpu_seconds": ("CPU s", ".1f"),
    "seeds": ("seeds", ".0f"),
}
"""Heading and format of each column after the method's; an interval has a column of its own."""
HEADINGS = ("method", *(heading for heading, _format in COLUMNS.values()))


def read(path: Path) -> pd.DataFrame:
    """Read the numbers of methods trained on real divisions, best first."""
    table = pd.read_csv(path)
    return table[table["bags"] == "real"].sort_values("mae", kind="stable")


def sections(table: pd.DataFrame) -> Iterator[str]:
    """Write a section for each dataset.

    Yields
    ------
    str
        A heading, a picture, a table and, folded, the command of each of its rows, in Markdown.
    """
    for dataset, title in TITLES.items():
        rows = table[table["dataset"] == dataset]
        commands = "\n".join(f"$ {command}" for command in rows["command"])
        yield "\n".join(
            [
                f"## {title}: `{dataset}`\n",
                f"![MAE of methods on {dataset} against CPU seconds and learned weights]"
                f"(results/costs-{dataset}.png)\n",
                markdown_table(HEADINGS, _blocks(rows)),
                "<details><summary>The command of each row</summary>\n",
                f"```console\n{commands}\n```\n",
                "</details>\n",
            ]
        )


def _blocks(rows: pd.DataFrame) -> Iterator[list[str]]:
    """Rows by track, what is not ranked at the end."""
    for kind in KINDS:
        block = rows[rows["kind"] == kind]
        if len(block):
            yield [f"*{kind}*", *[""] * (len(HEADINGS) - 1)]
            yield from (_row(row) for _, row in block.iterrows())


def _row(row: pd.Series) -> list[str]:
    shown = {name: format_number(row[name], spec) for name, (_heading, spec) in COLUMNS.items()}
    shown["low"] = format_interval(row["low"], row["high"], decimals=4, to="\u00a0to\u00a0")
    return [f"`{row['method']}`", *shown.values()]


def main(data: Path, page: Path) -> None:
    """Write all of it."""
    table, pictures = read(data), page.with_suffix("")
    write_small(draw_overview(table, TITLES), pictures / "overview.png", dpi=130)
    for dataset, title in TITLES.items():
        rows = table[table["dataset"] == dataset]
        write_small(draw_costs(rows, title), pictures / f"costs-{dataset}.png", dpi=130)
    if not replace_between(page, BEGIN, END, "\n".join(sections(table))):
        sys.exit(f"{page} has no marks for the tables")


if __name__ == "__main__":
    main(*page_arguments(__doc__, PAGE_DATA, PAGE))
