"""A simulation in a process of its own, and the folder that it leaves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from llpbench.orbit.memory import give_back_at_once
from llpbench.orbit.plan import OrbitPlan
from llpbench.orbit.record import ALONE, DRIFT_PICTURE, DRIFT_TABLE, PICTURE, OrbitRecord
from llpbench.orbit.simulation import simulate
from llpbench.plots.orbit import draw_drift, draw_orbit
from llpbench.plots.writing import write_figure
from llpbench.running.workers import do_apart
from llpbench.runs.folder import claimed_folder, working_folder


def fly(
    plan: OrbitPlan, *, out: Path | None = None, progress: bool = False
) -> tuple[OrbitRecord, Path]:
    """Simulate training on board, and keep all of it in a folder.

    What is interrupted or fails leaves nothing: it begins anew. Where a further season comes, the
    same method is also trained on that alone, for comparison.

    Parameters
    ----------
    out : Path, optional
        A new folder; by default one below ``runs/`` in the working folder.
    progress : bool
        Whether to show how many passes are done.

    Returns
    -------
    record : OrbitRecord
        Also ``orbit.json`` in the folder.
    folder : Path
        With ``passes.csv``, ``orbit.png``, and weights, predictions and scores as a run has them;
        where a further season came, ``drift.csv``, ``drift.png`` and the folder ``alone`` of that
        season alone.

    Raises
    ------
    LLPBenchError
        If names are unknown, the folder is taken, or the memory is not enough.
    """
    task = plan.task()  # refuses before a process is made
    name = f"orbit-{task.title}"
    with (
        claimed_folder(out, name, resume=False) as folder,
        working_folder(folder, resume=False) as part,
    ):
        alone = None
        if plan.then is not None:
            plan.later(task)  # refuses before anything is trained
            (part / ALONE).mkdir()
            season = replace(plan, dataset=plan.then, then=None)
            alone = _fly_one(season, part / ALONE, None, progress=progress)
        record = _fly_one(plan, part, alone, progress=progress)
        if record.then is not None:
            table = record.drift_table()
            table.to_csv(part / DRIFT_TABLE, index=False)
            seasons = f"{record.dataset}, then {record.then.dataset}"
            title = f"{record.method} on {seasons}, seed {record.seed}"
            write_figure(draw_drift(table, title), part / DRIFT_PICTURE)
    return record, folder


def _fly_one(
    plan: OrbitPlan, folder: Path, alone: OrbitRecord | None, *, progress: bool
) -> OrbitRecord:
    work = partial(_simulate, plan, alone=alone, progress=progress)
    record = do_apart(work, folder.absolute())
    title = f"{record.method} on {record.dataset}, seed {record.seed}"
    write_figure(draw_orbit(record.table(), title), folder / PICTURE)
    return record


def _simulate(
    plan: OrbitPlan, folder: Path, *, alone: OrbitRecord | None, progress: bool
) -> OrbitRecord:
    give_back_at_once()
    return simulate(plan, folder, alone=alone, progress=progress)
