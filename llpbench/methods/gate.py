"""The gate between data and methods: the only calls of what a method or post-processor defines.

Whoever trains a method or predicts with it (runs, sweeps, coarseness, predicted rasters, figures,
footprints, pipelines) does it here, so that nothing but what :mod:`llpbench.protocol` lists for
its supervision and track reaches it. The gate keeps honest code honest: a method runs in this
process and could open any file that its user can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench.crew import Crew
from llpbench.data.batches.images import load_images
from llpbench.data.splits import take_part
from llpbench.errors import LLPBenchError, MethodError
from llpbench.methods.estimate import Estimate, collect
from llpbench.methods.parts import cut
from llpbench.methods.postprocessing import PostProcessor, Transform
from llpbench.protocol import prediction_inputs, training_inputs

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from llpbench.data.info import DatasetInfo
    from llpbench.exported.card import Card
    from llpbench.methods.division_statistics import DivisionStatistics
    from llpbench.methods.journal import Journal
    from llpbench.methods.method import Method, Progress
    from llpbench.methods.one_pass import OnePassMethod


def fit(
    method: Method,
    train: xr.Dataset,
    val: xr.Dataset,
    *,
    progress: Progress | None = None,
    journal: Journal | None = None,
    crew: Crew | None = None,
) -> None:
    """Train a method on one grouped split, and let it choose on another.

    Both are shown as far as its supervision goes, with the inputs that it names, and where chips
    lie only to a pipeline that ends with intervals; the journal is for methods that are trained in
    epochs, the crew for those that need each chip once.
    """
    further: dict[str, Any] = {"journal": journal} if method.is_iterative else {}
    further |= {"crew": crew} if method.is_one_pass else {}
    train, val = (
        training_inputs(
            split, method.supervision, places=method.learns_intervals, inputs=method.inputs
        )
        for split in (train, val)
    )
    with _saying(f"{type(method).__name__} cannot be trained with {method.settings}"):
        method.fit(train, val, progress=progress, **further)


def training_bytes(method: Method, train: xr.Dataset, chip: int) -> int:
    """Bytes that each chip takes while a method is trained, those of its stored pixels given."""
    seen = training_inputs(train, method.supervision, inputs=method.inputs)
    return method.training_bytes(seen, chip)


def learn_features(method: OnePassMethod, train: xr.Dataset) -> None:
    """Let a method learn what describes chips, from some that are trained on."""
    with _saying(f"{type(method).__name__} cannot describe chips with {method.settings}"):
        method.learn_features(training_inputs(train, method.supervision))


def describe(method: OnePassMethod, ds: xr.Dataset) -> NDArray[np.float64]:
    """Describe chips by what a method has learned; only their images are shown."""
    return method.describe(prediction_inputs(ds, method.track))


def fit_statistics(method: OnePassMethod, seen: DivisionStatistics, train: xr.Dataset) -> None:
    """Fit a method to sums over the divisions of ``train``."""
    with _saying(f"{type(method).__name__} cannot be trained with {method.settings}"):
        method.fit_statistics(seen, training_inputs(train, method.supervision))


def predict_batches(
    method: Method, ds: xr.Dataset, *, track: str | None = None
) -> Iterator[Estimate]:
    """Predict grouped chips in one pass, batch by batch, from what a track shows.

    The track is by default the method's own.
    """
    seen = prediction_inputs(ds, track or method.track, inputs=method.inputs)
    return method.predict_batches(seen)


def predict(
    method: Method,
    ds: xr.Dataset,
    split: str,
    *,
    name: str,
    seed: int,
    trained_on: str,
    track: str | None = None,
    on_batch: Callable[[Estimate], None] | None = None,
    crew: Crew | None = None,
) -> xr.Dataset:
    """Predict a split, or all chips, and say in the attributes of what, by what and from what.

    A method that sees images alone predicts :data:`~llpbench.methods.parts.PART` chips at a time,
    whoever does it.

    Parameters
    ----------
    ds : Dataset
        Grouped, all splits.
    split : {"test", "val", "train", "all"}
    name, seed, trained_on
        Of the method: by which it was made, with which, and the name of the dataset.
    track : {"inductive", "disaggregation", "cross-region"}, optional
        Of the predictions; by default the method's own.
    on_batch : callable, optional
        Receives every batch with its class probabilities of pixels, as it is predicted. It has to
        be picklable where others do the work.
    crew : Crew, optional
        Who does the work; by default this process.
    """
    track = track or method.track
    chips = take_part(ds, split)
    seen = prediction_inputs(chips, track, inputs=method.inputs)
    count = max(1, chips.sizes["chip"])
    parts = [slice(count)] if method.track == "disaggregation" else cut(count)
    work = partial(predict_part, method, seen, on_batch=on_batch)
    with _saying(f"{name} cannot predict {ds.llp.info.name!r}"):
        estimates = (crew or Crew()).share_out(work, parts)
        predictions = collect(estimates, chips["chip"].to_numpy(), method.categories_)
    return predictions.assign_attrs(stamp(ds.llp.info, split, name, seed, trained_on, track))


def stamp(
    info: DatasetInfo, split: str, name: str, seed: int, trained_on: str, track: str
) -> dict[str, Any]:
    """What predictions of a dataset say of themselves; else as for :func:`predict`."""
    return {
        "dataset": info.name,
        "digest": info.digest,
        "split": split,
        "method": name,
        "seed": seed,
        "track": track,
        "trained_on": trained_on,
    }


def predict_part(
    method: Method,
    seen: xr.Dataset,
    part: slice,
    *,
    on_batch: Callable[[Estimate], None] | None = None,
) -> Estimate:
    """Predict some of the chips that a method is shown, without probabilities of their pixels."""
    import llpbench.data.accessor  # noqa: F401  (a worker that is sent a dataset has opened none)

    batches = []
    for batch in method.predict_batches(seen.isel(chip=part)):
        if on_batch is not None:
            on_batch(batch)
        batches.append(batch.without_probabilities())
    return Estimate.join(batches)


def chip_predictor(method: Method, ds: xr.Dataset) -> Callable[[int], Estimate]:
    """What predicts single chips of ``ds`` by their position, for measuring how long one takes."""
    return method.chip_predictor(prediction_inputs(ds, method.track, inputs=method.inputs).load())


def export(method: Method, path: Path, card: Card, train: xr.Dataset | None) -> None:
    """Write a fitted method as a file; of the training chips given, only images are shown."""
    images = None if train is None else load_images(train, card.array)
    with _saying(f"{type(method).__name__} cannot be exported"):
        method.export(path, card, images)


def fit_post(processor: PostProcessor, train: Estimate, val: Estimate, ds: xr.Dataset) -> None:
    """Let a post-processor choose by what is known of the divisions of ``ds``.

    The estimates are of some training chips, and of all chips of ``ds``: the val split or, for one
    that makes intervals, training chips as predicted by methods that did not see their divisions.
    """
    places = processor.makes_intervals
    processor.fit(train, val, training_inputs(ds, "division", places=places))


def prepare_post(processor: PostProcessor, estimate: Estimate, ds: xr.Dataset) -> Transform:
    """Let a post-processor look at all chips, with few pixels, before it changes any.

    Only one that makes intervals is shown those that there are.
    """
    seen = prediction_inputs(ds, processor.track)
    if processor.makes_intervals:
        return processor.prepare(estimate, seen)
    transform = processor.prepare(estimate.without_intervals(), seen)
    return lambda batch, rows: transform(batch.without_intervals(), rows)


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Name what a method was to do where it stops at settings, weights or chips."""
    try:
        yield
    except LLPBenchError:
        raise
    except (TypeError, ValueError, IndexError) as error:
        raise MethodError(f"{what}: {error}") from error
