"""Scores of an entry, computed here: proportions from truth tables, pixels where the imagery is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from llpbench import metrics
from llpbench.board.card import DatasetCard
from llpbench.board.dates import today
from llpbench.board.layout import Board
from llpbench.board.result import Digests, PixelScores, Rerun, Result, read_stored
from llpbench.board.submission import EntryPredictions, Submission
from llpbench.errors import BoardError
from llpbench.predictions.files import read_predictions
from llpbench.scoring import digest_predictions, evaluate
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.score import Score
from llpbench.scoring.scores import Scores

if TYPE_CHECKING:
    import xarray as xr

DIGITS = 9
"""Stored decimals: rounded, so that another machine writes the same file."""

PIXEL_SUMS = {
    "mae_hard": "hard_errors",
    "f1_micro": "confusion",
    "iou_per_image": "iou_per_image",
}
"""Stored tallies of pixels, under the name of a metric that follows from each."""


def score_entry(predictions: EntryPredictions, board: Board) -> Result:
    """Score the proportions of an entry on one dataset.

    Sums of pixels, the outcome of a rerun and the day of first scoring are taken over from the
    stored result while they are about the same data and predictions; scores of pixels follow from
    their sums anew.
    """
    scores, name = predictions.scores, predictions.submission.name
    stored = read_stored(board.result(predictions.dataset, name), Result)
    card = read_stored(board.card(predictions.dataset), DatasetCard)
    result = Result(
        entry=name,
        dataset=predictions.dataset,
        digests=predictions.digests,
        metrics=_metrics(scores, scores.metrics),
        seeds=_seed_values(scores, predictions.part.seeds),
        errors=scores.tallies["errors"][..., :-1].mean(axis=-1).round(DIGITS).tolist(),
        chips=scores.chips,
        unscored_chips=scores.unscored_chips,
        scored=_first_scored(stored, predictions.digests),
        note=scores.note,
        reliability=_reliability(scores),
        examples=_examples(scores, [example.chip for example in card.examples] if card else []),
        pixels=_valid_pixels(stored, predictions.digests),
        rerun=_valid_rerun(stored, predictions.digests),
    )
    if result.pixels is None:
        return result
    renewed = _metrics(full_scores(predictions, result), result.pixels.metrics)
    pixels = result.pixels.model_copy(update={"metrics": renewed})
    return result.model_copy(update={"pixels": pixels})


def score_pixels(submission: Submission, ds: xr.Dataset, chips: Iterable[str]) -> PixelScores:
    """Score the segmentations of an entry, ``<dataset>/seed-<k>.zarr``, with the imagery in ds.

    The segmentations of ``chips`` are stored, for the page.
    """
    dataset = ds.llp.info.name
    predictions = [read_predictions(path, ds) for path in _segmentation_paths(submission, dataset)]
    scores = evaluate(predictions, ds)
    expected = submission.entry.datasets[dataset].segmentations
    if expected is None or scores.digests["predictions"] != expected.digests:
        raise BoardError(
            f"{submission.name}: the segmentations on {dataset} have the digests "
            f"{scores.digests['predictions']}, not those in entry.yaml; fetch them again"
        )
    shown = scores.segmentation
    assert shown is not None
    return PixelScores(
        digests=_proportion_digests(scores, predictions),
        metrics=_metrics(scores, [m for m in scores.metrics if BY_NAME[m].needs_segmentation]),
        sums={name: scores.tallies[tally].tolist() for name, tally in PIXEL_SUMS.items()},
        examples={
            chip: "".join(map(str, shown.sel(chip=chip).to_numpy().ravel()))
            for chip in chips
            if shown.max() < 10
        },
    )


def full_scores(predictions: EntryPredictions, result: Result | None) -> Scores:
    """Scores of an entry, those of pixels with them where the stored result has valid ones."""
    pixels = _valid_pixels(result, predictions.digests)
    if pixels is None:
        return predictions.scores
    stored = {PIXEL_SUMS[name]: np.array(values) for name, values in pixels.sums.items()}
    return replace(predictions.scores, tallies={**predictions.scores.tallies, **stored})


def _metrics(scores: Scores, names: Iterable[str]) -> dict[str, Score]:
    return {name: scores.score(name).rounded(DIGITS) for name in names}


def _seed_values(scores: Scores, seeds: list[int]) -> dict[str, float]:
    values = BY_NAME["mae"].statistic(scores.tallies["errors"].sum(axis=1)).round(DIGITS).tolist()
    return {str(seed): value for seed, value in zip(seeds, values, strict=True)}


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
    shares = dict(zip(map(str, chips.chip), chips.predicted, strict=True))
    return {chip: shares[chip].round(4).tolist() for chip in shown if chip in shares}


def _segmentation_paths(submission: Submission, dataset: str) -> list[str]:
    paths = submission.files.segmentations.get(dataset, {})
    part = submission.entry.datasets[dataset]
    missing = [seed for seed in part.seeds if seed not in paths]
    if missing:
        doi = part.segmentations.doi if part.segmentations else None
        raise BoardError(
            f"{submission.name}: {dataset}/seed-{missing[0]}.zarr is missing; unpack the "
            f"segmentations{f' of doi:{doi}' if doi else ''} beside the predictions"
        )
    return [str(paths[seed]) for seed in part.seeds]


def _proportion_digests(scores: Scores, predictions: list[xr.Dataset]) -> Digests:
    """Digests without the segmentation, in the order of the dataset: those of the parquet files."""
    assert scores.opened is not None
    order = {"chip": scores.opened["chip"].to_numpy(), "category": np.array(scores.categories)}
    alone = [digest_predictions(seed.drop_vars("segmentation").sel(order)) for seed in predictions]
    return Digests(
        dataset=scores.digests["dataset"], predictions=alone, scorer=scores.digests["scorer"]
    )


def _valid_pixels(stored: Result | None, digests: Digests) -> PixelScores | None:
    """Stored pixel scores, unless data or predictions are others now."""
    if stored is None or stored.pixels is None:
        return None
    old = stored.pixels.digests
    same = (old.dataset, old.predictions) == (digests.dataset, digests.predictions)
    return stored.pixels if same else None


def _valid_rerun(stored: Result | None, digests: Digests) -> Rerun | None:
    """The stored outcome of a rerun, unless predictions are others now."""
    if stored is None or stored.rerun is None:
        return None
    return stored.rerun if stored.rerun.predictions == digests.predictions else None


def _first_scored(stored: Result | None, digests: Digests) -> str:
    """The stored day, unless data or predictions are others now; scorers may differ."""
    if stored is None:
        return today()
    old = stored.digests
    same = (old.dataset, old.predictions) == (digests.dataset, digests.predictions)
    return stored.scored if same else today()
