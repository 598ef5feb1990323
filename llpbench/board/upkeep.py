"""Keeping the stored scores of a board: what is new is scored, what is up to date stays."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from llpbench.board.entry_scoring import score_entry, score_pixels
from llpbench.board.layout import Board
from llpbench.board.result import Result, read_stored, write_stored
from llpbench.board.submission import EntryPredictions, Submission, naming, read_submissions
from llpbench.board.truth import read_truth
from llpbench.data.dataset import open_dataset
from llpbench.errors import BoardError, examples


@dataclass(frozen=True)
class Upkeep:
    """What became of an entry's scores on one dataset; pixels are ``none`` where never scored."""

    entry: str
    dataset: str
    proportions: Literal["scored", "kept"]
    pixels: Literal["scored", "kept", "none"]
    result: Result


def score_board(
    board: Board, entries: Collection[str] = (), *, pixels: bool = False
) -> Iterator[Upkeep]:
    """Score what entries (default: all) have no scores of: these data, predictions, this scorer.

    With ``pixels`` segmentations as well, where they lie beside the predictions; that needs the
    datasets with their imagery.
    """
    for submission in find_submissions(board, entries):
        for dataset in submission.entry.datasets:
            truth = read_truth(board.truth(dataset))
            with naming(submission.name):
                predictions = submission.read(truth)
            yield update_scores(predictions, board, pixels=pixels)


def find_submissions(board: Board, entries: Collection[str] = ()) -> list[Submission]:
    """Read the metadata of entries of a board, by default of all."""
    folders = [board.entry(name) for name in entries] or board.entries()
    missing = [folder.name for folder in folders if not folder.is_dir()]
    if missing:
        raise BoardError(f"the board in {str(board.folder)!r} has no entry {examples(missing)}")
    return read_submissions(folders)


def update_scores(predictions: EntryPredictions, board: Board, *, pixels: bool = False) -> Upkeep:
    """Score an entry on one dataset, as far as its stored scores are out of date."""
    submission, dataset = predictions.submission, predictions.dataset
    path = board.result(dataset, submission.name)
    result = read_stored(path, Result)
    proportions: Literal["scored", "kept"] = "kept"
    if result is None or result.digests != predictions.digests:
        result, proportions = score_entry(predictions, board), "scored"
        write_stored(result, path)
    state: Literal["scored", "kept", "none"] = "none" if result.pixels is None else "kept"
    stale = result.pixels is None or result.pixels.digests != predictions.digests
    if pixels and stale and dataset in submission.files.segmentations:
        result, state = _with_pixels(submission, result), "scored"
        write_stored(result, path)
    return Upkeep(submission.name, dataset, proportions, state, result)


def _with_pixels(submission: Submission, result: Result) -> Result:
    ds = open_dataset(result.dataset)
    if ds.llp.info.digest != result.digests.dataset:
        raise BoardError(
            f"the dataset {result.dataset} on this machine has the digest {ds.llp.info.digest}, "
            f"the board's {result.digests.dataset}; fetch or make it again"
        )
    pixels = score_pixels(submission, ds, result.examples)
    if pixels.digests != result.digests:
        raise BoardError(
            f"{submission.name}: the proportions beside the segmentations on {result.dataset} are "
            "not those of the entry; both must come from one run"
        )
    return result.model_copy(update={"pixels": pixels})
