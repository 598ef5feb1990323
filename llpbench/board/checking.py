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

    It may be on the board or not. Nothing in the folder is executed, followed or fetched.
    """
    return check_and_read(folder, board)[0]


def check_and_read(folder: Path, board: Board) -> tuple[Verdict, list[Candidate]]:
    """Check an entry as :func:`check_entry` does, and give what was read for it."""
    folder = folder.absolute()
    try:
        submission = read_submission(folder)
    except (LLPBenchError, OSError) as error:
        return Verdict(folder.name, (_refused("form", "", error),)), []
    reasons = [*_check_files(submission), *check_disclosure(submission.entry)]
    candidates = []
    for dataset in submission.entry.datasets:
        try:
            truth = read_truth(board.truth(dataset))
            if problem := submission.other_data(truth):
                reasons.append(_refused("digest", dataset, problem))
                continue
            candidate = Candidate(submission, truth, submission.read(truth).seeds, board)
            for check in CHECKS:
                reasons += check(candidate)
            candidates.append(candidate)
        except (LLPBenchError, OSError) as error:
            reasons.append(_refused("predictions", dataset, error))
    return Verdict(folder.name, tuple(reasons)), candidates


def _check_files(submission: Submission) -> Iterator[Reason]:
    """Files that the metadata do not name."""
    parts = submission.entry.datasets
    for dataset, files in submission.files.predictions.items():
        named = parts[dataset].seeds if dataset in parts else []
        for seed in sorted(set(files) - set(named)):
            yield _refused("files", dataset, f"seed-{seed}.parquet is not named in entry.yaml")
    for dataset in submission.files.segmentations:
        if dataset not in parts or parts[dataset].segmentations is None:
            yield _refused("files", dataset, "entry.yaml says nothing of its segmentations")


def _refused(check: str, where: str, problem: str | Exception) -> Reason:
    return Reason("refused", check, where, " ".join(str(problem).split()))
