"""The tables of docs/results.md, from finished runs: python results_tables.py RUNS PAGE.

RUNS holds run folders at any depth, as `llpbench sweep --preset results` leaves them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from llpbench.markdown import format_interval, format_number, markdown_table, replace_between
from llpbench.runs.command import command_of
from llpbench.runs.results import Result, find_results, result_row

BEGIN, END = "<!-- tables: benchmarks/results_tables.py -->", "<!-- end of the tables -->"
TITLES = {
    "semi-esa": "Semi-real land cover",
    "demo-esaworldcover": "Demo land cover (synthetic)",
    "semi-pop": "Semi-real population",
    "demo-humanpop": "Demo population (synthetic)",
}
HEADINGS = (
    *("method", "MAE", "95 %", "MAE hard", "F1", "slope", "within-division R²"),
    *("parameters", "training, s (CPU)", "seeds"),
)


def tables(folder: Path) -> Iterator[str]:
    """Write a section for each dataset.

    Yields
    ------
    str
        A heading, a table and the command of each of its rows, in Markdown.
    """
    results = sorted(find_results([folder]), key=lambda one: one.scores.value("mae"))
    for dataset, title in TITLES.items():
        rows = [one for one in results if one.record.dataset == one.record.trained_on == dataset]
        table = markdown_table(HEADINGS, _blocks(rows))
        commands = "\n".join(f"$ {command_of(one.runs)}" for one in rows)
        yield f"## {title}: `{dataset}`\n\n{table}\n```console\n{commands}\n```\n"


def _blocks(rows: Sequence[Result]) -> Iterator[list[str]]:
    """Rows by track, what is not ranked at the end."""
    kinds: dict[str, list[Result]] = {"inductive": [], "disaggregation": [], "not ranked": []}
    for one in rows:
        kinds["not ranked" if one.record.is_reference else one.record.track].append(one)
    for kind, block in kinds.items():
        yield [f"*{kind}*", *[""] * (len(HEADINGS) - 1)]
        yield from map(_row, block)


def _row(result: Result) -> list[str]:
    numbers = result_row(result.runs)
    return [
        f"`{result.label}`",
        format_number(numbers["mae"], ".4f"),
        # in one line, however narrow the page is
        format_interval(numbers["low"], numbers["high"], decimals=3, to="\u00a0to\u00a0"),
        format_number(numbers["mae_hard"], ".4f"),
        format_number(numbers["f1_micro"], ".4f"),
        format_number(result.value("calibration_slope"), ".2f"),
        format_number(result.value("within_division_r2"), ".2f"),
        f"{numbers['parameters']:,}",
        f"{numbers['fit_seconds']:.1f} ({numbers['cpu_seconds']:.1f})",
        str(len(result.runs)),
    ]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not replace_between(Path(sys.argv[2]), BEGIN, END, "\n".join(tables(Path(sys.argv[1])))):
        sys.exit(f"{sys.argv[2]} has no marks for the tables")
