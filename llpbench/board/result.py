"""Stored scores: what was computed here of an entry's predictions, and from what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llpbench.errors import BoardError
from llpbench.scoring.score import Score
from llpbench.writing import replace_text


class Stored(BaseModel):
    """Data of the board: plain, complete, and not changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Digests(Stored):
    """What a score follows from; if any of it differs, the score is another one."""

    dataset: str
    predictions: list[str]
    scorer: str


class PixelScores(Stored):
    """Scores of the segmentations, computed where the imagery is, and stored.

    Attributes
    ----------
    digests : Digests
        Of the proportions that came with the segmentations.
    sums : dict of str to list
        Metric to sums by seed, division and term, as :class:`llpbench.Scores` has them, so that
        entries can be compared without the imagery.
    examples : dict of str to str
        Chip id to the first seed's categories: digits of a square grid, row by row.
    """

    digests: Digests
    metrics: dict[str, Score]
    sums: dict[str, list[list[list[float]]]]
    examples: dict[str, str] = {}


class Rerun(Stored):
    """The outcome of running the entry's command again, for predictions of these digests.

    Attributes
    ----------
    value : float
        ``mae`` of the new predictions.
    inside : bool
        Whether it lies in the entry's interval: the entry is reproduced if so.
    """

    predictions: list[str]
    value: float
    inside: bool
    llpbench_version: str


class Result(Stored):
    """Scores of an entry on a dataset, as ``results/<dataset>/<entry>.json`` holds them.

    Attributes
    ----------
    seeds : dict of str to float
        ``mae`` of each seed.
    errors : list of list of float, shape (seed, division)
        Sums of ``mae`` over the scored chips of each division.
    note : str
        A caution about the intervals; empty with enough divisions.
    reliability : dict of str to list of (float, float, int)
        By category: mean predicted share, mean true share and number of chips, in tenths of the
        chips by predicted share, of the first seed.
    examples : dict of str to list of float
        Chip id to its predicted shares, of the first seed.
    """

    format: Literal[1] = 1
    entry: str
    dataset: str
    digests: Digests
    metrics: dict[str, Score]
    seeds: dict[str, float]
    errors: Annotated[list[list[float]], Field(min_length=1)]
    chips: int
    unscored_chips: int
    note: str
    reliability: dict[str, list[tuple[float, float, int]]]
    examples: dict[str, list[float]]
    pixels: PixelScores | None = None
    rerun: Rerun | None = None

    @property
    def all_metrics(self) -> dict[str, Score]:
        """Scores of proportions, then those of pixels where there are any."""
        return {**self.metrics, **(self.pixels.metrics if self.pixels else {})}


def write_result(result: Result, path: Path) -> None:
    """Write stored scores, in one step.

    Parameters
    ----------
    path : Path
        ``results/<dataset>/<entry>.json``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, result.model_dump_json(indent=1) + "\n")


def read_result(path: Path) -> Result | None:
    """Read stored scores; None where there are none yet.

    Raises
    ------
    BoardError
        If the file holds no stored scores.
    """
    try:
        return Result.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BoardError(
            f"{path.name} holds no stored scores ({first['msg']}); remove it and run "
            "`llpbench leaderboard score`"
        ) from error
