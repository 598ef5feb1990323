"""Predictions and a dataset make scores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.data.dataset import open_dataset
from llpbench.data.labels import scored_labels
from llpbench.data.store.digest import combine, describe
from llpbench.errors import LLPBenchError, PredictionsError, UnscoredError
from llpbench.metrics.arrays import FloatArray
from llpbench.metrics.diagnostics import gap_terms
from llpbench.predictions.files import read_predictions
from llpbench.predictions.intervals import levels_of
from llpbench.predictions.table import check_predictions
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.scoring.scores import Scores
from llpbench.scoring.tallies import tally

if TYPE_CHECKING:
    import xarray as xr

Predictions: TypeAlias = "str | os.PathLike[str] | xr.Dataset"


def evaluate(
    predictions: Predictions | Sequence[Predictions],
    dataset: str | os.PathLike[str] | xr.Dataset,
    split: str = "test",
    *,
    renormalise: bool = False,
) -> Scores:
    """Score predictions on a split of a dataset.

    Parameters
    ----------
    predictions : Dataset, path, or a sequence of them
        A csv, parquet or zarr, or what it holds; several are seeds of one method.
    dataset : Dataset, str or path
        What :func:`llpbench.open_dataset` opens, or has opened, or a truth table
        (:func:`llpbench.board.truth.read_truth`), on which no segmentation can be scored. The
        skill over the train mean needs the train split to be there.
    split : {"test", "val", "train"}
        The split the predictions are about.
    renormalise : bool
        Whether shares that do not sum to 1 are divided by their sum instead of refused.

    Raises
    ------
    PredictionsError
        If the predictions do not fit the split.
    UnscoredError
        If the dataset has no labels in that split.
    """
    seeds, grouped = read_seeds(predictions, dataset, split, renormalise=renormalise)
    return score_checked(seeds, list(map(digest_predictions, seeds)), grouped, split)


def read_seeds(
    predictions: Predictions | Sequence[Predictions],
    dataset: str | os.PathLike[str] | xr.Dataset,
    split: str,
    *,
    renormalise: bool = False,
) -> tuple[list[xr.Dataset], xr.Dataset]:
    """Read and check what :func:`evaluate` takes: predictions of each seed, the grouped dataset."""
    import xarray as xr

    ds = dataset if isinstance(dataset, xr.Dataset) else open_dataset(dataset)
    several = (
        [predictions] if isinstance(predictions, str | os.PathLike | xr.Dataset) else predictions
    )
    if not several:
        raise PredictionsError("there is nothing to score: give at least one set of predictions")
    grouped = ds.llp.group()
    part = grouped.llp.split(split)
    if not part.sizes["chip"]:
        raise LLPBenchError(f"the dataset {ds.llp.info.name!r} has no chips in split {split!r}")
    seeds = []
    for seed in several:
        table = seed if isinstance(seed, xr.Dataset) else read_predictions(seed, part)
        seeds.append(check_predictions(table, part, renormalise=renormalise))
    return seeds, grouped


def score_checked(
    seeds: Sequence[xr.Dataset], digests: list[str], grouped: xr.Dataset, split: str = "test"
) -> Scores:
    """Score predictions that were checked and digested before, one for each seed.

    ``digests`` are those of :func:`digest_predictions`, in the same order.
    """
    part, null = grouped.llp.split(split), train_mean(grouped)
    scored = [_scored_chips(part, seed, null) for seed in seeds]
    if len({chips.confusion is None for chips in scored}) > 1:
        raise PredictionsError("either all seeds have a segmentation, or none")
    if len({tuple(chips.intervals) for chips in scored}) > 1:
        raise PredictionsError("all seeds must have intervals at the same levels, or none")
    return Scores(
        dataset=part.llp.info.name,
        split=split,
        synthetic=part.llp.info.synthetic,
        digests={
            "dataset": part.llp.info.digest,
            "predictions": digests,
            "scorer": SCORER_VERSION,
        },
        attributes=dict(seeds[0].attrs),
        categories=[str(name) for name in part["category_name"].to_numpy()],
        divisions=[str(division) for division in scored[0].divisions],
        tallies=_tallies(scored, ordered=part.llp.label_set.ordered),
        chips=len(scored[0].truth),
        unscored_chips=part.sizes["chip"] - len(scored[0].truth),
        seeds=scored,
        opened=part if "label" in part else None,
        segmentation=seeds[0].get("segmentation"),
    )


def digest_predictions(predictions: xr.Dataset) -> str:
    """SHA-256 over what is predicted, whatever the file it came from."""
    names = ("chip", "category", "proportions", "segmentation", "level", "low", "high")
    return combine(
        {name: describe(predictions[name].to_numpy()) for name in names if name in predictions}
    )


def train_mean(grouped: xr.Dataset) -> FloatArray | None:
    """Mean target (category,) of the train split: what the null model predicts for every chip.

    From a grouped dataset, or a truth table; None where no target is known.
    """
    if "train_mean" in grouped:
        known_mean: FloatArray = grouped["train_mean"].to_numpy()
        return known_mean if np.isfinite(known_mean).all() else None
    targets = grouped.llp.split("train")["target"].to_numpy().astype(np.float64)
    known = np.isfinite(targets).all(axis=1)
    return targets[known].mean(axis=0) if known.any() else None


def _tallies(seeds: Sequence[ScoredChips], *, ordered: bool) -> dict[str, FloatArray]:
    """Tallies of all seeds: (seed, division, m)."""
    single = [tally(chips, ordered=ordered) for chips in seeds]
    return {name: np.stack([tallies[name] for tallies in single]) for name in single[0]}


def _scored_chips(
    part: xr.Dataset, predictions: xr.Dataset, null: FloatArray | None
) -> ScoredChips:
    """Count truth and segmentation in one pass over the labels."""
    predicted = predictions["proportions"].to_numpy().astype(np.float64)
    hard = confusion = None
    if "segmentation" in predictions:
        confusion, truth, hard = metrics.compare_segmentations(
            scored_labels(part).data,
            predictions["segmentation"].to_numpy(),
            part.sizes["category"],
        )
    else:
        truth = part.llp.truth().to_numpy()
    scored = np.isfinite(truth).all(axis=1)
    intervals = {
        level: (low[scored].astype(np.float64), high[scored].astype(np.float64))
        for level, low, high in levels_of(predictions)
    }
    if not scored.any():
        raise UnscoredError("no chip of this split has a label, so no chip can be scored on it")
    division = part["own_division"].to_numpy()[scored]
    return ScoredChips(
        chip=part["chip"].to_numpy()[scored],
        truth=truth[scored],
        predicted=predicted[scored],
        null=null,
        division=division,
        hard=None if hard is None else hard[scored],
        confusion=None if confusion is None else confusion[scored],
        gaps=_gaps(part, predicted, np.unique(division)),
        intervals=intervals,
    )


def _gaps(part: xr.Dataset, predicted: FloatArray, divisions: NDArray[np.str_]) -> FloatArray:
    """Known proportions of divisions against the overlap-weighted mean of predictions."""
    rows = part.indexes["division"].get_indexer(pd.Index(divisions))
    proportions = part["division_proportions"].to_numpy()[rows]
    known = np.where(rows[:, np.newaxis] >= 0, proportions, np.nan)  # chips outside every division
    return gap_terms((part.llp.bags() @ predicted)[rows], known)
