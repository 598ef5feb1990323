"""Many runs in one command, and the tables that they make."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from llpbench.data.dataset import open_dataset
from llpbench.data.info import mark_synthetic
from llpbench.errors import LLPBenchError
from llpbench.markdown import markdown_table
from llpbench.methods.registry import make_method
from llpbench.running.run import complete_run
from llpbench.running.sweep_plan import Grid, Job
from llpbench.runs.record import Run
from llpbench.runs.results import pool_seeds
from llpbench.writing import replace_text

RUNS = "runs"
ROWS = "results.csv"
TABLE = "results.md"

_METRICS = ("mae", "mae_hard", "f1_micro", "skill")


@dataclass(frozen=True)
class Sweep:
    """What became of a sweep.

    Parameters
    ----------
    done : list of (Job, Run)
        Complete runs.
    failed : list of (Job, str)
        What could not be run, and why.
    interrupted : bool
        Whether somebody stopped it before its end.
    """

    done: list[tuple[Job, Run]]
    failed: list[tuple[Job, str]]
    interrupted: bool


def run_sweep(
    grids: Sequence[Grid], out: Path, *, workers: int = 1, progress: bool = False
) -> Sweep:
    """Do every run of some grids that is not done yet.

    Both tables are replaced in one step after every run. Called again with the same folder, it
    reads what is done, goes on with what was interrupted and tries again what failed.

    Parameters
    ----------
    grids : sequence of Grid
    out : Path
        Receives ``results.csv`` (a row a run), ``results.md`` (a row a setting, seeds together)
        and the run folders below ``runs/``.
    workers : int
        Processes that runs are shared out to; with one, they are made in this process.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Sweep

    Raises
    ------
    LLPBenchError
        If a method, parameter or dataset does not exist: before anything is run.
    """
    jobs = list({job.title: job for grid in grids for job in grid.jobs()}.values())
    _check(jobs)
    (out / RUNS).mkdir(parents=True, exist_ok=True)
    sweep = Sweep([], [], False)
    parallel = Parallel(n_jobs=workers, batch_size=1, return_as="generator")
    found = parallel(
        delayed(_try)(job, out / RUNS / job.title, progress and workers == 1) for job in jobs
    )
    for job, run in zip(_shown(jobs, progress), found, strict=True):
        if isinstance(run, str):
            sweep.failed.append((job, run))
            continue
        if run.scores is None:
            sweep.failed.append((job, "no chip has a label, so nothing could be scored"))
            continue
        if run.record.interrupted:
            return replace(sweep, interrupted=True)
        sweep.done.append((job, run))
        replace_text(out / ROWS, _csv([run_row(*one) for one in sweep.done]))
        replace_text(out / TABLE, results_table(sweep.done))
    return sweep


def _try(job: Job, out: Path, progress: bool) -> Run | str:
    """Make a run, or say why it cannot be made."""
    try:
        return complete_run(
            job.method,
            job.dataset,
            seed=job.seed,
            settings=job.parameters,
            out=out,
            progress=progress,
        )
    except LLPBenchError as error:
        return str(error)


def run_row(job: Job, run: Run) -> dict[str, Any]:
    """A run as a row of numbers.

    Parameters
    ----------
    job : Job
    run : Run

    Returns
    -------
    dict
    """
    record, scores = run.record, run.scores
    return {
        "method": job.method,
        "dataset": record.dataset,
        "synthetic": record.synthetic,
        "split": record.split,
        "settings": json.dumps(job.parameters),
        "seed": job.seed,
        **{
            name: scores.value(name) if scores is not None and name in scores.metrics else None
            for name in _METRICS
        },
        "parameters": record.footprint["parameters"],
        "multiply_adds": record.footprint["multiply_adds"],
        "fit_seconds": record.fit_seconds,
        "predict_seconds": record.predict_seconds,
        "cpu_seconds": record.cpu_seconds,
    }


def results_table(done: Sequence[tuple[Job, Run]]) -> str:
    """Runs as a table in Markdown: a row a setting, with the command that repeats it.

    Parameters
    ----------
    done : sequence of (Job, Run)

    Returns
    -------
    str
        Scores are means over seeds; the interval of the MAE is by resampling test divisions, and
        seeds inside.
    """
    groups: dict[str, list[tuple[Job, Run]]] = {}
    for job, run in done:
        groups.setdefault(replace(job, seed=0).title, []).append((job, run))
    headings = (
        *("method", "dataset", "MAE", "95 %", "MAE hard", "F1", "seeds", "parameters"),
        *("training s", "CPU s", "command"),
    )
    return markdown_table(headings, map(_table_row, groups.values()))


def _table_row(group: Sequence[tuple[Job, Run]]) -> list[str]:
    jobs, runs = zip(*group, strict=True)
    record, scores = runs[0].record, pool_seeds([run.scores for run in runs])
    interval = scores.interval("mae")

    def score(name: str) -> str:
        return f"{scores.value(name):.4f}" if name in scores.metrics else ""

    def mean(cost: str) -> str:
        return f"{np.mean([getattr(run.record, cost) for run in runs]):.1f}"

    return [
        jobs[0].method,
        mark_synthetic(record.dataset, record.synthetic),
        score("mae"),
        f"{interval.low:.4f} to {interval.high:.4f}",
        *(score("mae_hard"), score("f1_micro"), str(len(runs))),
        *(str(record.footprint["parameters"]), mean("fit_seconds"), mean("cpu_seconds")),
        f"`{jobs[0].command([job.seed for job in jobs])}`",
    ]


def _check(jobs: Sequence[Job]) -> None:
    """Find out now, not hours later, what cannot be run."""
    for dataset in dict.fromkeys(job.dataset for job in jobs):
        open_dataset(dataset)
    for job in jobs:
        make_method(job.method, **job.parameters)


def _shown(jobs: Sequence[Job], progress: bool) -> Any:
    from tqdm import tqdm

    return tqdm(jobs, desc="sweep", unit="run") if progress else jobs


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
