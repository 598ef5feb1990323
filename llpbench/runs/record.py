"""What a run was, what it cost and how well it did."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llpbench.errors import LLPBenchError
from llpbench.scoring.scores import Scores

FORMAT = 1
"""Version of ``run.json``."""

RECORD = "run.json"
"""The record in a run folder; written last."""


@dataclass(frozen=True)
class RunRecord:
    """What a run was and what it cost; the contents of ``run.json``.

    Parameters
    ----------
    format, protocol : int
    llpbench_version, python_version : str
    method, supervision, track : str
    parameters : dict
        Of the method's constructor, the seed as ``random_state`` among them.
    is_reference : bool
    dataset, dataset_digest, split : str
        What was predicted.
    trained_on, trained_on_digest : str
        What it was trained on: another dataset in the cross-region track.
    synthetic : bool
        Whether one of them was made by a program.
    seed : int
    interrupted : bool
        Whether training was stopped before its end; all splits are predicted then.
    fit_seconds, predict_seconds : float
        Wall time; after a resumption that of the last part alone.
    cpu_seconds : float
        Of both, over all threads.
    footprint : dict
        See :func:`llpbench.methods.footprint.measure_footprint`.
    probabilities : dict
        ``brier`` and ``expected_calibration_error`` of the pixel probabilities; empty where a
        method has none.
    """

    format: int
    protocol: int
    llpbench_version: str
    python_version: str
    method: str
    supervision: str
    track: str
    parameters: dict[str, Any]
    is_reference: bool
    dataset: str
    dataset_digest: str
    trained_on: str
    trained_on_digest: str
    split: str
    synthetic: bool
    seed: int
    interrupted: bool
    fit_seconds: float
    predict_seconds: float
    cpu_seconds: float
    footprint: dict[str, float | None]
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Parameters
    ----------
    folder : Path
        Where everything was written.
    record : RunRecord
        What was done.
    scores : Scores or None
        How well; None where no chip has a label.
    """

    folder: Path
    record: RunRecord
    scores: Scores | None


def read_run(folder: Path) -> Run:
    """Read a finished run.

    Parameters
    ----------
    folder : Path
        That :func:`llpbench.run_method` wrote.

    Returns
    -------
    Run
        Its scores without chips.

    Raises
    ------
    LLPBenchError
        If there is none, or it is of another version.
    """
    try:
        record = RunRecord(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
        file = folder / f"scores-{record.split}.json"
        text = file.read_text(encoding="utf-8") if file.exists() else None
    except (OSError, ValueError, TypeError) as error:
        raise LLPBenchError(f"{folder} holds no run that can be read ({error})") from error
    return Run(folder, record, None if text is None else Scores.from_json(text))
