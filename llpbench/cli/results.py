"""Finished runs on the terminal: a table a dataset, a row a seed, and one for all seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llpbench.cli.output import LOG, echo, print_table

if TYPE_CHECKING:
    from llpbench.runs.record import Run, RunRecord

UNLABELLED = "no chip has a label, so nothing could be scored"
TRAINED_ON_ALL = (
    "all divisions were trained on, so nothing is left to score by; draw the map with "
    "`llpbench map RUN -o MAP.tif`"
)


def print_runs(runs: Sequence[Run]) -> None:
    """Print the results of runs of any methods and datasets.

    Where a setting has several seeds, a row ``mean`` follows them, with the interval over
    divisions and seeds together.
    """
    from llpbench.runs.results import group_seeds, label_setting

    tables: dict[str, list[tuple[Run, ...]]] = {}
    for seeds in group_seeds(runs):
        tables.setdefault(_caption(seeds[0].record), []).append(seeds)
    for caption, groups in tables.items():
        records = [seeds[0].record for seeds in groups]
        rows = []
        for seeds in groups:
            label = label_setting(seeds[0].record, records)
            rows += [_row(label, str(run.record.seed), [run]) for run in seeds]
            if len(seeds) > 1:
                rows.append(_row(label, "mean", seeds))
        filled = [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)]
        echo(f"{caption}\n")
        print_table([{name: row[name] for name in filled} for row in rows])
        echo()
    notes = [_note(run) for run in runs]
    for note in filter(None, dict.fromkeys(notes)):
        echo(f"{note}\n")
    for run in runs:
        fit, predict = run.record.fit_seconds, run.record.predict_seconds
        LOG.debug("%s: fitted in %.1f s, predicted in %.1f s", run.folder, fit, predict)


def _note(run: Run) -> str | None:
    if run.scores is not None:
        return run.scores.note
    return TRAINED_ON_ALL if run.record.train_on == "all" else UNLABELLED


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
        "weights": numbers["parameters"],
        "seconds": round(numbers["fit_seconds"] + numbers["predict_seconds"], 1),
    }
    return {name: round(v, 3) if isinstance(v, float) else v for name, v in row.items()}
