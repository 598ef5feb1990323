"""Predictions made into a map: those of a file, those that a run left, or all that it can make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench.crew import Crew, gather
from llpbench.data.cache import cache_folder, stored_names
from llpbench.data.dataset import open_dataset
from llpbench.data.split_images import SplitImages
from llpbench.data.splits import take_part
from llpbench.errors import BuildError, PredictionsError, examples
from llpbench.maps import MapFiles, write_map
from llpbench.maps.tiles import MOST_IN_FILE
from llpbench.methods import gate
from llpbench.predictions.files import read_predictions
from llpbench.running.fold_errors import add_fold_intervals
from llpbench.running.predicting_parts import predict_parts
from llpbench.runs.record import RECORD, RunRecord, read_run
from llpbench.runs.trained import load_trained

if TYPE_CHECKING:
    import xarray as xr


def map_predictions(
    source: Path,
    path: Path,
    *,
    dataset: str | None = None,
    split: str | None = None,
    crossvalidation: Path | None = None,
    workers: int = 1,
    scheduler: str | None = None,
) -> MapFiles:
    """Write a map of predictions.

    Parameters
    ----------
    source : Path
        A file of predictions, or the folder of a run.
    path : Path
        The GeoTIFF of shares, see :func:`llpbench.maps.write_map`.
    dataset : str, optional
        Name or path of what was predicted; a run knows its own.
    split : {"train", "val", "test", "all"}, optional
        What is drawn; by default all that a file holds, or what a run predicted. What a run has not
        predicted yet, its method predicts now.
    crossvalidation : Path, optional
        Folder of a cross-validation of the method, from which intervals are added.
    workers : int
        Processes that chips are shared out to.
    scheduler : str, optional
        Address of a dask scheduler whose workers are used instead, see
        :func:`llpbench.crew.gather`.
    """
    parts = path.with_name(f"{path.stem}-predictions")
    with gather(workers, scheduler) as crew:
        predictions, ds = find_predictions(source, dataset, split, crew, parts)
    if crossvalidation is not None:
        predictions = add_fold_intervals(crossvalidation, predictions, ds)
    return write_map(predictions, ds, path)


def find_predictions(
    source: Path,
    dataset: str | None = None,
    split: str | None = None,
    crew: Crew | None = None,
    parts: Path | None = None,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Find predictions, or make those that a run has not made yet; and what was predicted.

    Parameters
    ----------
    source, dataset, split
        See :func:`map_predictions`.
    crew : Crew, optional
        Who predicts what a run has not predicted yet; by default this process.
    parts : Path, optional
        The folder in which a run's predictions of more than ``MOST_IN_FILE`` chips are made, to go
        on there at a second start.

    Returns
    -------
    predictions, ds : Dataset
        Not checked against each other, but that a split is predicted whole.
    """
    if (source / RECORD).is_file():
        predictions, ds = _of_run(source, dataset, split, crew, parts)
    elif dataset is None:
        raise BuildError(
            f"{str(source)!r} is no folder of a run, so say with --dataset what was predicted"
        )
    else:
        ds = open_dataset(dataset)
        predictions = read_predictions(source, ds)
    return (predictions if split is None else _part(predictions, ds, split)), ds


def _of_run(
    folder: Path, dataset: str | None, split: str | None, crew: Crew | None, parts: Path | None
) -> tuple[xr.Dataset, xr.Dataset]:
    run = read_run(folder)
    record = run.record
    split = split or record.split
    ds = open_dataset(_known(record.dataset) if dataset is None else dataset)
    if run.has_predictions_of(split):
        return read_predictions(run.predictions_of(split), ds), ds
    return _predict(folder, record, ds, split, crew, parts), ds


def _known(name: str) -> Path:
    """Where a dataset is in the cache: what a stranger's record holds is not used as a path."""
    if name not in stored_names():
        raise BuildError(
            f"the run predicted {name!r}, which is not among the datasets here; say where it is "
            "with --dataset"
        )
    return cache_folder() / name


def _predict(
    folder: Path,
    record: RunRecord,
    ds: xr.Dataset,
    split: str,
    crew: Crew | None,
    parts: Path | None,
) -> xr.Dataset:
    if ds.llp.info.digest != record.dataset_digest:
        raise BuildError(
            f"{ds.llp.info.name!r} is not what it was when the run in {str(folder)!r} predicted "
            "it; train again, or use the dataset as a new image with `llpbench predict`"
        )
    method = load_trained(folder, record)
    facts: dict[str, Any] = {
        "name": record.method,
        "seed": record.seed,
        "trained_on": record.trained_on,
        "track": record.track,
        "crew": crew,
    }
    is_large = take_part(ds, split).sizes["chip"] > MOST_IN_FILE
    if parts is None or not is_large or method.track == "disaggregation":
        return gate.predict(method, ds.llp.group(), split, **facts)
    predict_parts(parts, method, SplitImages(ds.llp.info.store, split), **facts)
    return read_predictions(parts, ds)


def _part(predictions: xr.Dataset, ds: xr.Dataset, split: str) -> xr.Dataset:
    """The chips of a split, which must all be predicted."""
    chips = take_part(ds, split).indexes["chip"]
    if "chip" not in predictions.coords:
        raise PredictionsError("predictions must name each chip: coordinate 'chip' is missing")
    missing = chips[~chips.isin(predictions.indexes["chip"])]
    if len(missing):
        raise PredictionsError(
            f"{len(missing)} of the {len(chips)} chips to draw are not predicted, such as "
            f"{examples(missing)}; give a file of all of them, or the folder of the run, which "
            "predicts the others"
        )
    return predictions.isel(chip=predictions.indexes["chip"].isin(chips))
