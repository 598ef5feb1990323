"""Standings made of a board's entries, results, truth tables and the reported results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llpbench import catalog
from llpbench._version import __version__
from llpbench.board.card import DatasetCard, Division
from llpbench.board.comparing import compare_results
from llpbench.board.dates import today
from llpbench.board.finding import describe_finding
from llpbench.board.layout import Board
from llpbench.board.links import board_links
from llpbench.board.overview import make_overviews
from llpbench.board.ranking import rank_results
from llpbench.board.result import Result, read_stored
from llpbench.board.sorting import shared_metric, sort_rows
from llpbench.board.standings import Category, Metric, Row, Standings, Table
from llpbench.board.submission import Submission, read_submissions
from llpbench.board.truth import read_truth, scored_divisions
from llpbench.board.truth_state import say_truth, where_truth_is_public
from llpbench.catalog import LabelSet, reported_results
from llpbench.errors import BoardError
from llpbench.protocol import SCORER_VERSION, TRACKS, VERSION
from llpbench.scoring.measures import BY_NAME
from llpbench.statistics.ranking import draws_for

if TYPE_CHECKING:
    import xarray as xr

MOST_COMPARED = 60
"""Rows of a table that are compared with one another, from its top: 1,770 pairs, some 20 s."""


def make_standings(board: Board) -> Standings:
    """Put together what the page shows."""
    submissions = read_submissions(board.entries())
    entries = [submission.entry for submission in submissions]
    places = {
        *((name, entry.track) for entry in entries for name in entry.datasets),
        *((reported.dataset, reported.track) for reported in reported_results()),
    }
    made = (_table(board, dataset, track, submissions) for dataset, track in places)
    tables = sorted(made, key=place)
    return Standings(
        tables=tables,
        overviews=make_overviews(board, tables),
        scorer=SCORER_VERSION,
        llpbench_version=__version__,
        protocol=VERSION,
        built=today(),
        links=board_links(board),
    )


def place(table: Table) -> tuple[bool, bool, str, int]:
    """Real places before synthetic ones, those where entries are ranked before others."""
    is_ranked = any(row.rank for row in table.rows)
    return table.synthetic, not is_ranked, table.dataset, list(TRACKS).index(table.track)


def _table(board: Board, dataset: str, track: str, submissions: Sequence[Submission]) -> Table:
    here = [
        submission
        for submission in submissions
        if submission.entry.track == track and dataset in submission.entry.datasets
    ]
    printed = [
        Row.of_reported(reported)
        for reported in reported_results()
        if (reported.dataset, reported.track) == (dataset, track)
    ]
    known = _scored_table(board, dataset, here) if here else _reported_table(dataset)
    rows = sort_rows([*known.pop("rows", []), *printed])
    table = Table(
        dataset=dataset,
        track=track,
        sorted_by=shared_metric([row for row in rows if row.kind == rows[0].kind]),
        metrics=_metrics(rows),
        rows=rows,
        **known,
    )
    return table.model_copy(update={"finding": describe_finding(table)})


def _scored_table(board: Board, dataset: str, submissions: Sequence[Submission]) -> dict[str, Any]:
    """Fields of a table of entries."""
    truth, card = read_truth(board.truth(dataset)), read_stored(board.card(dataset), DatasetCard)
    results = {
        submission.name: _stored(board, submission, dataset, truth) for submission in submissions
    }
    divisions, counts = (column.tolist() for column in scored_divisions(truth))
    ranked = {
        submission.name: results[submission.name]
        for submission in submissions
        if submission.entry.is_ranked
    }
    ranks, corrected = rank_results(ranked, counts)
    rows = [
        Row.of_entry(submission, results[submission.name], ranks.get(submission.name))
        for submission in submissions
    ]
    compared = {row.id: results[row.id] for row in sort_rows(rows)[:MOST_COMPARED]}
    info = truth.llp.info
    return {
        "rows": rows,
        "comparisons": compare_results(compared, counts, corrected, draws_for(len(ranked))),
        "synthetic": info.synthetic,
        **{name: getattr(info, name) for name in ("title", "licence", "attribution", "digest")},
        "doi": info.doi or "",
        "chips": sum(counts),
        "unscored_chips": truth.sizes["chip"] - sum(counts),
        "note": next(iter(results.values())).note,
        "truth": say_truth(
            where_truth_is_public(info.name, synthetic=info.synthetic, doi=info.doi)
        ),
        "categories": _categories(info.label_set),
        "divisions": [
            _division(division, count, card)
            for division, count in zip(divisions, counts, strict=True)
        ],
        "examples": card.examples if card else [],
    }


def _reported_table(dataset: str) -> dict[str, Any]:
    """Fields of a table of a published dataset that no entry predicts yet."""
    known = catalog.dataset(dataset)
    return {
        "title": known.title,
        "synthetic": known.synthetic is not None,
        "doi": known.doi or "",
        "truth": say_truth(where_truth_is_public(dataset)),
        "licence": known.licence,
        "attribution": known.attribution,
        "categories": _categories(known.label_set),
    }


def _stored(board: Board, submission: Submission, dataset: str, truth: xr.Dataset) -> Result:
    result = read_stored(board.result(dataset, submission.name), Result)
    if result is None or result.digests.dataset != truth.llp.info.digest:
        raise BoardError(
            f"{submission.name} has no scores on {dataset} as it is now; run "
            "`llpbench leaderboard score`"
        )
    if result.digests.scorer != SCORER_VERSION:
        raise BoardError(
            f"{submission.name} has scores on {dataset} by scorer {result.digests.scorer}, whose "
            f"intervals are not those of scorer {SCORER_VERSION}; run `llpbench leaderboard score`"
        )
    return result


def _metrics(rows: Sequence[Row]) -> list[Metric]:
    return [
        Metric.of(measure)
        for name, measure in BY_NAME.items()
        if any(name in row.metrics for row in rows)
    ]


def _categories(labels: LabelSet) -> list[Category]:
    return [Category(name=group.name, colour=group.colour) for group in labels.groups]


def _division(division: str, chips: int, card: DatasetCard | None) -> Division:
    known = card.divisions.get(division) if card else None
    outline = known.outline if known else []
    name = known.name if known else division
    return Division(id=division, name=name, chips=chips, outline=outline)
