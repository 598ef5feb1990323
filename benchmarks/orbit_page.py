"""Tables and picture of docs/orbit.md, from its CSVs.

Usage: python orbit_page.py [FOLDER [PAGE]]: docs/orbit and docs/orbit.md by default. FOLDER holds
results.csv, a row a file, and passes.csv and drift.csv of orbit_passes.py; the picture of files is
written there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from orbit_budget import LINKS, rows
from orbit_pictures import FLOAT, draw_pareto
from page_arguments import page_arguments
from results_page import TITLES
from small_png import write_small

from llpbench.markdown import format_number, markdown_table, replace_between

PAGE_DATA = Path(__file__).parents[1] / "docs" / "orbit"
END = "<!-- end of the tables -->"
NONE_YET = "Nothing is measured yet.\n"
FILES = {
    "method": ("method", ""),
    "file_format": ("file", ""),
    "quantize": ("numbers", ""),
    "parameters": ("parameters", ",.0f"),
    "multiply_adds": ("multiply-adds", ",.0f"),
    "bytes": ("bytes", ",.0f"),
    "mae": ("MAE", ".4f"),
    "f1_micro": ("F1", ".4f"),
    "latency_p50_ms": ("ms, median", ".3g"),
    "latency_p95_ms": ("ms, 95 %", ".3g"),
    "memory_bytes": ("memory, MB", ".1f"),
}
"""Headings and number formats of the columns of results.csv that are shown."""
PASSES = {
    "method": ("method", ""),
    "memory_mb": ("memory, MB", ".0f"),
    "passes": ("passes", ".0f"),
    "uplink_bytes": ("bytes up", ",.0f"),
    "downlink_bytes": ("models down, bytes", ",.0f"),
    "statistics_bytes": ("or sums down", ",.0f"),
    "cpu_seconds": ("CPU s", ".1f"),
    "peak_mb": ("peak, MB", ".0f"),
    "val_mae": ("MAE, val divisions", ".4f"),
    "test_mae": ("MAE", ".4f"),
    "batch_mae": ("MAE in a batch", ".4f"),
}
"""The same of passes.csv."""
DRIFT = {
    "method": ("method", ""),
    "then": ("then", ""),
    "number": ("passes", ".0f"),
    "uplinked": ("bytes up", ",.0f"),
    "test_unchanged": ("MAE there, not updated", ".4f"),
    "test_updated": ("updated", ".4f"),
    "test_alone": ("of it alone", ".4f"),
    "test_first": ("MAE of the first season before", ".4f"),
    "test_first_updated": ("and after", ".4f"),
    "known": ("test chips known", ".0%"),
}
"""The same of drift.csv, of the last pass."""
SAME = 0.05
"""Part by which costs may differ and are no better: milliseconds of one file do from run to run."""
TEXTS = ("dataset", "then", "method", "file_format", "quantize")


def read(path: Path, order: list[str]) -> pd.DataFrame:
    """Read the rows of a CSV, sorted by the columns of ``order``; NaN where there is no number."""
    table = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str))
    return table.sort_values(order, kind="stable", ignore_index=True)


def budget() -> str:
    """Write the table of links."""
    return markdown_table(["what is sent", "bytes", *LINKS], rows())


def files(table: pd.DataFrame) -> str:
    """Write what exported files cost, a table a dataset; in bold what no file of it beats.

    Parameters
    ----------
    table : DataFrame
        Of results.csv.
    """
    if table.empty:
        return NONE_YET
    numbers = table["quantize"].replace("none", FLOAT)
    table = table.assign(memory_bytes=table["memory_bytes"] / 1e6, quantize=numbers)
    parts = ["![MAE of exported files against their bytes and latency](orbit/pareto.png)\n"]
    for dataset, part in _by_dataset(table):
        cells = _cells(part, FILES)
        for row, is_best in zip(cells, unbeaten(part), strict=True):
            if is_best:
                row[0] = f"**{row[0]}**"
        parts.append(_section(dataset, FILES, cells))
    return "\n".join(parts)


def passes(table: pd.DataFrame) -> str:
    """Write what training on board came to, a table a dataset.

    Parameters
    ----------
    table : DataFrame
        Of passes.csv.
    """
    if table.empty:
        return NONE_YET
    picture = "![MAE of val divisions after passes against what they cost](orbit/passes.png)\n"
    sections = [_section(name, PASSES, _cells(part, PASSES)) for name, part in _by_dataset(table)]
    return "\n".join([picture, *sections])


def drift(table: pd.DataFrame) -> str:
    """Write what a further season came to, a table a dataset that was first.

    Parameters
    ----------
    table : DataFrame
        Of drift.csv; rows of all passes but the last have no test errors.
    """
    last = table[table["test_updated"].notna()]
    if last.empty:
        return NONE_YET
    picture = "![MAE of a further season after its passes](orbit/drift.png)\n"
    sections = [_section(name, DRIFT, _cells(part, DRIFT)) for name, part in _by_dataset(last)]
    return "\n".join([picture, *sections])


def unbeaten(table: pd.DataFrame) -> np.ndarray:
    """Tell which files no other is as good as in error, bytes and latency, and better in one.

    Returns
    -------
    ndarray of bool, shape (file,)
        The Pareto front of three dimensions, but for differences of :data:`SAME`.
    """
    costs = table[["mae", "bytes", "latency_p50_ms"]].to_numpy(float)
    no_worse = (costs[:, np.newaxis] <= costs * (1 + SAME)).all(axis=-1)
    better = (costs[:, np.newaxis] * (1 + SAME) < costs).any(axis=-1)
    return ~(no_worse & better).any(axis=0)


def _by_dataset(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of each dataset, those that have a title first."""
    for name in dict.fromkeys([*TITLES, *table["dataset"]]):
        part = table[table["dataset"] == name]
        if len(part):
            yield name, part


def _cells(table: pd.DataFrame, columns: dict[str, tuple[str, str]]) -> list[list[str]]:
    """Cells as they are printed, methods as code."""
    return [
        [_cell(row[name], form, is_code=name == "method") for name, (_, form) in columns.items()]
        for _, row in table.iterrows()
    ]


def _cell(value: object, form: str, *, is_code: bool) -> str:
    if is_code:
        return f"`{value}`"
    if isinstance(value, str):
        return value
    return format_number(value, form)


def _section(dataset: str, columns: dict[str, tuple[str, str]], cells: list[list[str]]) -> str:
    headings = [heading for heading, _ in columns.values()]
    return f"**{TITLES.get(dataset, dataset)}: `{dataset}`**\n\n{markdown_table(headings, cells)}"


def main(folder: Path, page: Path) -> None:
    """Write all of it."""
    exported = read(folder / "results.csv", ["mae", "bytes"])
    trained = read(folder / "passes.csv", ["method", "memory_mb", "passes"])
    further = read(folder / "drift.csv", ["method", "then", "number"])
    if len(exported):
        write_small(draw_pareto(exported, TITLES), folder / "pareto.png", dpi=130)
    parts = {
        "budget": budget(),
        "files": files(exported),
        "passes": passes(trained),
        "drift": drift(further),
    }
    for name, text in parts.items():
        if not replace_between(page, begin(name), END, text):
            sys.exit(f"{page} has no marks for the table of {name}")


def begin(name: str) -> str:
    """Write the mark before a table."""
    return f"<!-- {name}: benchmarks/orbit_page.py -->"


if __name__ == "__main__":
    main(*page_arguments(__doc__, PAGE_DATA, PAGE_DATA.with_suffix(".md")))
