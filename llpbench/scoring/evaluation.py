"""Predictions and a dataset make scores."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from llpbench.crew import Crew, gather
from llpbench.errors import DisorderError, PredictionsError, UnscoredError
from llpbench.predictions.files import read_predictions
from llpbench.predictions.seed import Seed, WholeSeed
from llpbench.predictions.streaming import MOST_SORTED, StreamedSeed, can_be_streamed
from llpbench.predictions.table import check_predictions
from llpbench.scoring.scores import Scores
from llpbench.scoring.split_sums import Summed, add_up
from llpbench.scoring.split_truth import MOST_OPENED, Dataset, SplitTruth

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)

Predictions: TypeAlias = "str | os.PathLike[str] | xr.Dataset"


def evaluate(
    predictions: Predictions | Sequence[Predictions],
    dataset: Dataset,
    split: str = "test",
    *,
    renormalise: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
) -> Scores:
    """Score predictions on a split of a dataset.

    Parameters
    ----------
    predictions : Dataset, path, or a sequence of them
        A csv, parquet or zarr, a folder of parts, or what they hold; several are seeds of one
        method.
    dataset : Dataset, str or path
        What :func:`llpbench.open_dataset` opens, or has opened, or a truth table
        (:func:`llpbench.board.truth.read_truth`), on which no segmentation can be scored. The
        skill over the train mean needs the train split to be there. A dataset of more chips than
        :data:`~llpbench.scoring.split_truth.MOST_OPENED` is read in blocks; so are predictions
        then, if they are parquet, a folder of such files or a zarr, and sums over divisions are
        all that is kept.
    split : {"test", "val", "train"}
        The split the predictions are about.
    renormalise : bool
        Whether shares that do not sum to 1 are divided by their sum instead of refused.
    workers : int
        Processes that blocks are shared out to, where there are any: labels are read there.
    scheduler : str, optional
        Address of a dask scheduler whose workers are used instead, see
        :func:`llpbench.crew.gather`.

    Raises
    ------
    PredictionsError
        If the predictions do not fit the split.
    UnscoredError
        If the dataset has no labels in that split.
    """
    truth = SplitTruth.of(dataset, split)
    with gather_for(truth, workers, scheduler) as crew:
        return make_scores(truth, sum_up(predictions, truth, renormalise=renormalise, crew=crew))


def read_checked(
    predictions: Predictions, part: xr.Dataset, *, renormalise: bool = False
) -> xr.Dataset:
    """Read predictions of a part of a dataset, unless they are open, and check them against it."""
    if isinstance(predictions, str | os.PathLike):
        predictions = read_predictions(predictions, part)
    return check_predictions(predictions, part, renormalise=renormalise)


def score_checked(
    seeds: Sequence[xr.Dataset], digests: list[str], grouped: xr.Dataset, split: str = "test"
) -> Scores:
    """Score predictions that were checked and digested before, one for each seed.

    ``digests`` are those of :func:`~llpbench.predictions.digesting.digest_predictions`, in the same
    order.
    """
    truth = SplitTruth.of_opened(grouped, split)
    whole = [WholeSeed(seed, digest) for seed, digest in zip(seeds, digests, strict=True)]
    return make_scores(truth, add_up(truth, whole))


@contextmanager
def gather_for(truth: SplitTruth, workers: int, scheduler: str | None) -> Iterator[Crew]:
    """Gather those who add up blocks of a split; one that is in memory is added up here."""
    if truth.opened is not None and (workers > 1 or scheduler is not None):
        log.warning(
            "%s has at most %d chips, which are scored in one process",
            truth.info.name,
            MOST_OPENED,
        )
        workers, scheduler = 1, None
    with gather(workers, scheduler) as crew:
        yield crew


def sum_up(
    predictions: Predictions | Sequence[Predictions],
    truth: SplitTruth,
    *,
    renormalise: bool = False,
    with_chips: bool = True,
    crew: Crew | None = None,
) -> Summed:
    """Read, check and add up what each seed predicts, by labels too if ``with_chips``.

    Where the truth comes in blocks, so do predictions in files that hold the chips in its order;
    others are put in order in memory, up to ``MOST_SORTED`` chips. A crew adds the blocks up.
    """
    if isinstance(predictions, str | os.PathLike) or not isinstance(predictions, Sequence):
        predictions = [predictions]
    if not predictions:
        raise PredictionsError("there is nothing to score: give at least one set of predictions")

    def whole(seed: Predictions) -> Seed:
        return WholeSeed(read_checked(seed, truth.listing, renormalise=renormalise))

    def in_blocks(seed: Predictions) -> Seed:
        if truth.opened is None and isinstance(seed, str | os.PathLike) and can_be_streamed(seed):
            return StreamedSeed(Path(seed), truth.categories, truth.chips, renormalise=renormalise)
        return whole(seed)

    try:
        return add_up(truth, [*map(in_blocks, predictions)], with_chips=with_chips, crew=crew)
    except DisorderError:
        if truth.chips > MOST_SORTED:
            raise
        return add_up(truth, [*map(whole, predictions)], with_chips=with_chips, crew=crew)


def make_scores(truth: SplitTruth, summed: Summed) -> Scores:
    """Scores of chips from what was added up; UnscoredError where none has a label."""
    first = summed.sums[0]
    if not first.chips:
        raise UnscoredError("no chip of this split has a label, so no chip can be scored on it")
    tallies = [one.tallies for one in summed.sums]
    whole, last = truth.opened is not None, first.predictions
    return Scores(
        dataset=truth.info.name,
        split=truth.split,
        synthetic=truth.info.synthetic,
        digests=summed.digests,
        attributes=summed.attributes,
        categories=truth.categories,
        divisions=first.divisions,
        tallies={name: np.stack([each[name] for each in tallies]) for name in tallies[0]},
        chips=first.chips,
        unscored_chips=truth.chips - first.chips,
        seeds=[one.scored for one in summed.sums if one.scored and whole],
        opened=truth.opened if truth.opened is not None and "label" in truth.opened else None,
        segmentation=last.get("segmentation") if whole and last is not None else None,
    )
