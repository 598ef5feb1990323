"""Finished runs on the terminal: a table a dataset, a row a seed, or a table for a paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli import options
from llpbench.cli.output import LOG, echo, print_json, print_table, say
from llpbench.cli.tables import best_cells

if TYPE_CHECKING:
    from pathlib import Path

    from llpbench.running.selection import Candidate
    from llpbench.runs.record import Run, RunRecord

TRAINED_ON_ALL = (
    "all divisions were trained on, so nothing is left to score by; draw the map with "
    "`llpbench map RUN -o MAP.tif`"
)


_NAMES = {"method", "seed"}
_CHIPS = {"MAE", "95 %", "MAE hard", "F1", "skill"}
_DIVISIONS = {"division MAE", "division 95 %", "division R²", "slope", "val MAE"}
_COSTS = {"weights", "seconds"}
"""Columns of tables of results; all scores of one row would be wider than a terminal."""

_BETTER: Mapping[str, Callable[..., float]] = {
    **dict.fromkeys(("MAE", "MAE hard", "division MAE", "val MAE"), min),
    **dict.fromkeys(("F1", "skill", "division R²"), max),
}
"""Where the best value stands out: of settings, not of single seeds, and not of references."""


def print_runs(runs: Sequence[Run]) -> None:
    """Print the results of runs of any methods and datasets: of chips, then of divisions.

    Where a setting has several seeds, a row ``mean`` follows them, with the interval over
    divisions and seeds together.
    """
    from llpbench.runs.results import group_seeds, label_setting

    tables: dict[str, list[tuple[Run, ...]]] = {}
    for seeds in group_seeds(runs):
        tables.setdefault(_caption(seeds[0].record), []).append(seeds)
    for caption, groups in tables.items():
        records = [seeds[0].record for seeds in groups]
        rows: list[dict[str, Any]] = []
        ranked: list[bool] = []
        for seeds in groups:
            label = label_setting(seeds[0].record, records)
            rows += [_row(label, str(run.record.seed), [run]) for run in seeds]
            if len(seeds) > 1:
                rows.append(_row(label, "mean", seeds))
            ranked += [False] * (len(rows) - len(ranked) - 1)
            ranked.append(not seeds[0].record.is_reference)
        echo(f"{caption}\n")
        for table in _tables(rows):
            print_table(table, bold=best_cells(table, _BETTER, ranked))
            echo()
    notes = [
        f"{_caption(run.record)}: {note}" if len(tables) > 1 else note
        for run in runs
        for note in filter(None, _notes(run))
    ]
    for note in dict.fromkeys(notes):
        say(note)
        echo()
    for run in runs:
        fit, predict = run.record.fit_seconds, run.record.predict_seconds
        LOG.debug("%s: fitted in %.1f s, predicted in %.1f s", run.folder, fit, predict)


def _tables(rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """Scores of chips, then those of divisions, as far as they are known: no column is empty."""
    filled = [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)]
    known = [part for part in (_CHIPS, _DIVISIONS) if not part.isdisjoint(filled)] or [set()]
    wanted = [_NAMES | known[0] | _COSTS, *(_NAMES | part for part in known[1:])]
    return [
        [{name: row[name] for name in filled if name in names} for row in rows] for names in wanted
    ]


def print_ranking(ranking: Mapping[str, Sequence[Candidate]]) -> None:
    """Print the settings of each dataset by the error of its val divisions, the chosen first."""
    from llpbench.runs.results import label_setting

    for candidates in ranking.values():
        records = [one.runs[0].record for one in candidates]
        echo(
            f"{_caption(records[0])}: settings by the mean error of divisions, none seen on test\n"
        )
        rows: list[dict[str, Any]] = [
            {
                "rank": rank,
                "method": label_setting(record, records),
                "seeds": len(one.runs),
                "val MAE": round(one.error, 4),
            }
            for rank, (one, record) in enumerate(zip(candidates, records, strict=True), start=1)
        ]
        print_table(rows)
        echo(f"\nchosen: {rows[0]['method']}\n")


def _notes(run: Run) -> list[str]:
    from llpbench.runs.record import UNSCORED
    from llpbench.scoring.division_scores import SEES_SHARES

    scores = run.scores or run.divisions
    file = [] if run.record.export is None else [str(run.record.export)]
    if run.record.train_on == "all":
        return [TRAINED_ON_ALL, *file]
    divisions = [] if run.divisions is None else [f"scored: {run.divisions.size}"]
    if run.record.track == "disaggregation":
        divisions = [f"divisions are not scored: {SEES_SHARES}"]
    return [*divisions, UNSCORED if scores is None else scores.note, *file]


def _caption(record: RunRecord) -> str:
    from llpbench.data.info import mark_synthetic

    source = f", trained on {record.trained_on}" if record.trained_on != record.dataset else ""
    part = "all chips" if record.split == "all" else f"{record.split} split"
    return f"{mark_synthetic(record.dataset, record.synthetic)}, {part}{source}"


def _row(label: str, seed: str, runs: Sequence[Run]) -> dict[str, Any]:
    from llpbench.markdown import format_interval
    from llpbench.runs.results import result_row

    numbers = result_row(runs)
    row = {
        "method": label,
        "seed": seed,
        "MAE": numbers["mae"],
        "95 %": format_interval(numbers["low"], numbers["high"], decimals=3, to="-"),
        "MAE hard": numbers["mae_hard"],
        "F1": numbers["f1_micro"],
        "skill": numbers["skill"],
        "division MAE": numbers["division_mae"],
        "division 95 %": format_interval(
            numbers["division_low"], numbers["division_high"], decimals=3, to="-"
        ),
        "division R²": numbers["division_r2"],
        "slope": numbers["division_calibration_slope"],
        "val MAE": numbers["validation_mae"],
        "weights": numbers["parameters"],
        "seconds": round(numbers["fit_seconds"] + numbers["predict_seconds"], 1),
    }
    return {name: round(v, 3) if isinstance(v, float) else v for name, v in row.items()}


@click.command()
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=options.EXISTING_FOLDER)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    show_default=False,
    help="Metric of a column, as `llpbench evaluate --json` names it, by default the usual ones; "
    "give it once for each column.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex"]),
    default="text",
    help="Form in which the table is written; LaTeX needs the package booktabs.",
)
@options.wide_option
@options.json_option
def results(folders: tuple[Path, ...], metrics: tuple[str, ...], form: str, as_json: bool) -> None:
    """Put RUNs, or all below such folders, together in one table: methods by metrics.

    Values are means over seeds with 95 % intervals. Of the methods of a track the best is marked,
    and those that a paired test does not tell apart from it.
    """
    from llpbench.reporting.results import results_table

    table = results_table(*folders, metrics=metrics)
    if as_json:
        rows = table.frame.astype(object).where(table.frame.notna(), None)
        print_json(rows.to_dict(orient="records"))
    elif form == "text":
        print_table(table.to_rows())
        echo()
        say(table.legend())
    else:
        echo(table.to_markdown() if form == "markdown" else table.to_latex(), nl=False)
