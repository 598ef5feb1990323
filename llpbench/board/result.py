"""Stored scores: what was computed here of an entry's predictions, and from what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llpbench.errors import BoardError
from llpbench.scoring.score import Score
from llpbench.writing import replace_text


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Digests(_Stored):
    """What a score follows from; if any of it differs, the score is another one."""

    dataset: str
    predictions: list[str]
    scorer: str


class PixelScores(_Stored):
    """Scores of the segmentations, computed where the imagery is, and kept.

    ``sums`` (metric to seed, division, term) are those of :class:`llpbench.Scores`, so that
    entries can be compared without the imagery.
    """

    digests: Digests
    metrics: dict[str, Score]
    sums: dict[str, list[list[list[float]]]]
    examples: dict[str, str] = {}


class Rerun(_Stored):
    """What running the entry's command again gave, for these predictions."""

    predictions: list[str]
    value: float
    inside: bool
    llpbench_version: str


class Result(_Stored):
    """Scores of an entry on a dataset, as ``results/<dataset>/<entry>.json`` keeps them.

    ``seeds`` are the ``mae`` of each seed, ``errors`` (seed, division) its sums over the chips of
    each division; ``reliability`` and ``examples`` as in
    :class:`llpbench.board.standings.Row`.
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


def write_result(result: Result, path: Path) -> None:
    """Write stored scores, in one step.

    Parameters
    ----------
    result : Result
    path : Path
        ``results/<dataset>/<entry>.json``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, result.model_dump_json(indent=1) + "\n")


def read_result(path: Path) -> Result | None:
    """Read stored scores.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Result or None
        None where there are none yet.

    Raises
    ------
    BoardError
        If the file is none of ours.
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
