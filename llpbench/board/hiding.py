"""Standings without what tells of test labels: for a board whose truth is still a secret."""

from __future__ import annotations

from collections.abc import Mapping

from llpbench.board.standings import Overview, Row, Standings, Table
from llpbench.board.truth_state import say_truth
from llpbench.scoring.score import Score

KEPT_BACK = (
    "Test labels are kept back: nothing is shown by class, division, chip or seed, from which they "
    "would follow."
)


def hide_truth(standings: Standings) -> Standings:
    """Leave out example chips, and values by class, division and seed; scores over all stay.

    Divisions keep their ids and names, which participants have, but not how many of their chips
    have a label.
    """
    return standings.model_copy(
        update={
            "tables": [_table(table) for table in standings.tables],
            "overviews": [_overview(overview) for overview in standings.overviews],
        }
    )


def _table(table: Table) -> Table:
    return table.model_copy(
        update={
            "rows": [_row(row) for row in table.rows],
            "examples": [],
            "divisions": [
                one.model_copy(update={"chips": 0, "outline": []}) for one in table.divisions
            ],
            "truth": KEPT_BACK if table.truth == say_truth("") else table.truth,
        }
    )


def _row(row: Row) -> Row:
    return row.model_copy(update={"result": None, "metrics": _over_all(row.metrics)})


def _overview(overview: Overview) -> Overview:
    lines = [
        line.model_copy(update={"scores": [one and _without_classes(one) for one in line.scores]})
        for line in overview.lines
    ]
    return overview.model_copy(update={"lines": lines})


def _over_all(metrics: Mapping[str, Score]) -> dict[str, Score]:
    return {name: _without_classes(score) for name, score in metrics.items()}


def _without_classes(score: Score) -> Score:
    return score.model_copy(update={"per_class": {}})
