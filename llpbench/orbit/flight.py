"""A simulation in a process of its own, and the folder that it leaves."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from llpbench.orbit.memory import give_back_at_once
from llpbench.orbit.plan import OrbitPlan
from llpbench.orbit.record import PICTURE, OrbitRecord
from llpbench.orbit.simulation import simulate
from llpbench.plots.orbit import draw_orbit
from llpbench.plots.writing import write_figure
from llpbench.running.workers import do_apart
from llpbench.runs.folder import claimed_folder, working_folder


def fly(
    plan: OrbitPlan, *, out: Path | None = None, progress: bool = False
) -> tuple[OrbitRecord, Path]:
    """Simulate training on board, and keep all of it in a folder.

    What is interrupted or fails leaves nothing: it begins anew.

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
        With ``passes.csv``, ``orbit.png``, and weights, predictions and scores as a run has them.

    Raises
    ------
    LLPBenchError
        If names are unknown, the folder is taken, or the memory is not enough.
    """
    name = f"orbit-{plan.task().title}"  # refuses before a process is made
    with (
        claimed_folder(out, name, resume=False) as folder,
        working_folder(folder, resume=False) as part,
    ):
        record = do_apart(partial(_simulate, plan, progress=progress), part.absolute())
        title = f"{record.method} on {record.dataset}, seed {record.seed}"
        write_figure(draw_orbit(record.table(), title), part / PICTURE)
    return record, folder


def _simulate(plan: OrbitPlan, folder: Path, *, progress: bool) -> OrbitRecord:
    give_back_at_once()
    return simulate(plan, folder, progress=progress)
