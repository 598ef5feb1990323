"""What a cross-validation found, as anybody's folder says it: ``crossvalidation.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from llpbench.brief import Brief
from llpbench.data.info import DatasetInfo
from llpbench.errors import LLPBenchError, examples, first_problem
from llpbench.reading import read_json
from llpbench.scoring.division_scores import DivisionScores

RECORD = "crossvalidation.json"
"""Its file in the folder of a cross-validation."""

_Text = Annotated[str, Field(max_length=1000)]
_Share = Annotated[float, Field(ge=0, le=1)]


class EstimatedError(BaseModel):
    """Mean absolute error of chips, estimated without labels.

    Attributes
    ----------
    value, low, high : float
        Of all classes, with its 95 % interval, from 0 to 1.
    """

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False, frozen=True)

    value: _Share
    low: _Share
    high: _Share


class _Content(BaseModel):
    """What is read again; the rest is for people and other programs."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    method: _Text
    settings: dict[_Text, Any]
    dataset: _Text
    dataset_digest: _Text
    scores: dict[str, Any]
    chip_error: EstimatedError | None = None


@dataclass(frozen=True, repr=False)
class FoldRecord(Brief):
    """What was cross-validated, and what came of it.

    Parameters
    ----------
    method : str
        Its name, with its post-processors.
    settings : dict
        Of the method.
    scores : DivisionScores
        Of the means of divisions that were held out.
    chip_error : EstimatedError or None
        None where the divisions could not tell.
    """

    method: str
    settings: dict[str, Any]
    scores: DivisionScores
    chip_error: EstimatedError | None

    @property
    def label(self) -> str:
        """The method with its settings."""
        return " ".join([self.method, *(f"{name}={v}" for name, v in self.settings.items())])


def read_fold_record(folder: Path, dataset: DatasetInfo) -> FoldRecord:
    """Read what a cross-validation found.

    Parameters
    ----------
    folder : Path
        That :func:`llpbench.running.crossvalidation.crossvalidate` wrote.
    dataset : DatasetInfo
        What it must be of.

    Raises
    ------
    LLPBenchError
        If the folder holds none, something in it cannot be, or it is of another dataset.
    """
    path = folder / RECORD
    content = read_json(path)
    try:
        read = _Content.model_validate(content)
        scores = DivisionScores.from_json(json.dumps(read.scores))
    except ValueError as error:
        raise LLPBenchError(
            f"{str(path)!r} is no record of a cross-validation ({first_problem(error):.200}); make "
            "it again with `llpbench crossvalidate`"
        ) from error
    if read.dataset_digest != dataset.digest:
        raise LLPBenchError(
            f"{str(folder)!r} is a cross-validation on {examples([read.dataset])}, and not of "
            f"{dataset.name!r} as it is now: its errors say nothing of it; cross-validate the "
            "method on this dataset"
        )
    return FoldRecord(read.method, read.settings, scores, read.chip_error)
