"""Running the command of an entry again, without a shell."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import Field

from llpbench._version import __version__
from llpbench.board.bundled import bundled_command
from llpbench.board.layout import Board
from llpbench.board.result import Rerun, Result, Stored, read_stored, write_stored
from llpbench.board.submission import Submission
from llpbench.board.truth import read_truth
from llpbench.errors import BoardError
from llpbench.predictions.files import read_predictions
from llpbench.running.run import run_method
from llpbench.runs.command import RunCommand
from llpbench.scoring import evaluate


class Reproduced(Stored):
    """The ``mae`` of running an entry's command again, and whether it lies in the interval."""

    entry: str
    dataset: str
    command: str
    stored: float | None = Field(serialization_alias="MAE")
    low: float | None
    high: float | None
    value: float = Field(serialization_alias="again")
    inside: bool


def reproduce(
    board: Board,
    submission: Submission,
    datasets: Collection[str] = (),
    *,
    progress: bool = False,
) -> Iterator[Reproduced]:
    """Run an entry's commands on some of its datasets (default: all) again; store the outcomes.

    Only ``llpbench run`` of a method that ships with llpbench is run, from arguments that were
    parsed; never a shell, never code or a file of a submitter.
    """
    unknown = sorted(set(datasets) - set(submission.entry.datasets))
    if unknown:
        raise BoardError(f"{submission.name} has no predictions on {unknown[0]!r}")
    for dataset in datasets or submission.entry.datasets:
        yield _reproduce(board, submission, dataset, progress)


def _reproduce(board: Board, submission: Submission, dataset: str, progress: bool) -> Reproduced:
    part = submission.entry.datasets[dataset]
    if part.export is not None:
        raise BoardError(
            f"exported files made the predictions of {submission.name} on {dataset}, which a board "
            "does not run; only an entry by `llpbench run` can be reproduced"
        )
    command, _method = bundled_command(part.command)
    _check_command(command, submission, dataset)
    truth = read_truth(board.truth(dataset))
    path = board.result(dataset, submission.name)
    result = read_stored(path, Result)
    if result is None or result.digests != submission.read(truth).digests:
        raise BoardError(
            f"the scores of {submission.name} on {dataset} are not up to date; run "
            "`llpbench leaderboard score` first"
        )
    with tempfile.TemporaryDirectory(prefix="llpbench-") as folder:
        runs = [_run(command, seed, Path(folder) / f"seed-{seed}", progress) for seed in part.seeds]
        predictions = [
            read_predictions(run).drop_vars("segmentation", errors="ignore") for run in runs
        ]
    value = evaluate(predictions, truth).value("mae")
    mae = result.metrics["mae"]
    inside = mae.low is not None and mae.high is not None and mae.low <= value <= mae.high
    rerun = Rerun(
        predictions=result.digests.predictions,
        value=value,
        inside=inside,
        llpbench_version=__version__,
    )
    write_stored(result.model_copy(update={"rerun": rerun}), path)
    return Reproduced(
        entry=submission.name,
        dataset=dataset,
        command=part.command,
        stored=mae.value,
        low=mae.low,
        high=mae.high,
        value=value,
        inside=inside,
    )


def _check_command(command: RunCommand, submission: Submission, dataset: str) -> None:
    part = submission.entry.datasets[dataset]
    expected = (part.trained_on, dataset, set(part.seeds))
    stated = (command.dataset, command.apply_to or command.dataset, set(command.seeds))
    if stated != expected:
        raise BoardError(
            f"the command of {submission.name} trains on {stated[0]}, predicts {stated[1]} with "
            f"the seeds {sorted(stated[2])}; its entry says {expected[0]}, {expected[1]} and "
            f"{sorted(expected[2])}"
        )


def _run(command: RunCommand, seed: int, folder: Path, progress: bool) -> Path:
    """Run one seed; where its predictions are."""
    run_method(
        command.method,
        command.dataset,
        seed=seed,
        settings=command.settings,
        apply_to=command.apply_to,
        deterministic=command.deterministic,
        out=folder,
        progress=progress,
    )
    return next(folder.glob("predictions-test.*"))
