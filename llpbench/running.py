"""Fit, predict, score: one run and the folder it leaves."""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench import metrics
from llpbench._version import __version__
from llpbench.dataset import open_dataset
from llpbench.errors import LLPBenchError, MethodError
from llpbench.footprint import measure_footprint
from llpbench.method import Method, make_method
from llpbench.plots import widest_category, write_plots
from llpbench.prediction_files import write_predictions
from llpbench.protocol import VERSION, prediction_inputs, scored_labels
from llpbench.scores import Scores
from llpbench.scoring import evaluate

if TYPE_CHECKING:
    import xarray as xr

FORMAT = 1
"""Version of ``run.json``."""


@dataclass(frozen=True)
class RunRecord:
    """What a run was and what it cost; the contents of ``run.json``.

    Parameters
    ----------
    format, protocol : int
    llpbench_version, python_version : str
    method, supervision, track : str
    parameters : dict
        Of the method's constructor, the seed as ``random_state`` among them.
    is_reference : bool
    dataset, dataset_digest, trained_on, split : str
    synthetic : bool
    seed : int
    fit_seconds, predict_seconds : float
        Wall time.
    cpu_seconds : float
        Of both, over all threads.
    footprint : dict
        See :func:`llpbench.footprint.measure_footprint`.
    probabilities : dict
        ``brier`` and ``expected_calibration_error`` of the pixel probabilities; empty where a
        method has none.
    """

    format: int
    protocol: int
    llpbench_version: str
    python_version: str
    method: str
    supervision: str
    track: str
    parameters: dict[str, Any]
    is_reference: bool
    dataset: str
    dataset_digest: str
    trained_on: str
    split: str
    synthetic: bool
    seed: int
    fit_seconds: float
    predict_seconds: float
    cpu_seconds: float
    footprint: dict[str, float | None]
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Parameters
    ----------
    folder : Path
        Where everything was written.
    record : RunRecord
        What was done.
    scores : Scores
        How well.
    """

    folder: Path
    record: RunRecord
    scores: Scores


def run_method(
    name: str,
    dataset: str | os.PathLike[str],
    *,
    split: str = "test",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    out: Path | None = None,
    progress: bool = False,
) -> Run:
    """Train a method on a dataset, predict one split, score it, and keep all of it.

    The method is fitted to the train split and may choose on the val split, both behind the
    label firewall of its supervision; it predicts from what its track may see.

    Parameters
    ----------
    name : str
        Of an installed method.
    dataset : str or path
        What :func:`llpbench.open_dataset` opens.
    split : {"test", "val", "train"}
        What is predicted and scored.
    seed : int
        The method's ``random_state``.
    parameters : mapping, optional
        Further parameters of the method.
    out : Path, optional
        The run folder; must be new or empty. By default one below ``runs/`` in the working
        folder, named after method, dataset and seed.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Run

    Raises
    ------
    LLPBenchError
        If a name is unknown, the folder is taken, or training fails.
    """
    method = make_method(name, random_state=seed, **(parameters or {}))
    ds = open_dataset(dataset).llp.group()
    folder = _new_folder(out, f"{name}-{ds.attrs['name']}-seed{seed}")
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        record, scores = _fit_and_score(method, name, ds, split, seed, beside, progress)
        if folder.exists():
            folder.rmdir()
        beside.replace(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    write_plots(scores, folder / "plots", categories=[widest_category(scores)])
    return Run(folder, record, scores)


def _fit_and_score(
    method: Method,
    name: str,
    ds: xr.Dataset,
    split: str,
    seed: int,
    folder: Path,
    progress: bool,
) -> tuple[RunRecord, Scores]:
    from tqdm import tqdm

    train, val = (ds.llp.split(part).llp.restrict(method.supervision) for part in ("train", "val"))
    part = ds.llp.split(split)
    inputs = prediction_inputs(part, method.track)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        method.fit(train, val, progress=tqdm if progress else None)
    except (TypeError, ValueError) as error:
        raise MethodError(
            f"{name} cannot be trained with {method.get_params()}: {error}"
        ) from error
    fitted = time.perf_counter()
    predictions = method.predict(inputs).assign_attrs(
        dataset=ds.attrs["name"],
        digest=ds.attrs["digest"],
        split=split,
        method=name,
        seed=seed,
        track=method.track,
        trained_on=ds.attrs["name"],
    )
    predicted, cpu = time.perf_counter(), time.process_time() - cpu
    scores = evaluate(predictions, ds, split)
    record = RunRecord(
        format=FORMAT,
        protocol=VERSION,
        llpbench_version=__version__,
        python_version=platform.python_version(),
        method=name,
        supervision=method.supervision,
        track=method.track,
        parameters=method.get_params(),
        is_reference=method.is_reference,
        dataset=ds.attrs["name"],
        dataset_digest=ds.attrs["digest"],
        trained_on=ds.attrs["name"],
        split=split,
        synthetic=ds.attrs["synthetic"] == "true",
        seed=seed,
        fit_seconds=round(fitted - wall, 3),
        predict_seconds=round(predicted - fitted, 3),
        cpu_seconds=round(cpu, 3),
        footprint=measure_footprint(method, train, inputs),
        probabilities=_score_probabilities(method, inputs, part),
    )
    _write(folder, method, predictions, record, scores)
    return record, scores


def _write(
    folder: Path, method: Method, predictions: xr.Dataset, record: RunRecord, scores: Scores
) -> None:
    ending = "zarr" if "segmentation" in predictions else "parquet"
    write_predictions(predictions, folder / f"predictions-{record.split}.{ending}")
    method.save(folder / "weights")
    (folder / "run.json").write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    (folder / f"scores-{record.split}.json").write_text(scores.to_json(), encoding="utf-8")
    if record.split == "test":
        (folder / "scores.json").write_text(scores.to_json(), encoding="utf-8")


def _score_probabilities(method: Method, inputs: xr.Dataset, part: xr.Dataset) -> dict[str, float]:
    """Brier score and calibration error of pixel probabilities, a batch at a time."""
    if type(method).predict_proba is Method.predict_proba:
        return {}
    labels = scored_labels(part)
    brier, tables, start = [], [], 0
    for chips, probabilities in method.predict_proba(inputs):
        truth = labels.isel(chip=slice(start, start + len(chips))).to_numpy()
        brier.append(metrics.brier(truth, probabilities, per="chip"))
        tables.append(metrics.reliability_table(truth, probabilities))
        start += len(chips)
    import numpy as np

    return {
        "brier": float(np.nanmean(np.concatenate(brier))),
        "expected_calibration_error": metrics.calibration_error_of(np.sum(tables, axis=0)),
    }


def _new_folder(out: Path | None, name: str) -> Path:
    if out is None:
        taken = len([p for p in Path("runs").glob(f"{name}*") if p.is_dir()])
        out = Path("runs") / (f"{name}-{taken + 1}" if taken else name)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise LLPBenchError(f"{str(out)!r} is not empty; give --out a new folder")
    return out
