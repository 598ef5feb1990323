"""Runs that are done once: read if they are there, gone on with or begun if they are not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from llpbench.errors import MethodError
from llpbench.running.run import run_method, run_task
from llpbench.running.task import Task
from llpbench.runs.folder import can_resume
from llpbench.runs.record import RECORD, Run, read_run
from llpbench.writing import recover


def complete_run(name: str, dataset: str | os.PathLike[str], *, out: Path, **options: Any) -> Run:
    """Make sure that what ``run_method`` makes is done: read it, go on with it or begin it."""
    return _done(out) or run_method(name, dataset, out=out, resume=can_resume(out), **options)


def complete_task(task: Task, split: str, *, out: Path, **options: Any) -> Run:
    """Make sure that what ``run_task`` makes is done: read it, go on with it or begin it.

    A folder that holds another task's run is refused.
    """
    run = _done(out)
    if run is None:
        return run_task(task, split, out=out, resume=can_resume(out), **options)
    _require_same(task, split, run)
    return run


def _require_same(task: Task, split: str, run: Run) -> None:
    """Refuse a finished run of another task."""
    asked = {
        "method": task.name,
        "settings": json.loads(json.dumps(task.settings)),
        "seed": task.seed,
        "trained_on_digest": task.region.llp.info.digest,
        "fold": task.fold,
        "inputs": task.inputs,
        "split": split,
    }
    for name, value in asked.items():
        found = getattr(run.record, name)
        if found != value:
            found, value = _differing(found, value)
            raise MethodError(
                f"{str(run.folder)!r} holds another run: its {name} was {found!r:.100}, now it is "
                f"{value!r:.100}; give the same, or --out another folder"
            )


def _differing(first: Any, second: Any) -> tuple[Any, Any]:
    """Of two settings, those that are not the same in both; other values as they are."""
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return first, second
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    before, now = ({name: some.get(name) for name in names} for some in (first, second))
    return before, now


def _done(folder: Path) -> Run | None:
    """Read a run that needs no going on with."""
    recover(folder)
    return read_run(folder) if (folder / RECORD).exists() and not can_resume(folder) else None
