"""Predictions and known shares make scores of divisions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.divisions import Divisions
from llpbench.data.outlines import division_facts
from llpbench.errors import PredictionsError, UnscoredError
from llpbench.predictions.table import check_predictions
from llpbench.protocol import ALL, LEAST_COVERAGE, SCORER_VERSION, scores_chips
from llpbench.scoring.division_scores import DivisionScores
from llpbench.scoring.evaluation import (
    Predictions,
    digest_predictions,
    read_seeds,
    score_checked,
)
from llpbench.scoring.scores import Scores

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
    seeds = [check_predictions(seed, part) for seed in several]
    divisions, areas = Divisions.of(part), division_facts(part)["area_km2"].to_numpy()
    coverage = np.minimum(divisions.areas / areas, 1)  # the plane of a built region is another
    covered, known = coverage >= LEAST_COVERAGE, np.isfinite(divisions.proportions).all(axis=1)
    left_out = {"uncovered": int((~covered).sum()), "unknown": int((covered & ~known).sum())}
    scored = np.flatnonzero(covered & known)
    if not len(scored):
        raise UnscoredError(
            "no division can be scored: one needs known shares and predictions of "
            f"{LEAST_COVERAGE:.0%} of its area, found {left_out['uncovered']} with fewer "
            f"predictions and {left_out['unknown']} without known shares; see docs/protocol.md"
        )
    splits, info = np.unique(part["split"].to_numpy()), part.llp.info
    means = [divisions.means(seed["proportions"].to_numpy().astype(np.float64)) for seed in seeds]
    return DivisionScores(
        dataset=info.name,
        split=str(splits[0]) if len(splits) == 1 else ALL,
        synthetic=info.synthetic,
        digests={
            "dataset": info.digest,
            "predictions": list(map(digest_predictions, seeds)),
            "scorer": SCORER_VERSION,
        },
        attributes=dict(seeds[0].attrs),
        categories=[str(name) for name in part["category_name"].to_numpy()],
        divisions=[str(division) for division in part["division"].to_numpy()[scored]],
        known=divisions.proportions[scored],
        predicted=np.stack(means)[:, scored],
        coverage=coverage[scored],
        areas=areas[scored],
        left_out=left_out,
        opened=part,
    )


def evaluate_both(
    predictions: Predictions | Sequence[Predictions],
    dataset: str | os.PathLike[str] | xr.Dataset,
    split: str = "test",
    *,
    score: str | None = None,
    renormalise: bool = False,
) -> tuple[Scores | None, DivisionScores | None]:
    """Score predictions by labels of chips and by known shares of divisions, as far as there are.

    Parameters
    ----------
    predictions, dataset, split, renormalise
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
    seeds, grouped = read_seeds(predictions, dataset, split, renormalise=renormalise)
    scores, missing = None, []
    if with_chips:
        try:
            scores = score_checked(seeds, list(map(digest_predictions, seeds)), grouped, split)
        except UnscoredError as error:
            if score == "chips":
                raise
            missing.append(str(error))
    try:
        return scores, score_divisions(seeds, grouped.llp.split(split))
    except UnscoredError as error:
        if scores is None:
            raise UnscoredError("; ".join([*missing, str(error)])) from error
        return scores, None
