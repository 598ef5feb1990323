"""Predictions of many chips, written file by file as they are made, and gone on with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from llpbench.brief import Brief
from llpbench.crew import Crew
from llpbench.data.split_images import SplitImages
from llpbench.data.store.digest import combine, describe
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.estimate import collect
from llpbench.methods.method import Method
from llpbench.methods.parts import PART, cut
from llpbench.predictions.files import write_predictions
from llpbench.predictions.parts import missing_parts, part_file
from llpbench.protocol import prediction_inputs
from llpbench.running.progress import runs_bar
from llpbench.writing import locked

FILE = 16 * PART
"""Chips of a file, which is a task of :mod:`llpbench.crew`."""


@dataclass(frozen=True, repr=False)
class PredictedParts(Brief):
    """A folder of predictions: how many files it has, and how many of them are new."""

    folder: Path
    files: int
    new: int


def predict_parts(
    folder: Path,
    method: Method,
    images: SplitImages,
    *,
    name: str,
    seed: int,
    trained_on: str,
    track: str,
    warning: str = "",
    crew: Crew | None = None,
    progress: bool = False,
) -> PredictedParts:
    """Predict a split, or all chips, into a folder of parts: the shares of ``gate.predict``.

    No more than a file of them is in memory, and nothing that grows with chips. A file is there
    when it is whole, so that a second start predicts what the first one has not. Classes of pixels
    are left out.

    Parameters
    ----------
    folder : Path
        New, or of a start before; workers elsewhere must see it.
    images : SplitImages
        What is predicted.
    name, seed, trained_on, track, crew
        See :func:`llpbench.methods.gate.predict`.
    warning : str
        What the predictions say besides of themselves, if anything.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    MethodError
        If the method looks at all chips at once, or the split has none.
    PredictionsError
        If the folder holds predictions of another method, dataset or split.
    BusyError
        If another process predicts into the folder.
    """
    if method.track == "disaggregation":
        raise MethodError(f"{name} looks at all chips at once, so it cannot predict them in parts")
    said = gate.stamp(images.info, images.split, name, seed, trained_on, track)
    said |= {"warning": warning} if warning else {}
    folder = folder.absolute()
    pieces = images.cut(FILE)
    if not pieces:
        raise MethodError(f"the {images.split} split of {images.info.name} has no chips to predict")
    with locked(folder, wait=False):
        plan = {**said, "model": _digest(method), "chips of a file": FILE}
        missing = [(n, pieces[n]) for n in missing_parts(folder, len(pieces), plan)]
        work = partial(_predict_file, method, images, said, folder)
        done = (crew or Crew()).as_finished(work, missing)
        for _file in runs_bar(done, "predicting files", shown=progress, total=len(missing)):
            pass
    return PredictedParts(folder, len(pieces), len(missing))


def _digest(method: Method) -> str:
    """One number that tells whether two fitted methods are the same."""
    parts = {name: describe(array) for name, array in method.get_weights().items()}
    settings = json.dumps(method.settings, sort_keys=True, default=str)
    return combine({**parts, "settings": describe(np.array([settings]))})


def _predict_file(
    method: Method, images: SplitImages, said: dict[str, Any], folder: Path, file: tuple[int, slice]
) -> None:
    number, piece = file
    chips = images.read(piece)
    seen = prediction_inputs(chips, said["track"], inputs=method.inputs)
    parts = cut(chips.sizes["chip"])
    estimates = (replace(gate.predict_part(method, seen, part), classes=None) for part in parts)
    predictions = collect(estimates, chips["chip"].to_numpy(), method.categories_)
    write_predictions(predictions.assign_attrs(said), part_file(folder, number))
