"""Many runs in one command, and the tables that they make."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from llpbench.brief import Brief
from llpbench.crew import Crew, gather
from llpbench.data.dataset import open_dataset
from llpbench.data.info import mark_synthetic
from llpbench.errors import LLPBenchError
from llpbench.markdown import format_interval, markdown_table, plain_cell
from llpbench.methods.registry import make_method
from llpbench.running.completing import complete_run
from llpbench.running.progress import runs_bar, summarise
from llpbench.running.selection import check_candidate, rank_candidates
from llpbench.running.sweep_plan import Grid, Job
from llpbench.runs.record import UNSCORED, Run
from llpbench.runs.results import result_row
from llpbench.writing import locked, replace_text

log = logging.getLogger(__name__)

RUNS = "runs"
ROWS = "results.csv"
TABLE = "results.md"


@dataclass(frozen=True, repr=False)
class Sweep(Brief):
    """What became of a sweep: complete runs, what could not be run, and why."""

    done: list[tuple[Job, Run]]
    failed: list[tuple[Job, str]]
    interrupted: bool


def run_sweep(
    grids: Sequence[Grid],
    out: Path,
    *,
    select: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> Sweep:
    """Do every run of the grids that is not done yet.

    Both tables are replaced in one step after every run. Called again with the same folder, it
    reads what is done, goes on with what was interrupted and tries again what failed. A run that
    is in several grids is made once.

    Parameters
    ----------
    out : Path
        Receives ``results.csv`` (a row a run), ``results.md`` (a row a setting, seeds together)
        and the run folders below ``runs/``.
    select : bool
        Whether to run every setting on the val split, where divisions alone are scored, and only
        the best of each dataset on the test split, see
        :func:`~llpbench.running.selection.rank_candidates`. Nobody sees test scores of the others.
    workers : int
        Processes that runs are shared out to; with one, they are made in this process.
    scheduler : str, optional
        Address of a dask scheduler whose workers make the runs instead, see
        :func:`llpbench.crew.gather`.

    Raises
    ------
    BusyError
        If another sweep is at work in that folder.
    LLPBenchError
        If a method, setting or dataset does not exist, or a method cannot be selected: before
        anything is run.
    """
    jobs = list({job.title: job for grid in grids for job in grid.jobs()}.values())
    _check(jobs, select)
    (out / RUNS).mkdir(parents=True, exist_ok=True)
    with locked(out, wait=False), gather(workers, scheduler) as crew:
        if not select:
            return _run_all(jobs, Sweep([], [], False), out, crew, progress)
        candidates = [replace(job, split="val") for job in jobs]
        sweep = _run_all(candidates, Sweep([], [], False), out, crew, progress)
        if sweep.interrupted:
            return sweep
        ranking = rank_candidates(sweep.done, [job for job, _reason in sweep.failed])
        tests = [job for best, *_others in ranking.values() for job in best.tests]
        return _run_all(tests, sweep, out, crew, progress)


def _run_all(jobs: Sequence[Job], sweep: Sweep, out: Path, crew: Crew, progress: bool) -> Sweep:
    """Make further runs of a sweep, and the tables anew after each."""
    make = partial(_try, folder=(out / RUNS).absolute(), progress=progress and crew.is_here)
    results = crew.share_out(make, jobs)
    shown = runs_bar(jobs, "runs", shown=progress)
    for job, run in zip(shown, results, strict=True):
        if isinstance(run, str):
            sweep.failed.append((job, run))
            continue
        is_known = run.is_scored if job.split == "test" else run.record.validation is not None
        if not is_known:
            sweep.failed.append((job, UNSCORED))
            continue
        if not crew.is_here:  # other processes print nothing
            log.info("%s", summarise(run.record))
        if run.record.interrupted:
            return replace(sweep, interrupted=True)
        sweep.done.append((job, run))
        rows = pd.DataFrame([run_row(*pair) for pair in sweep.done])
        replace_text(out / ROWS, rows.map(plain_cell).to_csv(index=False))
        replace_text(out / TABLE, sweep_table(sweep.done))
    return sweep


def _try(job: Job, folder: Path, progress: bool) -> Run | str:
    """Make a run, or say why it cannot be made."""
    try:
        return complete_run(
            job.method,
            job.dataset,
            split=job.split,
            seed=job.seed,
            settings=job.settings,
            out=folder / job.title,
            progress=progress,
        )
    except LLPBenchError as error:
        return str(error)


def run_row(job: Job, run: Run) -> dict[str, Any]:
    """A row of ``results.csv``: settings, seed and the numbers of ``result_row``."""
    numbers = result_row([run])
    del numbers["low"], numbers["high"]
    names = {name: numbers.pop(name) for name in ("method", "dataset", "synthetic", "split")}
    return {**names, "settings": json.dumps(job.settings), "seed": job.seed, **numbers}


def sweep_table(done: Sequence[tuple[Job, Run]]) -> str:
    """Write runs as a table in Markdown: a row a setting, with the command that repeats it.

    Scores are means over seeds; intervals are over test divisions and seeds.
    """
    groups: dict[str, list[tuple[Job, Run]]] = {}
    for job, run in done:
        groups.setdefault(job.setting, []).append((job, run))
    rows = [_table_row(group) for group in groups.values()]
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])


def _table_row(group: Sequence[tuple[Job, Run]]) -> dict[str, Any]:
    jobs, runs = zip(*group, strict=True)
    numbers = result_row(runs)
    return {
        "method": numbers["method"],
        "dataset": mark_synthetic(numbers["dataset"], numbers["synthetic"]),
        "split": numbers["split"],
        "val MAE": _fixed(numbers["validation_mae"]),
        "MAE": _fixed(numbers["mae"]),
        "95 %": format_interval(numbers["low"], numbers["high"], decimals=4, to=" to "),
        "MAE hard": numbers["mae_hard"],
        "F1": numbers["f1_micro"],
        "division MAE": _fixed(numbers["division_mae"]),
        "division 95 %": format_interval(
            numbers["division_low"], numbers["division_high"], decimals=4, to=" to "
        ),
        "seeds": len(runs),
        "parameters": numbers["parameters"],
        "training s": round(numbers["fit_seconds"], 1),
        "CPU s": round(numbers["cpu_seconds"], 1),
        "command": f"`{jobs[0].command([job.seed for job in jobs])}`",
    }


def _fixed(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _check(jobs: Sequence[Job], select: bool) -> None:
    """Find out now, not hours later, what cannot be run."""
    for dataset in dict.fromkeys(job.dataset for job in jobs):
        open_dataset(dataset)
    for job in jobs:
        method = make_method(job.method, **job.settings)
        if select:
            check_candidate(job.method, method)
