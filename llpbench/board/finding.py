"""What a table finds, in sentences: who is best, by how much, on which data, how independently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from llpbench.board.standings import Row, Table
from llpbench.scoring.measures import BY_NAME

MOST_NAMED = 3
"""Rows that a sentence names; of more it says how many."""

_Namer = Callable[[Row], str]


def describe_finding(table: Table) -> str:
    """Say what a table of these rows and comparisons finds; names in it are not escaped.

    Differences, intervals and p-values are those of the table's paired comparisons, groups of ties
    those of its ranks: what is not there is not said.
    """
    if not any(row.result for row in table.rows):
        return " ".join(_reported(table))
    titles = Counter(row.title for row in table.rows)

    def name(row: Row) -> str:
        return row.title if titles[row.title] == 1 else f"{row.title} ({row.id})"

    ranked = [row for row in table.rows if row.rank]
    data = _data(table)
    if not ranked:
        floor_and_bound = [f"{name(row)} has MAE {_number(_mae(row))}" for row in _beside(table)]
        also = f": {', and '.join(floor_and_bound)}" if floor_and_bound else ""
        return f"No entry is ranked here yet{also}. Scored on {data}."
    beside = list(_distances(table, ranked[0], name))
    where = f"That is {', and '.join(beside)}, on {data}." if beside else f"Scored on {data}."
    return " ".join([_best(table, ranked, name), where, *_doubts(ranked)])


def _best(table: Table, ranked: Sequence[Row], name: _Namer) -> str:
    """The first ranked entry, whom it is tied with, and what separates it from the next."""
    best, *others = ranked
    score = best.metrics["mae"]
    error = f"MAE {_number(score.value)}{_interval(score.low, score.high)}"
    if not others:
        return f"{name(best)} is the only ranked entry, with {error}."
    said = [f"{name(best)} has the lowest error of {len(ranked)} ranked entries, {error}"]
    tied = [row for row in others if row.rank and row.rank.group == 1]
    apart = [row for row in others if row not in tied]
    if tied:
        said.append(f"not told apart from {_some([name(row) for row in tied])}")
    if apart:
        which = "the best that is told apart from it" if tied else "the next"
        difference = _number(_mae(apart[0]) - _mae(best)) + _certainty(table, best, apart[0])
        said.append(f"{difference} below {name(apart[0])}, {which}")
    return f"{', '.join(said)}."


def _certainty(table: Table, best: Row, other: Row) -> str:
    """Interval and p-value of the other's error minus that of the best."""
    ids = {best.id, other.id}
    pair = next((one for one in table.comparisons if {one.first, one.second} == ids), None)
    if pair is None:
        return ""
    low, high = pair.low, pair.high
    if low is not None and high is not None and pair.first == best.id:
        low, high = -high, -low
    said = [] if low is None or high is None else [f"95 % {_number(low)} to {_number(high)}"]
    if pair.corrected is None:
        said.append(f"paired test, {_p(pair.p_value)}")
    else:
        said.append(f"paired test, corrected {_p(pair.corrected)}")
    return f" ({'; '.join(said)})"


def _distances(table: Table, best: Row, name: _Namer) -> Iterator[str]:
    """Where the lowest error stands between reference and bound."""
    for row in _beside(table):
        error, other = _mae(best), _mae(row)
        what = "the reference" if row.kind == "reference" else f"supervised by {row.supervision}s"
        if row.kind == "reference" and other > error:
            percent = min(100 * error / other, 99.9)  # it is less
            shown = f"{percent:.0f}" if 1 <= percent <= 99 else f"{percent:.1f}"
            yield f"{shown} % of the error of {name(row)}, {what}"
        elif other > error:
            yield f"less than the {_number(other)} of {name(row)}, {what}"
        elif row.kind == "reference":
            yield f"no less than the {_number(other)} of {name(row)}, {what}"
        elif _number(other) == _number(error):
            yield f"level with {name(row)}, {what}"
        else:
            yield f"{_number(error - other)} above {name(row)}, {what}"


def _beside(table: Table) -> list[Row]:
    """The best reference and the best bound, as far as there are any."""
    kinds = [
        [row for row in table.rows if row.kind == kind and row.result]
        for kind in ("reference", "bound")
    ]
    return [min(rows, key=_mae) for rows in kinds if rows]


def _data(table: Table) -> str:
    kind = "synthetic" if table.synthetic else "real"
    divisions = len(table.divisions)
    return f"{table.chips:,} chips in {divisions} division{'s' * (divisions != 1)} of {kind} data"


def _doubts(ranked: Sequence[Row]) -> Iterator[str]:
    """What speaks against taking the first for an independent result."""
    best, teams = ranked[0], {row.team for row in ranked}
    reasons = {
        "it was designed or tuned on labels of these data": best.designed_here,
        "it starts from pretrained weights": best.entry and best.entry.pretrained_weights,
        "it learned from data outside the benchmark": best.entry and best.entry.external_data,
        f"all ranked entries are by one team, {best.team}": len(teams) == 1 and len(ranked) > 1,
    }
    given = [reason for reason, holds in reasons.items() if holds]
    if given:
        lead = "This is no independent result" if best.designed_here else "Bear in mind"
        yield f"{lead}: {'; '.join(given)}."


def _reported(table: Table) -> Iterator[str]:
    """What was printed elsewhere."""
    sources = sorted({row.source.partition(",")[0] for row in table.rows})
    shown = "1 result is" if len(table.rows) == 1 else f"{len(table.rows)} results are"
    kind = "synthetic" if table.synthetic else "real"
    yield (
        f"Nothing was scored here: no entry predicts these {kind} data yet. {shown} shown as "
        f"printed in {join_names(sources)}, without intervals or ranks."
    )
    scores = {row.title: row.metrics.get(table.sorted_by) for row in table.rows}
    values = {
        name: score.value for name, score in scores.items() if score and score.value is not None
    }
    if len(values) > 1:
        measure = BY_NAME[table.sorted_by]
        is_higher = measure.better == "higher"
        best = max(values.values()) if is_higher else min(values.values())
        names = [name for name, value in values.items() if value == best]
        which = "highest" if is_higher else "lowest"
        yield f"The {which} {measure.title} among them is {best:g}, of {_some(names)}."
    if missing := [name for name in scores if name not in values]:
        yield f"Not to be compared with it: {_some(missing)}, printed without."


def _some(names: Sequence[str]) -> str:
    """Some of the names, and how many there are besides."""
    shown = list(names[:MOST_NAMED])
    more = len(names) - len(shown)
    if more:
        shown.append(f"{more} more")
    return join_names(shown)


def join_names(parts: Sequence[str]) -> str:
    """Put all parts of a list together.

    Examples
    --------
    >>> join_names(["a", "b", "c"]), join_names(["a"])
    ('a, b and c', 'a')
    """
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _mae(row: Row) -> float:
    value = row.metrics["mae"].value
    return float("nan") if value is None else value


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % {_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
