"""Sending a training's figures to a tracking service; only Weights & Biases so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llpbench.errors import LLPBenchError, UnknownNameError, unknown
from llpbench.running.evaluating import Evaluation
from llpbench.runs.record import RunRecord

TRACKERS = ("wandb",)
"""Names of services."""


class Tracker:
    """Receives what happens in a run, and by itself does nothing with it."""

    def log(self, row: Mapping[str, float]) -> None:
        """Receive the figures of an epoch, with its number as ``epoch``."""

    def finish(self, folder: Path, record: RunRecord, evaluation: Evaluation) -> None:
        """Receive the outcome, with pictures in the folder's ``plots/``."""


class _WandbTracker(Tracker):
    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, row: Mapping[str, float]) -> None:
        self._run.log(dict(row))

    def finish(self, folder: Path, record: RunRecord, evaluation: Evaluation) -> None:
        import wandb

        split = record.split
        for scores, kind in ((evaluation.scores, ""), (evaluation.divisions, "divisions/")):
            values = {} if scores is None else scores.table()["value"].to_dict()
            self._run.summary.update({f"{split}/{kind}{name}": v for name, v in values.items()})
        if record.validation is not None:
            self._run.summary.update({"val_mae": record.validation["mae"]})
        pictures = sorted((folder / "plots").glob("*.png"))
        self._run.log({f"{split}/{path.stem}": wandb.Image(str(path)) for path in pictures})


@contextmanager
def open_tracker(
    name: str | None, folder: Path, config: Mapping[str, Any], *, tag: str | None = None
) -> Iterator[Tracker]:
    """Tell a service, if one is named, that a run begins and, in the end, whether it went well.

    What the service keeps on this machine goes to the folder of the run; the tag is a word to
    find it by.
    """
    if name is None:
        yield Tracker()
        return
    if name not in TRACKERS:
        raise UnknownNameError(unknown("tracking service", name, TRACKERS))
    try:
        import wandb
    except ImportError as error:
        raise LLPBenchError(
            "--tracker wandb needs the package wandb; install it: pip install 'llpbench[wandb]'"
        ) from error
    try:
        run = wandb.init(
            project="llpbench", dir=str(folder), config=dict(config), tags=[tag] if tag else None
        )
    except wandb.Error as error:
        raise LLPBenchError(
            f"wandb does not start ({error}); log in with `wandb login`, or set WANDB_MODE=offline"
        ) from error
    with run:  # marks it as failed if anything is raised
        yield _WandbTracker(run)
