"""Predict and score with an exported file: a run without what trained it."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench._version import __version__
from llpbench.data.dataset import open_grouped
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.splits import take_part
from llpbench.environment import package_versions
from llpbench.exported.process import FileProcess
from llpbench.exported.reading import read_exported
from llpbench.methods.footprint import label_bytes
from llpbench.protocol import ALL, VERSION, scores_chips
from llpbench.running.evaluating import Evaluation, evaluate_split, validate
from llpbench.running.exported_method import ExportedMethod
from llpbench.running.exported_task import ExportedTask
from llpbench.running.hardware import describe_hardware
from llpbench.running.progress import chips_bar
from llpbench.runs.folder import claimed_folder, working_folder
from llpbench.runs.record import FORMAT, RECORD, Run, RunRecord

if TYPE_CHECKING:
    import xarray as xr


def run_exported(
    path: str | os.PathLike[str],
    dataset: str | os.PathLike[str] | xr.Dataset,
    *,
    split: str | None = None,
    score: str | None = None,
    out: Path | None = None,
    progress: bool = False,
) -> Run:
    """Predict one split of a dataset with an exported file, score it, and measure the file.

    The file is run by its own runtime (LiteRT, ONNX Runtime or, for a SavedModel, TensorFlow) in a
    process of its own, one chip at a time in one thread. What is scored is what ``llpbench run``
    scores.

    Parameters
    ----------
    path : str or path
        That :func:`llpbench.export_run` or anyone wrote, with a
        :class:`~llpbench.exported.card.Card`.
    dataset : str, path or Dataset
        What :func:`llpbench.open_dataset` opens, or opened: the one that it was trained on, or
        another with the same classes and bands, which is the cross-region track.
    split : {"test", "val", "train"}, optional
        By default test, or all chips if the file was trained on all of them.
    score, out, progress
        As for :func:`llpbench.run_method`.

    Returns
    -------
    Run
        Its record has an :class:`~llpbench.exported.footprint.ExportFootprint`.

    Raises
    ------
    LLPBenchError
        If the file is none, damaged, or does not fit the dataset; its runtime is not installed or
        fails; what it gives are no shares; the folder is taken.

    Examples
    --------
    >>> run_exported("llpnet-int8.tflite", "demo-esaworldcover").scores  # doctest: +SKIP
    """
    file, ds = read_exported(Path(path)), open_grouped(dataset)
    train_on = file.card.train_on if file.card.digest == ds.llp.info.digest else "train"
    split = split or (ALL if train_on == ALL else "test")
    method = ExportedMethod(file.card)
    task = ExportedTask(file.card.method, method, ds, ds, file.card.seed, train_on, card=file.card)
    task.check(split)
    scores_chips(split, score)  # refuses what is no way to score
    total = sum(take_part(ds, name).sizes["chip"] for name in {split, *_validated(task)})
    with (
        claimed_folder(out, task.title, resume=False) as folder,
        working_folder(folder, resume=False) as part,
        chips_bar(task.name, total, shown=progress) as bar,
        FileProcess(file) as process,
    ):
        method.begin(process, bar.update)
        record, evaluation = _run(task, split, score, part, process)
    return Run(folder, record, evaluation.scores, evaluation.divisions)


def _validated(task: ExportedTask) -> list[str]:
    """The split that the method chose by, where it is here."""
    return ["val"] if task.is_home and task.train_on != ALL else []


def _run(
    task: ExportedTask,
    split: str,
    score: str | None,
    folder: Path,
    process: FileProcess,
) -> tuple[RunRecord, Evaluation]:
    card, info = task.card, task.other.llp.info
    evaluation = evaluate_split(task, split, score, folder)
    wall, processor = evaluation.seconds
    computed = process.seconds
    labels = {}
    if task.is_home:
        labels = label_bytes(take_part(task.other, task.train_on), card.supervision)
    record = RunRecord(
        format=FORMAT,
        protocol=VERSION,
        llpbench_version=__version__,
        python_version=platform.python_version(),
        versions=package_versions(),
        method=task.name,
        supervision=card.supervision,
        track=task.track,
        settings=task.settings,
        is_reference=card.is_reference,
        dataset=info.name,
        dataset_digest=info.digest,
        trained_on=card.trained_on,
        trained_on_digest=card.digest,
        split=split,
        synthetic=card.synthetic or info.synthetic,
        seed=task.seed,
        interrupted=False,
        fit_seconds=0.0,
        predict_seconds=round(wall, 3),
        cpu_seconds=round(processor + computed, 3),
        footprint={
            "parameters": card.parameters,
            "multiply_adds": card.multiply_adds,
            **labels,
        },
        probabilities=evaluation.probabilities,
        train_on=task.train_on,
        recipe=card.recipe,
        validation=validate(task, evaluation) if _validated(task) else None,
        images=None if info.images == RGB_ONLY else dict(info.images),
        export=process.footprint(),
        hardware=describe_hardware(),
    )
    (folder / RECORD).write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    return record, evaluation
