"""In which order rows stand, and by which metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from llpbench.board.standings import Row
from llpbench.scoring.measures import BY_NAME

ORDER = ("entry", "file", "reference", "bound", "reported")


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """Sort rows of a table: entries by rank, then files, references, bounds, reported rows.

    Each kind is sorted by the metric that most of its rows have; rows without it come last, as
    their other metrics say nothing of whether they are better.
    """
    by_kind = groupby(sorted(rows, key=_kind), key=_kind)
    return [row for _kind, group in by_kind for row in _by_shared_metric(list(group))]


def shared_metric(rows: Sequence[Row]) -> str:
    """Find the metric that most rows have, of several the first of the protocol; ``mae`` of none.

    Rows that were scored here all have ``mae``, the first there is.
    """
    counts = {name: sum(_value(row, name) is not None for row in rows) for name in BY_NAME}
    return max(counts, key=counts.__getitem__)


def _by_shared_metric(rows: list[Row]) -> list[Row]:
    name = shared_metric(rows)
    sign = -1 if BY_NAME[name].better == "higher" else 1

    def place(row: Row) -> tuple[int, float, str]:
        value = _value(row, name)
        return row.rank.rank if row.rank else 0, _LAST if value is None else sign * value, row.id

    return sorted(rows, key=place)


_LAST = float("inf")


def _kind(row: Row) -> int:
    return ORDER.index(row.kind)


def _value(row: Row, name: str) -> float | None:
    return row.metrics[name].value if name in row.metrics else None
