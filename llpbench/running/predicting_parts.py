"""Predictions of many chips, written file by file as they are made, and gone on with."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench.crew import Crew
from llpbench.data.splits import take_part
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.estimate import collect
from llpbench.methods.method import Method
from llpbench.methods.parts import PART, cut
from llpbench.predictions.files import write_predictions
from llpbench.predictions.parts import missing_parts, part_file
from llpbench.protocol import prediction_inputs

if TYPE_CHECKING:
    import xarray as xr

FILE = 16 * PART
"""Chips of a file, which is a task of :mod:`llpbench.crew`."""


def predict_parts(
    folder: Path,
    method: Method,
    ds: xr.Dataset,
    split: str,
    *,
    name: str,
    seed: int,
    trained_on: str,
    track: str,
    crew: Crew | None = None,
) -> None:
    """Predict a split, or all chips, into a folder of parts: the shares of ``gate.predict``.

    No more of them than a file's are in memory. A file is there when it is whole, so that a second
    start predicts what the first one has not. Classes of pixels are left out.

    Parameters
    ----------
    folder : Path
        New, or of a start before; workers elsewhere must see it.
    ds : Dataset
        Grouped, all splits.
    split, name, seed, trained_on, track, crew
        See :func:`llpbench.methods.gate.predict`.

    Raises
    ------
    MethodError
        If the method looks at all chips at once.
    PredictionsError
        If the folder holds predictions of another method, dataset or split.
    """
    if method.track == "disaggregation":
        raise MethodError(f"{name} looks at all chips at once, so it cannot predict them in parts")
    chips = take_part(ds, split)
    said = gate.stamp(ds, split, name, seed, trained_on, track)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = missing_parts(folder, -(-chips.sizes["chip"] // FILE), said)
    seen = prediction_inputs(chips, track, inputs=method.inputs)
    ids = chips["chip"].to_numpy()
    work = partial(_predict_file, method, seen, ids, said, folder)
    for _done in (crew or Crew()).as_finished(work, numbers):
        pass


def _predict_file(
    method: Method, seen: xr.Dataset, ids: Any, said: dict[str, Any], folder: Path, number: int
) -> None:
    start, stop = number * FILE, min((number + 1) * FILE, len(ids))
    parts = cut(stop, start)
    estimates = (replace(gate.predict_part(method, seen, part), classes=None) for part in parts)
    predictions = collect(estimates, ids[start:stop], method.categories_)
    write_predictions(predictions.assign_attrs(said), part_file(folder, number))
