"""Scores of an entry, computed here: proportions from truth tables, pixels where the imagery is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.board.card import read_card
from llpbench.board.layout import Board
from llpbench.board.result import Digests, PixelScores, Rerun, Result, read_result
from llpbench.board.submission import Submission
from llpbench.errors import BoardError
from llpbench.predictions.files import read_predictions
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring import digest_predictions, evaluate
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.score import Score
from llpbench.scoring.scores import Scores

if TYPE_CHECKING:
    import xarray as xr

DIGITS = 9
"""Decimals that are kept: rounding, so that another machine writes the same file."""

PIXEL_SUMS = {
    "mae_hard": "hard_errors",
    "f1_micro": "confusion",
    "iou_per_image": "iou_per_image",
}
"""Tallies of pixels that are kept, under the name of a metric that follows from each."""


def score_entry(submission: Submission, truth: xr.Dataset, board: Board) -> Result:
    """Score an entry's proportions on one dataset.

    Pixel scores and the outcome of a rerun are taken over from the stored result while they are
    about the same data and predictions.

    Parameters
    ----------
    submission : Submission
    truth : Dataset
        From :func:`llpbench.board.truth.read_truth`.
    board : Board

    Returns
    -------
    Result

    Raises
    ------
    LLPBenchError
        If the predictions cannot be scored.
    """
    dataset = truth.llp.info.name
    scores = evaluate(submission.predictions(truth), truth)
    digests = digests_of(scores)
    kept = read_result(board.result(dataset, submission.name))
    card = read_card(board.card(dataset))
    return Result(
        entry=submission.name,
        dataset=dataset,
        digests=digests,
        metrics=_metrics(scores, scores.metrics),
        seeds=_seed_values(scores, submission.entry.datasets[dataset].seeds),
        errors=_rounded(scores.tallies["errors"][..., :-1].mean(axis=-1)),
        chips=scores.chips,
        unscored_chips=scores.unscored_chips,
        note=scores.note,
        reliability=_reliability(scores),
        examples=_examples(scores, [one.chip for one in card.examples] if card else []),
        pixels=_kept_pixels(kept, digests),
        rerun=_kept_rerun(kept, digests),
    )


def score_pixels(submission: Submission, ds: xr.Dataset, chips: Iterable[str]) -> PixelScores:
    """Score an entry's segmentations on one dataset, and keep what they were computed from.

    Parameters
    ----------
    submission : Submission
        With ``<dataset>/seed-<k>.zarr`` for every seed, as deposited.
    ds : Dataset
        Opened, with imagery.
    chips : iterable of str
        Ids of those whose segmentation is kept to be shown.

    Returns
    -------
    PixelScores

    Raises
    ------
    BoardError
        If a segmentation is missing or not the one that the entry describes.
    """
    dataset = ds.llp.info.name
    predictions = [read_predictions(path) for path in _segmentation_paths(submission, dataset)]
    scores = evaluate(predictions, ds)
    expected = submission.entry.datasets[dataset].segmentations
    if expected is None or scores.digests["predictions"] != expected.digests:
        raise BoardError(
            f"{submission.name}: the segmentations on {dataset} have the digests "
            f"{scores.digests['predictions']}, not those in entry.yaml; fetch them again"
        )
    names = [name for name in scores.metrics if BY_NAME[name].needs_segmentation]
    shown = scores.segmentation
    assert shown is not None
    return PixelScores(
        digests=_proportion_digests(scores, predictions),
        metrics=_metrics(scores, names),
        sums={name: scores.tallies[tally].tolist() for name, tally in PIXEL_SUMS.items()},
        examples={
            chip: "".join(map(str, shown.sel(chip=chip).to_numpy().ravel()))
            for chip in chips
            if shown.max() < 10
        },
    )


def full_scores(submission: Submission, truth: xr.Dataset, result: Result | None) -> Scores:
    """All scores of an entry, with those of pixels where they are stored.

    Parameters
    ----------
    submission : Submission
    truth : Dataset
    result : Result or None
        The stored one.

    Returns
    -------
    Scores
        To compare with another entry's.
    """
    scores = evaluate(submission.predictions(truth), truth)
    pixels = _kept_pixels(result, digests_of(scores))
    return scores if pixels is None else with_pixels(scores, pixels)


def with_pixels(scores: Scores, pixels: PixelScores) -> Scores:
    """Scores of proportions, and those of pixels from their stored sums.

    Parameters
    ----------
    scores : Scores
    pixels : PixelScores

    Returns
    -------
    Scores
    """
    kept = {PIXEL_SUMS[name]: np.array(values) for name, values in pixels.sums.items()}
    return replace(scores, tallies={**scores.tallies, **kept})


def digests_of(scores: Scores) -> Digests:
    """What scores follow from.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    Digests
    """
    return Digests(**{name: scores.digests[name] for name in Digests.model_fields})


def pixel_metrics(scores: Scores, pixels: PixelScores) -> dict[str, Score]:
    """Scores of pixels, worked out anew from their stored sums.

    Parameters
    ----------
    scores : Scores
        Of the proportions.
    pixels : PixelScores

    Returns
    -------
    dict of str to Score
    """
    return _metrics(with_pixels(scores, pixels), pixels.metrics)


def _metrics(scores: Scores, names: Iterable[str]) -> dict[str, Score]:
    return {name: scores.score(name).rounded(DIGITS) for name in names}


def _seed_values(scores: Scores, seeds: list[int]) -> dict[str, float]:
    values = BY_NAME["mae"].statistic(scores.tallies["errors"].sum(axis=1))
    return {
        str(seed): round(float(value), DIGITS) for seed, value in zip(seeds, values, strict=True)
    }


def _reliability(scores: Scores) -> dict[str, list[tuple[float, float, int]]]:
    chips = scores.first_seed()
    tables = {
        name: metrics.means_by_tenth(chips.truth[:, k], chips.predicted[:, k])
        for k, name in enumerate(scores.categories)
    }
    return {
        name: [(round(float(p), 4), round(float(t), 4), int(n)) for p, t, n in table]
        for name, table in tables.items()
    }


def _examples(scores: Scores, shown: list[str]) -> dict[str, list[float]]:
    chips = scores.first_seed()
    places = {str(chip): number for number, chip in enumerate(chips.chip)}
    return {
        chip: [round(float(share), 4) for share in chips.predicted[places[chip]]]
        for chip in shown
        if chip in places
    }


def _segmentation_paths(submission: Submission, dataset: str) -> list[str]:
    found = submission.files.segmentations.get(dataset, {})
    part = submission.entry.datasets[dataset]
    missing = [seed for seed in part.seeds if seed not in found]
    if missing:
        doi = part.segmentations.doi if part.segmentations else None
        raise BoardError(
            f"{submission.name}: {dataset}/seed-{missing[0]}.zarr is not there; unpack the "
            f"segmentations{f' of doi:{doi}' if doi else ''} beside the predictions"
        )
    return [str(found[seed]) for seed in part.seeds]


def _proportion_digests(scores: Scores, predictions: list[xr.Dataset]) -> Digests:
    """Digests of the proportions alone, in the order of the dataset: those of the parquet files."""
    assert scores.opened is not None
    order = {"chip": scores.opened["chip"].to_numpy(), "category": np.array(scores.categories)}
    alone = [digest_predictions(one[["proportions"]].sel(order)) for one in predictions]
    return Digests(dataset=scores.digests["dataset"], predictions=alone, scorer=SCORER_VERSION)


def _kept_pixels(kept: Result | None, digests: Digests) -> PixelScores | None:
    if kept is None or kept.pixels is None:
        return None
    old = kept.pixels.digests
    same = (old.dataset, old.predictions) == (digests.dataset, digests.predictions)
    return kept.pixels if same else None


def _kept_rerun(kept: Result | None, digests: Digests) -> Rerun | None:
    if kept is None or kept.rerun is None:
        return None
    return kept.rerun if kept.rerun.predictions == digests.predictions else None


def _rounded(values: NDArray[np.float64]) -> list[list[float]]:
    return np.round(values, DIGITS).tolist()
