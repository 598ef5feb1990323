"""Checking an entry: one function for submitters, continuous integration and hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from llpbench.board.checks.candidate import Candidate
from llpbench.board.checks.disclosure import check_disclosure
from llpbench.board.checks.duplicates import check_duplicates
from llpbench.board.checks.footprints import (
    check_bundled_method,
    check_footprint,
    check_label_bytes,
)
from llpbench.board.checks.seeds import check_attributes, check_seeds
from llpbench.board.checks.suspicion import (
    check_copied_labels,
    check_too_consistent,
    check_too_good,
)
from llpbench.board.layout import Board
from llpbench.board.submission import Submission, read_submission
from llpbench.board.truth import read_truth
from llpbench.board.verdict import Reason, Verdict
from llpbench.errors import LLPBenchError

CHECKS: tuple[Callable[[Candidate], Iterator[Reason]], ...] = (
    check_attributes,
    check_seeds,
    check_duplicates,
    check_copied_labels,
    check_too_good,
    check_too_consistent,
    check_footprint,
    check_label_bytes,
    check_bundled_method,
)


def check_entry(folder: Path, board: Board) -> Verdict:
    """Check an entry: form, metadata, predictions, and whether it can be believed.

    Nothing in the folder is executed, followed or fetched.

    Parameters
    ----------
    folder : Path
        ``<team>__<method>``, on the board or not.
    board : Board
        With truth tables and the other entries.

    Returns
    -------
    Verdict
        Reasons to refuse it, to look at it, and notes.
    """
    folder = folder.absolute()
    try:
        submission = read_submission(folder)
    except (LLPBenchError, OSError) as error:
        return Verdict(folder.name, (_refused("form", "", error),))
    reasons = [*_check_files(submission), *check_disclosure(submission.entry)]
    for dataset in submission.entry.datasets:
        reasons += _check_dataset(submission, dataset, board)
    return Verdict(folder.name, tuple(reasons))


def _check_files(submission: Submission) -> Iterator[Reason]:
    """Files that the metadata do not name."""
    parts = submission.entry.datasets
    for dataset, files in submission.files.predictions.items():
        named = parts[dataset].seeds if dataset in parts else []
        for seed in sorted(set(files) - set(named)):
            yield Reason(
                "refused", "files", dataset, f"seed-{seed}.parquet is not named in entry.yaml"
            )
    for dataset in submission.files.segmentations:
        if dataset not in parts or parts[dataset].segmentations is None:
            yield Reason(
                "refused", "files", dataset, "entry.yaml says nothing of its segmentations"
            )


def _check_dataset(submission: Submission, dataset: str, board: Board) -> Iterator[Reason]:
    try:
        truth = read_truth(board.truth(dataset))
        known, said = truth.llp.info.digest, submission.entry.datasets[dataset].digest
        if said != known:
            yield Reason(
                "refused",
                "digest",
                dataset,
                f"the predictions are about {dataset} with the digest {said}, the board's has "
                f"{known}: predict the dataset as it is published now",
            )
            return
        candidate = Candidate(submission, dataset, truth, submission.predictions(truth), board)
        for check in CHECKS:
            yield from check(candidate)
    except (LLPBenchError, OSError) as error:
        yield _refused("predictions", dataset, error)


def _refused(check: str, where: str, error: Exception) -> Reason:
    return Reason("refused", check, where, " ".join(str(error).split()))
