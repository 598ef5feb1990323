"""Stored scores: what was computed here of an entry's predictions, and from what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llpbench.errors import BoardError, first_problem
from llpbench.reading import read_text
from llpbench.scoring.score import Score
from llpbench.writing import replace_text


class Stored(BaseModel):
    """Data of the board: plain, complete, and not changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Stored = TypeVar("_Stored", bound=Stored)


class Digests(Stored):
    """What a score follows from; if any of it differs, the score is another one."""

    dataset: str
    predictions: list[str]
    scorer: str


class PixelScores(Stored):
    """Scores of the segmentations, computed where the imagery is, and stored.

    ``digests`` are those of the proportions that came with them; ``sums`` are by metric, then seed,
    division and term, so that entries can be compared without the imagery; ``examples`` has the
    first seed's categories by chip id: digits of a square grid, row by row.
    """

    digests: Digests
    metrics: dict[str, Score]
    sums: dict[str, list[list[list[float]]]]
    examples: dict[str, str] = {}


class Rerun(Stored):
    """The outcome of running the entry's command again, for predictions of these digests.

    The entry is reproduced if ``value``, the new ``mae``, lies inside its interval.
    """

    predictions: list[str]
    value: float
    inside: bool
    llpbench_version: str


class Result(Stored):
    """Scores of an entry on a dataset, as ``results/<dataset>/<entry>.json`` holds them.

    ``seeds`` has the ``mae`` of each seed, ``errors`` its sums over the scored chips, shape (seed,
    division); ``scored`` is the day these predictions were first scored, ``note`` a caution about
    the intervals. Of the first seed there are, by category, ``reliability``: mean predicted share,
    mean true share and number of chips, in tenths of the chips by predicted share; and, by chip
    id, ``examples``: predicted shares.
    """

    format: Literal[1] = 1
    entry: str
    dataset: str
    digests: Digests
    metrics: dict[str, Score]
    seeds: Annotated[dict[str, float], Field(min_length=1)]
    errors: Annotated[list[list[float]], Field(min_length=1)]
    chips: int
    unscored_chips: int
    scored: str = ""
    note: str
    reliability: dict[str, list[tuple[float, float, int]]]
    examples: dict[str, list[float]]
    pixels: PixelScores | None = None
    rerun: Rerun | None = None

    @property
    def all_metrics(self) -> dict[str, Score]:
        """Scores of proportions, then those of pixels where there are any."""
        return {**self.metrics, **(self.pixels.metrics if self.pixels else {})}


def write_stored(stored: Stored, path: Path) -> None:
    """Write scores or a card, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, stored.model_dump_json(indent=1) + "\n")


def read_stored(path: Path, kind: type[_Stored]) -> _Stored | None:
    """Read scores or a card; None where there are none yet."""
    if not path.exists():
        return None
    text = read_text(path, error=BoardError)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise BoardError(
            f"{path.name} holds no stored scores or card of a dataset ({first_problem(error)}); "
            "remove it and make it again with `llpbench leaderboard score` or `truth`"
        ) from error
