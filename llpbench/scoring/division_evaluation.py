"""Predictions and known shares make scores of divisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.outlines import division_facts
from llpbench.errors import PredictionsError, UnscoredError
from llpbench.predictions.seed import WholeSeed
from llpbench.predictions.table import check_predictions
from llpbench.protocol import ALL, LEAST_COVERAGE, scores_chips
from llpbench.scoring.division_scores import DivisionScores
from llpbench.scoring.evaluation import Predictions, gather_for, make_scores, sum_up
from llpbench.scoring.scores import Scores
from llpbench.scoring.split_sums import Summed, add_up
from llpbench.scoring.split_truth import Dataset, SplitTruth

if TYPE_CHECKING:
    import xarray as xr


def score_divisions(
    predictions: xr.Dataset | Sequence[xr.Dataset], part: xr.Dataset
) -> DivisionScores:
    """Score the mean predictions of divisions by their known shares; no label is looked at.

    Parameters
    ----------
    predictions : Dataset, or a sequence of them
        Of every chip of the part; several are seeds of one method.
    part : Dataset
        Grouped, and of a stored dataset, whose outlines say how much of a division is covered: a
        split, or all chips. Divisions that are not in it do not count.

    Raises
    ------
    PredictionsError
        If the predictions do not fit the part.
    UnscoredError
        If no division can be scored.
    LLPBenchError
        If divisions have no outlines.
    """
    several = [predictions] if not isinstance(predictions, Sequence) else predictions
    if not several:
        raise PredictionsError("there is nothing to score: give at least one set of predictions")
    splits = np.unique(part["split"].to_numpy())
    truth = SplitTruth.of_part(part, str(splits[0]) if len(splits) == 1 else ALL)
    seeds = [WholeSeed(check_predictions(seed, part)) for seed in several]
    return _division_scores(truth, add_up(truth, seeds, with_chips=False))


def _division_scores(truth: SplitTruth, summed: Summed) -> DivisionScores:
    if truth.info.store is None:
        raise UnscoredError("no division can be scored without the areas that a dataset has")
    areas = division_facts(truth.divisions)["area_km2"].to_numpy()
    coverage = np.minimum(truth.areas / areas, 1)  # the plane of a built region is another
    covered, known = coverage >= LEAST_COVERAGE, np.isfinite(truth.proportions).all(axis=1)
    left_out = {"uncovered": int((~covered).sum()), "unknown": int((covered & ~known).sum())}
    scored = np.flatnonzero(covered & known)
    if not len(scored):
        raise UnscoredError(
            "no division can be scored: one needs known shares and predictions of "
            f"{LEAST_COVERAGE:.0%} of its area, found {left_out['uncovered']} with fewer "
            f"predictions and {left_out['unknown']} without known shares; see docs/protocol.md"
        )
    return DivisionScores(
        dataset=truth.info.name,
        split=truth.split,
        synthetic=truth.info.synthetic,
        digests=summed.digests,
        attributes=summed.attributes,
        categories=truth.categories,
        divisions=[str(one) for one in truth.divisions["division"].to_numpy()[scored]],
        known=truth.proportions[scored],
        predicted=np.stack([one.means for one in summed.sums])[:, scored],
        coverage=coverage[scored],
        areas=areas[scored],
        left_out=left_out,
        opened=truth.opened,
    )


def evaluate_both(
    predictions: Predictions | Sequence[Predictions],
    dataset: Dataset,
    split: str = "test",
    *,
    score: str | None = None,
    renormalise: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
) -> tuple[Scores | None, DivisionScores | None]:
    """Score predictions by labels of chips and by known shares of divisions, as far as there are.

    Parameters
    ----------
    predictions, dataset, split, renormalise, workers, scheduler
        As for :func:`llpbench.evaluate`.
    score : {"divisions", "chips"}, optional
        Divisions alone, or chips as well; by default as :func:`llpbench.protocol.scores_chips`
        says. Chips that were asked for must have labels.

    Returns
    -------
    Scores or None, DivisionScores or None
        Of chips and of divisions; one of them is there.

    Raises
    ------
    PredictionsError
        If the predictions do not fit the split.
    UnscoredError
        If nothing can be scored.
    """
    with_chips = scores_chips(split, score)
    truth = SplitTruth.of(dataset, split)
    with gather_for(truth, workers, scheduler) as crew:
        summed = sum_up(
            predictions, truth, renormalise=renormalise, with_chips=with_chips, crew=crew
        )
    scores, missing = None, []
    if with_chips:
        try:
            scores = make_scores(truth, summed)
        except UnscoredError as error:
            if score == "chips":
                raise
            missing.append(str(error))
    try:
        return scores, _division_scores(truth, summed)
    except UnscoredError as error:
        if scores is None:
            raise UnscoredError("; ".join([*missing, str(error)])) from error
        return scores, None
