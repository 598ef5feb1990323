"""The tables of docs/results.md, from finished runs: python results_tables.py RUNS PAGE.

RUNS holds run folders at any depth, as `llpbench sweep --preset results` leaves them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from llpbench.markdown import markdown_table, replace_between
from llpbench.reporting.results import pool_seeds
from llpbench.running.command import command_of
from llpbench.running.record import RECORD, Run, read_run
from llpbench.scoring import Scores

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
    runs = [read_run(path.parent) for path in sorted(folder.rglob(RECORD))]
    for dataset, title in TITLES.items():
        by_method: dict[str, list[Run]] = {}
        for run in sorted(runs, key=lambda run: run.record.seed):
            if run.record.dataset == dataset:
                by_method.setdefault(run.record.method, []).append(run)
        rows = sorted(by_method.values(), key=lambda seeds: _scores(seeds).value("mae"))
        table = markdown_table(HEADINGS, _blocks(rows))
        commands = "\n".join(f"$ {command_of(seeds)}" for seeds in rows)
        yield f"## {title}: `{dataset}`\n\n{table}\n```console\n{commands}\n```\n"


def _blocks(rows: Sequence[list[Run]]) -> Iterator[list[str]]:
    """Rows by track, what is not ranked at the end."""
    kinds: dict[str, list[list[Run]]] = {"inductive": [], "disaggregation": [], "not ranked": []}
    for seeds in rows:
        record = seeds[0].record
        kinds["not ranked" if record.is_reference else record.track].append(seeds)
    for kind, block in kinds.items():
        yield [f"*{kind}*", *[""] * (len(HEADINGS) - 1)]
        yield from map(_row, block)


def _row(seeds: Sequence[Run]) -> list[str]:
    record, scores = seeds[0].record, _scores(seeds)
    interval = scores.interval("mae")
    known = np.isfinite(interval.low)
    return [
        f"`{record.method}`",
        f"{scores.value('mae'):.4f}",
        f"{interval.low:.4f} to {interval.high:.4f}" if known else "",
        _value(scores, "mae_hard", 4),
        _value(scores, "f1_micro", 4),
        _value(scores, "calibration_slope", 2),
        _value(scores, "within_division_r2", 2),
        f"{record.footprint['parameters']:,}",
        f"{_mean(run.record.fit_seconds for run in seeds):.1f} "
        f"({_mean(run.record.cpu_seconds for run in seeds):.1f})",
        str(len(seeds)),
    ]


def _scores(seeds: Sequence[Run]) -> Scores:
    return pool_seeds([run.scores for run in seeds if run.scores])


def _value(scores: Scores, metric: str, digits: int) -> str:
    return f"{scores.value(metric):.{digits}f}" if metric in scores.metrics else ""


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not replace_between(Path(sys.argv[2]), BEGIN, END, "\n".join(tables(Path(sys.argv[1])))):
        sys.exit(f"{sys.argv[2]} has no marks for the tables")
