"""What a trained method predicts, and how well: the split asked for, and validation."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.crew import Crew
from llpbench.data.divisions import Divisions
from llpbench.data.splits import take_part
from llpbench.errors import UnscoredError
from llpbench.methods import gate
from llpbench.methods.estimate import Estimate
from llpbench.predictions.files import write_predictions
from llpbench.protocol import ALL, scores_chips
from llpbench.running.pixel_scores import PixelScores
from llpbench.running.task import Task
from llpbench.runs.record import divisions_file, scores_file
from llpbench.scoring import DivisionScores, Scores, evaluate, score_divisions

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, repr=False)
class Evaluation(Brief):
    """Predictions, scores of chips, of divisions and of pixels' probabilities, as far as known.

    ``seconds`` are the wall and processor time of the prediction alone.
    """

    predictions: xr.Dataset
    scores: Scores | None
    divisions: DivisionScores | None
    probabilities: dict[str, float]
    seconds: tuple[float, float]


def clock() -> NDArray[np.float64]:
    """Seconds of the wall's clock, and of the processor over all threads of this process."""
    return np.array([time.perf_counter(), time.process_time()])


def evaluate_split(
    task: Task, split: str, score: str | None, folder: Path, crew: Crew | None = None
) -> Evaluation:
    """Predict each chip of a split once, and write what is predicted and its scores.

    Nothing is scored that was trained on; divisions are not if the method is shown their shares.

    Parameters
    ----------
    score : {"divisions", "chips"}, optional
        As for :func:`llpbench.run_method`.
    crew : Crew, optional
        Who predicts, unless pixels are compared with labels on the way; by default this process.
    """
    chips, scoring = take_part(task.other, split), np.zeros(2)
    has_labels = not chips["chip_proportions"].isnull().all()
    is_scored = task.train_on != ALL and has_labels and scores_chips(split, score)
    pixels = PixelScores(chips) if is_scored and task.method.has_pixels else None

    def score_pixels(pixels: PixelScores, batch: Estimate) -> None:
        start = clock()
        pixels.add(batch)
        scoring[:] += clock() - start

    begun = clock()
    predictions = gate.predict(
        task.method,
        task.other,
        split,
        name=task.name,
        seed=task.seed,
        trained_on=task.trained_on,
        track=task.track,
        on_batch=partial(score_pixels, pixels) if pixels else None,
        crew=None if pixels else crew,
    )
    wall, processor = (clock() - begun - scoring).tolist()
    ending = "zarr" if "segmentation" in predictions else "parquet"
    write_predictions(predictions, folder / f"predictions-{split}.{ending}")
    scores = None
    if is_scored:
        scores = evaluate(predictions, task.other, split)
        (folder / scores_file(split)).write_text(scores.to_json(), encoding="utf-8")
    divisions = _score_divisions(task, chips, predictions)
    if divisions is not None:
        file = folder / divisions_file(split)
        file.write_text(divisions.to_json(), encoding="utf-8")
        file.with_suffix(".csv").write_text(divisions.to_csv(), encoding="utf-8")
    probabilities = pixels.summary() if pixels else {}
    return Evaluation(predictions, scores, divisions, probabilities, (wall, processor))


def validate(
    task: Task, evaluation: Evaluation, crew: Crew | None = None
) -> dict[str, float] | None:
    """The error of the divisions of the val split: what may be chosen by, whatever was predicted.

    ``mae`` is :meth:`Divisions.mae`, of so many known ``divisions`` and ``chips``. None where there
    are none, or the method was trained on them or is shown their shares.
    """
    val = take_part(task.region, "val")
    divisions = Divisions.of(val)
    if _is_shown(task) or not divisions.is_known.any():
        return None
    predictions = evaluation.predictions
    if task.other is not task.region or predictions.attrs["split"] != "val":
        predictions = gate.predict(
            task.method,
            task.region,
            "val",
            name=task.name,
            seed=task.seed,
            trained_on=task.trained_on,
            crew=crew,
        )
    return {
        "mae": divisions.mae(predictions["proportions"].to_numpy()),
        "divisions": int(divisions.is_known.sum()),
        "chips": val.sizes["chip"],
    }


def _score_divisions(
    task: Task, chips: xr.Dataset, predictions: xr.Dataset
) -> DivisionScores | None:
    if _is_shown(task):
        return None
    try:
        return score_divisions(predictions, chips)
    except UnscoredError:
        return None


def _is_shown(task: Task) -> bool:
    """Whether the method has seen the shares of all divisions that it predicts."""
    return task.train_on == ALL or task.track == "disaggregation"
