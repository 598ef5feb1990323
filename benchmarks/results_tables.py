"""The tables of docs/results.md, from finished runs: python results_tables.py RUNS PAGE.

RUNS holds run folders at any depth, as `llpbench sweep --preset results` leaves them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from llpbench.markdown import markdown_table, replace_between
from llpbench.runs.command import command_of
from llpbench.runs.results import Result, find_results

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

    Parameters
    ----------
    folder : Path

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
    seconds, cpu = (
        float(np.mean([getattr(run.record, cost) for run in result.runs]))
        for cost in ("fit_seconds", "cpu_seconds")
    )
    return [
        f"`{result.label}`",
        _value(result, "mae", 4),
        result.scores.score("mae").interval_text(4, " to "),
        _value(result, "mae_hard", 4),
        _value(result, "f1_micro", 4),
        _value(result, "calibration_slope", 2),
        _value(result, "within_division_r2", 2),
        f"{result.record.footprint['parameters']:,}",
        f"{seconds:.1f} ({cpu:.1f})",
        str(len(result.runs)),
    ]


def _value(result: Result, metric: str, digits: int) -> str:
    value = result.value(metric)
    return "" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not replace_between(Path(sys.argv[2]), BEGIN, END, "\n".join(tables(Path(sys.argv[1])))):
        sys.exit(f"{sys.argv[2]} has no marks for the tables")
