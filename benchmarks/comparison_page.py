"""Tables and pictures of docs/comparison.md, from the tables that `comparison.py` writes.

Usage: python comparison_page.py [FOLDER [PAGE]]: docs/comparison and docs/comparison.md by default.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from comparison import DATASETS, HEAVY, NO_IMAGES
from comparison_pictures import draw_errors, draw_rankings
from comparison_tables import BOUND, FOLDER, METHODS, RANKINGS, RIDGE
from page_arguments import page_arguments
from results_page import TITLES
from small_png import write_small

from llpbench.markdown import format_interval, format_number, markdown_table, replace_between
from llpbench.methods.registry import method_names

BEGIN, END = "<!-- tables: benchmarks/comparison_page.py -->", "<!-- end of the tables -->"
HEADINGS = (
    *("method", "MAE", "95 %", "minus the best", "p", f"minus `{RIDGE}`", "p"),
    *("of the bound", "CPU s", "seeds"),
)
FURTHER = {
    "mae_hard": ("MAE hard", ".4f"),
    "f1_micro": ("F1", ".4f"),
    "within_division_r2": ("R² within divisions", ".2f"),
    "expected_calibration_error": ("calibration error", ".3f"),
    "spread": ("spread of seeds", ".0%"),
}
"""Columns of the table of what else is measured: heading and format."""
RANKING_HEADINGS = (
    *("dataset", "methods", "test divisions", "rank correlation", "95 %"),
    *("pairs told apart on random bags", "the same on divisions", "not told apart", "reversed"),
)


def main(folder: Path, page: Path) -> None:
    """Write all of it."""
    table, rankings = read(folder)
    titles = {name: TITLES[name] for name in DATASETS if (table["dataset"] == name).any()}
    rankings = rankings.set_index("dataset").reindex(titles).dropna(how="all").reset_index()
    write_small(draw_errors(table, titles), folder / "errors.png", dpi=130)
    write_small(draw_rankings(rankings, titles), folder / "rankings.png", dpi=130)
    parts = [left_out(table), ranking_section(rankings), *sections(table)]
    if not replace_between(page, BEGIN, END, "\n".join(parts)):
        sys.exit(f"{page} has no marks for the tables")


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read both tables, without what is shown the proportions of test divisions."""
    table, rankings = (pd.read_csv(folder / name) for name in (METHODS, RANKINGS))
    return table[table["kind"] != "disaggregation"], rankings


def left_out(table: pd.DataFrame) -> str:
    """Say which datasets and methods have no row, and why."""
    there, methods = set(table["dataset"]), set(table["method"])
    lacking = [name for name in method_names() if name not in methods]
    lists = {
        "not measured, or not at hand": [name for name in DATASETS if name not in there],
        "ten minutes and more for each training": [name for name in lacking if name in HEAVY],
        "for embeddings, which these datasets do not have": [
            name for name in lacking if name in NO_IMAGES
        ],
        "not measured yet": [name for name in lacking if name not in (*HEAVY, *NO_IMAGES)],
    }
    said = [
        f"{', '.join(f'`{name}`' for name in names)} ({why})"
        for why, names in lists.items()
        if names
    ]
    return f"Left out: {'; '.join(said)}.\n" if said else ""


def ranking_section(rankings: pd.DataFrame) -> str:
    """What of the rankings on random bags holds on real divisions."""
    rows = [
        [
            TITLES[row["dataset"]],
            *(int(row["methods"]), int(row["divisions"])),
            f"{row['correlation']:.2f}",
            _interval(row, "correlation_low", "correlation_high", 2),
            *(int(row[name]) for name in ("told_apart_random", "same", "open", "reversed")),
        ]
        for _, row in rankings.iterrows()
    ]
    return "\n".join(
        [
            "## What rankings on random bags say of real divisions\n",
            "![Rank correlation of methods between random bags and real divisions, and what "
            "becomes of pairs that are told apart](comparison/rankings.png)\n",
            markdown_table(RANKING_HEADINGS, rows),
        ]
    )


def sections(table: pd.DataFrame) -> Iterator[str]:
    """Write a section a dataset: a table of real divisions and, folded, more, and random bags."""
    for dataset in DATASETS:
        rows = table[table["dataset"] == dataset]
        if rows.empty:
            continue
        real, random = (rows[rows["bags"] == bags] for bags in ("real", "random"))
        yield "\n".join(
            [
                f"## {TITLES[dataset]}: `{dataset}`\n",
                f"Trained on real divisions:\n\n{_table(real)}",
                f"<details><summary>What else is measured of these</summary>\n\n{_more(real)}",
                "</details>\n",
                f"<details><summary>The same, trained on random bags</summary>\n\n{_table(random)}",
                "</details>\n",
            ]
        )


def _table(rows: pd.DataFrame) -> str:
    return markdown_table(HEADINGS, (_row(row) for _, row in rows.iterrows()))


def _more(rows: pd.DataFrame) -> str:
    table = ([_name(row), *_further(row)] for _, row in rows.iterrows())
    return markdown_table(("method", *(heading for heading, _format in FURTHER.values())), table)


def _further(row: pd.Series) -> list[str]:
    return [format_number(row[name], spec) for name, (_heading, spec) in FURTHER.items()]


def _name(row: pd.Series) -> str:
    return f"`{row['method']}`" + (" *" if row["kind"] == "not ranked" else "")


def _row(row: pd.Series) -> list[str]:
    return [
        _name(row),
        f"{row['mae']:.4f}",
        _interval(row, "low", "high", 4),
        *(part for other in ("best", "ridge") for part in _difference(row, other)),
        format_number(row["bound_ratio"], ".2f") if row["method"] != BOUND else "",
        f"{row['cpu_seconds']:.1f}",
        str(row["seeds"]),
    ]


def _difference(row: pd.Series, other: str) -> tuple[str, str]:
    """A difference with its interval, and its p-value."""
    value, low, high, p_value = (row[f"{other}{end}"] for end in ("", "_low", "_high", "_p"))
    return format_difference(value, low, high, 4), format_p_value(p_value)


def _interval(row: pd.Series, low: str, high: str, decimals: int) -> str:
    return format_ends(row[low], row[high], decimals)


def format_difference(value: float, low: float, high: float, decimals: int) -> str:
    """Write a difference with its sign, and its interval where there is one; blank for NaN."""
    if pd.isna(value):
        return ""
    interval = format_ends(low, high, decimals)
    return f"{value:+.{decimals}f}" + (f" ({interval})" if interval else "")


def format_ends(low: float, high: float, decimals: int) -> str:
    """Write an interval that no table breaks."""
    return format_interval(low, high, decimals=decimals, to="\u00a0to\u00a0")


def format_p_value(value: float) -> str:
    """Write a p-value; blank for NaN."""
    return "< .001" if value < 0.001 else format_number(value, ".3f")


if __name__ == "__main__":
    main(*page_arguments(__doc__, FOLDER, FOLDER.with_suffix(".md")))
