"""Where teams stand: by what is shown while a challenge is open, by the private half at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from llpbench.challenge.ladder import Ladder
from llpbench.challenge.marks import Marks


class Submitted(NamedTuple):
    """A scored submission: its team and its marks, which name the track."""

    team: str
    marks: Marks


@dataclass(frozen=True)
class Standing:
    """Where a team stands in a track.

    Parameters
    ----------
    team : str
        Its name.
    submissions : int
        How many of it were scored.
    score : float or None
        What the Ladder shows; None where nothing is shown.
    rank : int or None
        By that; teams with the same score share one.
    public, private : float or None
        MAE of the kept submission on both halves, when the challenge has closed.
    final_rank : int or None
        By the private half.
    """

    team: str
    submissions: int
    score: float | None = None
    rank: int | None = None
    public: float | None = None
    private: float | None = None
    final_rank: int | None = None

    @property
    def moved(self) -> int | None:
        """Ranks that the team rose when the private half was revealed; negative where it fell."""
        if self.rank is None or self.final_rank is None:
            return None
        return self.rank - self.final_rank


def standings(
    submissions: Sequence[Submitted], track: str, *, shown: bool = True, revealed: bool = False
) -> list[Standing]:
    """Rank the teams of a track.

    Parameters
    ----------
    submissions : sequence of Submitted
        Those of all teams, in the order of their arrival.
    track : str
        Which of them count.
    shown : bool
        Whether scores of the Ladder are; else teams are in the order of their names.
    revealed : bool
        Whether the challenge has closed: then both halves are told, teams are ranked by the private
        half, and ``rank`` is by the exact public score.
    """
    teams: dict[str, list[Marks]] = {}
    for team, marks in submissions:
        if marks.track == track:
            teams.setdefault(team, []).append(marks)
    rows = [_standing(team, marks, revealed) for team, marks in sorted(teams.items())]
    if not shown and not revealed:
        return [Standing(row.team, row.submissions) for row in rows]
    ranks = _ranks([row.public if revealed else row.score for row in rows])
    rows = [replace(row, rank=rank) for row, rank in zip(rows, ranks, strict=True)]
    if not revealed:
        return sorted(rows, key=lambda row: row.rank or 0)
    ranks = _ranks([row.private for row in rows])
    rows = [replace(row, final_rank=rank) for row, rank in zip(rows, ranks, strict=True)]
    return sorted(rows, key=lambda row: row.final_rank or 0)


def _standing(team: str, marks: Sequence[Marks], revealed: bool) -> Standing:
    ladder = Ladder.of(marks)
    if not revealed or ladder.kept is None:
        return Standing(team, len(marks), ladder.score)
    kept = ladder.kept
    return Standing(
        team, len(marks), ladder.score, public=kept.public.mae, private=kept.private.mae
    )


def _ranks(values: Sequence[float | None]) -> list[int]:
    """Ranks from 1, the smallest value first; equal values share the better one."""
    known = np.array(values, dtype=np.float64)
    return (np.searchsorted(np.sort(known), known) + 1).tolist()
