"""The one structure that page and ranking are made of: which entry ranks where, and how sure.

All of it is plain data. Text in ``entry``, ``part``, ``title``, ``team`` and names was written by
submitters or makers of datasets, and stands in ``finding`` too: checked
(:mod:`llpbench.board.fields`), but not escaped.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, computed_field

from llpbench.board.card import Division, ExampleChip
from llpbench.board.comparing import EntryComparison
from llpbench.board.entry import Entry, Kind, Part
from llpbench.board.ranking import Rank
from llpbench.board.result import Result, Stored
from llpbench.board.submission import Submission
from llpbench.catalog import ReportedResult
from llpbench.scoring.measures import BY_NAME, Measure
from llpbench.scoring.score import Score


class Row(Stored):
    """One row of a table: an entry on a dataset, or a reported result.

    ``id`` is unique in its table, and the same in all tables: ``team__method``, or
    ``reported:<method>``. Of the kinds only ``entry`` is ranked; ``file`` was predicted by exported
    files of a method, ``reference`` is a floor (or a ceiling its makers call so), ``bound`` was
    supervised by chips or pixels, ``reported`` was printed elsewhere, in ``source`` at
    ``source_url``, and has no team, entry, part and result.
    ``metrics`` has what the row has of the table's; ``scored`` is the day its predictions were
    first scored, ``2026-11-28``; ``designed_here`` whether the method was designed or tuned on
    labels of this dataset, as its makers say.
    """

    id: str
    kind: Kind | Literal["reported"]
    tier: Literal["reported", "scored", "reproduced"]
    title: str
    team: str = ""
    supervision: str
    trained_on: str
    rank: Rank | None = None
    metrics: dict[str, Score]
    footprint: dict[str, float | None]
    source: str = ""
    source_url: str = ""
    scored: str = ""
    designed_here: bool = False
    entry: Entry | None = None
    part: Part | None = None
    result: Result | None = None

    @classmethod
    def of_entry(cls, submission: Submission, result: Result, rank: Rank | None) -> Row:
        """Make the row of an entry from its stored scores on one dataset."""
        entry, rerun, scores = submission.entry, result.rerun, result.all_metrics
        part = entry.datasets[result.dataset]
        return cls(
            id=submission.name,
            kind=entry.kind,
            tier="reproduced" if rerun is not None and rerun.inside else "scored",
            title=entry.title,
            team=entry.team,
            supervision=entry.supervision,
            trained_on=part.trained_on,
            scored=result.scored,
            designed_here=result.dataset in entry.designed_on,
            rank=rank,
            metrics={name: scores[name] for name in BY_NAME if name in scores},
            footprint=part.footprint.model_dump(),
            entry=entry,
            part=part,
            result=result,
        )

    @classmethod
    def of_reported(cls, reported: ReportedResult) -> Row:
        """Make the row of a printed result."""
        values = {name: getattr(reported, name) for name in ("mae", "mae_hard", "f1_micro")}
        weights = reported.parameters
        return cls(
            id=f"reported:{reported.method}",
            kind="reported",
            tier="reported",
            title=reported.method,
            supervision="division",
            trained_on=reported.trained_on,
            metrics={name: Score(value=v) for name, v in values.items() if v is not None},
            footprint={} if weights is None else {"parameters": weights},
            source=reported.source,
            source_url=reported.url,
        )

    @computed_field
    def errors(self) -> list[float]:
        """Sums of ``mae`` over the chips of each division, mean of the seeds, shape (division,)."""
        return np.mean(self.result.errors, axis=0).round(9).tolist() if self.result else []


class Category(Stored):
    """A class group: its name and its colour, ``#rrggbb``."""

    name: str
    colour: str


class Metric(Stored):
    """A column: ``name`` as in the rows, a title, which values are good, and what it says."""

    name: str
    title: str
    better: Literal["lower", "higher", "one", "zero", "level"]
    definition: str

    @classmethod
    def of(cls, measure: Measure) -> Metric:
        """Make the column of a measure."""
        return cls(**{name: getattr(measure, name) for name in cls.model_fields})


class Table(Stored):
    """One dataset in one track.

    ``unscored_chips`` have no label; ``note`` is a caution about the intervals;
    ``truth`` says where test labels are public, or that they are kept back; ``metrics`` are all
    that any row has, ``mae`` first; ``divisions`` those that own scored chips, in the order of the
    rows' ``errors``. ``rows`` are entries by rank, then files, references, bounds and reported
    rows, each kind by the metric that most rows of it have, rows without it last; ``sorted_by`` is
    that of the first kind there is. ``comparisons`` are pairs of scored rows by ``mae``, corrected
    where both are ranked. ``finding`` says in a sentence or two who is best, by how much and on
    which data.
    """

    dataset: str
    track: str
    title: str
    synthetic: bool
    finding: str = ""
    doi: str
    licence: str
    attribution: str
    digest: str = ""
    chips: int = 0
    unscored_chips: int = 0
    note: str = ""
    truth: str = ""
    sorted_by: str = "mae"
    metrics: list[Metric]
    categories: list[Category]
    divisions: list[Division] = Field(default=[])
    examples: list[ExampleChip] = Field(default=[])
    rows: list[Row]
    comparisons: list[EntryComparison] = Field(default=[])


class OverviewLine(Stored):
    """A method over all datasets of a track: its rows' ``id``, ``kind``, ``title`` and ``team``.

    ``scores`` are in the order of the overview's datasets, None where there is no such row;
    ``aggregate`` is over the datasets that all lines with an aggregate share, None for a method
    that was not scored on all of them; ``behind`` how far the aggregate of an entry lies below that
    of the best one, the difference on the same divisions with its interval, else None.
    """

    id: str
    kind: Kind
    title: str
    team: str
    scores: list[Score | None]
    aggregate: Score | None
    behind: Score | None = None


class Overview(Stored):
    """Methods by datasets in one track, scored rows only.

    ``metric`` names what is shown, the same for all datasets; ``datasets`` are those of tables of
    the track, ``titles`` what people call them; ``note`` says how the aggregate was made, of which
    datasets; ``aggregated`` is what its column is called. Lines are in order of the aggregate.
    """

    track: str
    metric: Metric
    datasets: list[str]
    titles: list[str]
    aggregated: str
    note: str
    lines: list[OverviewLine]


class Link(Stored):
    """Where something is: what it is called, and an address of the web."""

    title: str
    url: str


class Standings(Stored):
    """The whole board: tables in the order that they are shown, and what they were made with.

    Tables of real places come before synthetic ones, those with ranked entries before others.
    ``built`` is the day the page was made, ``2026-11-28``; ``links`` lead to repository,
    documentation, protocol and paper as far as they are known; there is an overview for each track
    with two datasets or more.
    """

    format: Literal[3] = 3
    scorer: str
    llpbench_version: str
    protocol: int
    built: str = ""
    links: list[Link] = Field(default=[])
    overviews: list[Overview] = Field(default=[])
    tables: list[Table]
