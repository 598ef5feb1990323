"""The rules of a challenge, a file that everybody may read: ``rules.toml``."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from llpbench.data.store.layout import NAME, Text
from llpbench.errors import ChallengeError, examples, first_problem
from llpbench.protocol import TRACKS
from llpbench.reading import read_text

LARGEST = 2**16


class Rules(BaseModel):
    """What holds for all teams.

    Parameters
    ----------
    name : str
        What files and addresses call the challenge.
    title : str
        What people read.
    dataset : str
        Name of the dataset that is predicted.
    digest : str
        Of the dataset as participants have it.
    tracks : tuple of str
        Some of :data:`llpbench.protocol.TRACKS`; a submission is to one of them.
    opens, closes : datetime
        Between which submissions are taken, with their offset from UTC.
    submissions_a_day : int
        Of a team to all tracks, by days in UTC.
    public_share : float
        Part of the scored chips whose score is shown before the challenge closes, from 0 to 1.
    shown : {"ladder", "nothing"}
        What a team sees of its scores until then, see :mod:`llpbench.challenge.ladder`.
    largest_file : int
        Bytes of the largest predictions that are taken.
    scoring_seconds : int
        That scoring of one submission may compute.
    scoring_memory : int
        Bytes that it may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    title: Annotated[Text, Field(min_length=1, max_length=200)]
    dataset: Annotated[str, Field(pattern=f"^{NAME}$")]
    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    tracks: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    opens: AwareDatetime
    closes: AwareDatetime
    submissions_a_day: Annotated[int, Field(ge=1, le=1000)] = 5
    public_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    shown: Literal["ladder", "nothing"] = "ladder"
    largest_file: Annotated[int, Field(ge=2**10, le=2**34)] = 2**26
    scoring_seconds: Annotated[int, Field(ge=1, le=3600)] = 120
    scoring_memory: Annotated[int, Field(ge=2**29, le=2**40)] = 2**32

    @model_validator(mode="after")
    def _check(self) -> Self:
        if strange := set(self.tracks) - TRACKS.keys():
            raise ValueError(f"tracks are some of {examples(TRACKS)}, found {examples(strange)}")
        if len(set(self.tracks)) < len(self.tracks):
            raise ValueError("a track is named twice")
        if not self.opens < self.closes:
            raise ValueError("it closes before it opens")
        return self

    def is_open(self, at: datetime | None = None) -> bool:
        """Whether submissions are taken at a moment, by default now."""
        return self.opens <= (at or datetime.now(UTC)) < self.closes

    def has_closed(self, at: datetime | None = None) -> bool:
        """Whether it is over at a moment, by default now."""
        return (at or datetime.now(UTC)) >= self.closes

    def check_track(self, track: str) -> str:
        """Refuse a track that the challenge does not have; the track again."""
        if track not in self.tracks:
            raise ChallengeError(
                f"the challenge {self.name!r} has the tracks {examples(self.tracks)}, found "
                f"{examples([track])}; submit to one of them"
            )
        return track


def read_rules(path: Path) -> Rules:
    """Read ``rules.toml``.

    Raises
    ------
    ChallengeError
        If it is no such file; the sentence names the field.
    """
    try:
        return Rules.model_validate(tomllib.loads(read_text(path, LARGEST, ChallengeError)))
    except ValueError as error:
        raise ChallengeError(
            f"{str(path)!r} holds no rules of a challenge ({first_problem(error)}); correct it"
        ) from error
