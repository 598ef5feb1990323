"""Tables and pictures of docs/results.md, from the numbers of `results_table.py`.

Usage: python results_page.py [CSV [PAGE]]: docs/results/results.csv and docs/results.md by default.
Pictures are written beside the CSV.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from results_pictures import draw_costs, draw_overview
from results_table import PAGE_DATA
from small_png import write_small

from llpbench.markdown import markdown_table, replace_between

BEGIN, END = "<!-- tables: benchmarks/results_page.py -->", "<!-- end of the tables -->"
TITLES = {
    "semi-esa": "Semi-real land cover",
    "semi-pop": "Semi-real population",
    "demo-esaworldcover": "Demo land cover (synthetic)",
    "demo-humanpop": "Demo population (synthetic)",
}
KINDS = ("inductive", "disaggregation", "not ranked")
HEADINGS = (
    *("method", "MAE", "95 %", "MAE hard", "F1", "slope", "R² within"),
    *("weights", "seconds (CPU)", "seeds"),
)


def read(path: Path) -> pd.DataFrame:
    """Read the numbers as they are printed, in the order of the page, best first."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.sort_values("mae", kind="stable")


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
                f"![MAE of methods on {dataset} against seconds of training and learned weights]"
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
    return [
        f"`{row['method']}`",
        row["mae"],
        f"{row['low']}\u00a0to\u00a0{row['high']}" if row["low"] else "",
        *(row[name] for name in ("mae_hard", "f1_micro", "calibration_slope")),
        row["within_division_r2"],
        f"{int(row['parameters']):,}",
        f"{row['fit_seconds']} ({row['cpu_seconds']})",
        row["seeds"],
    ]


def main(data: Path, page: Path) -> None:
    """Write all of it."""
    table = read(data)
    write_small(draw_overview(table, TITLES), data.with_name("overview.png"), dpi=130)
    for dataset, title in TITLES.items():
        rows = table[table["dataset"] == dataset]
        write_small(draw_costs(rows, title), data.with_name(f"costs-{dataset}.png"), dpi=130)
    if not replace_between(page, BEGIN, END, "\n".join(sections(table))):
        sys.exit(f"{page} has no marks for the tables")


if __name__ == "__main__":
    if len(sys.argv) > 3 or "-h" in sys.argv or "--help" in sys.argv:
        sys.exit(__doc__)
    given = [Path(argument) for argument in sys.argv[1:]]
    main(*given, *(PAGE_DATA, PAGE_DATA.parents[1] / "results.md")[len(given) :])
