"""Methods over all datasets of a track: how much better each is than knowing nothing.

What is compared is ``skill``, 1 minus MAE over the MAE of the train mean: MAE itself depends on
the number of classes and on how even they are, so that it cannot be averaged over datasets, and a
mean of ranks depends on which other methods happen to be on the board. Of four datasets or more
the aggregate is the interquartile mean, on which a dataset with nothing to learn, where skill is
far below 0, has no hold; fewer leave nothing to trim, and the mean is the same thing.

Source: Agarwal et al. (NeurIPS 2021, arXiv 2108.13264), as GEO-Bench-2 has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from llpbench import metrics
from llpbench.board.comparing import error_sums
from llpbench.board.finding import join_names
from llpbench.board.layout import Board
from llpbench.board.result import Result
from llpbench.board.sorting import ORDER
from llpbench.board.standings import Metric, Overview, OverviewLine, Row, Table
from llpbench.board.truth import read_truth
from llpbench.metrics.arrays import FloatArray, quotient
from llpbench.scoring import train_mean
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.score import Score
from llpbench.statistics import (
    Interval,
    division_sums,
    stratified_difference,
    stratified_interval,
)

METRIC = "skill"
TRIMMED = 0.25
"""Part of the datasets that the interquartile mean leaves out at either end."""
DIGITS = 9

_Sums = list[FloatArray]
"""Of a method on each dataset that counts, shape (seed, division, 2); empty if one lacks."""
_Ids = Sequence[Sequence[str]]


def make_overviews(board: Board, tables: Sequence[Table]) -> list[Overview]:
    """Make an overview of each track that has two datasets or more on which skill is scored."""
    tracks = dict.fromkeys(table.track for table in tables)
    scored = [
        [table for table in tables if table.track == track and _has_skill(table)]
        for track in tracks
    ]
    return [_overview(board, several) for several in scored if len(several) > 1]


def _has_skill(table: Table) -> bool:
    return any(row.result and METRIC in row.metrics for row in table.rows)


def _overview(board: Board, tables: Sequence[Table]) -> Overview:
    used = _used(tables)
    nulls = {table.dataset: _null_errors(board, table.dataset) for table in used}
    rows = [{row.id: row for row in table.rows if row.result} for table in tables]
    ids = dict.fromkeys(name for here in rows for name in here)
    sums = {name: _sums([here.get(name) for here in rows], tables, nulls) for name in ids}
    divisions = [[division.id for division in table.divisions] for table in used]
    lines = [_line([here.get(name) for here in rows], sums[name], divisions) for name in ids]
    return Overview(
        track=tables[0].track,
        metric=Metric.of(BY_NAME[METRIC]),
        datasets=[table.dataset for table in tables],
        titles=[table.title for table in tables],
        aggregated=_name(len(used)),
        note=_note(used, len(tables)),
        lines=_compared(sorted(lines, key=_place), sums, divisions),
    )


def _used(tables: Sequence[Table]) -> list[Table]:
    """Datasets of the aggregate: real ones if there are two, of these those many entries predict.

    One that fewer than half as many predict as the fullest would leave most without an aggregate.
    """
    real = [table for table in tables if not table.synthetic]
    pool = real if len(real) > 1 else list(tables)
    counts = [sum(row.rank is not None for row in table.rows) for table in pool]
    common = [table for table, count in zip(pool, counts, strict=True) if 2 * count >= max(counts)]
    return common if len(common) > 1 else pool


def _null_errors(board: Board, dataset: str) -> FloatArray:
    """Sums of the train mean's error over the scored chips of each division, shape (division,)."""
    truth = read_truth(board.truth(dataset))
    shares, null = truth["truth"].to_numpy(), train_mean(truth)
    assert null is not None  # there is skill
    scored = np.isfinite(shares).all(axis=1)
    known = shares[scored]
    errors = metrics.mae(known, np.broadcast_to(null, known.shape), per="chip")
    sums: FloatArray = division_sums(errors, truth["own_division"].to_numpy()[scored])[1][:, 0]
    return sums


def _sums(
    rows: Sequence[Row | None], tables: Sequence[Table], nulls: Mapping[str, FloatArray]
) -> _Sums:
    """Errors of a method and of the train mean, of each dataset that counts; none if one lacks."""
    here = [
        _with_null(row.result, table, nulls[table.dataset])
        for row, table in zip(rows, tables, strict=True)
        if row is not None and row.result is not None and table.dataset in nulls
    ]
    return here if len(here) == len(nulls) else []


def _with_null(result: Result, table: Table, null: FloatArray) -> FloatArray:
    errors = error_sums(result, [division.chips for division in table.divisions])[..., 0]
    return np.stack([errors, np.broadcast_to(null, errors.shape)], axis=-1)


def _line(rows: Sequence[Row | None], sums: _Sums, divisions: _Ids) -> OverviewLine:
    known = next(row for row in rows if row is not None)
    assert known.kind != "reported"  # it has a result
    return OverviewLine(
        id=known.id,
        kind=known.kind,
        title=known.title,
        team=known.team,
        scores=[row.metrics.get(METRIC) if row else None for row in rows],
        aggregate=_interval(sums, divisions) if sums else None,
    )


def _compared(
    lines: Sequence[OverviewLine], sums: Mapping[str, _Sums], divisions: _Ids
) -> list[OverviewLine]:
    """The lines, those of entries with how far they lie behind the first."""
    ranked = [line.id for line in lines if line.kind == "entry" and line.aggregate]

    def behind(line: OverviewLine) -> Score | None:
        if line.id not in ranked[1:]:
            return None
        pair = sums[ranked[0]], sums[line.id]
        return _score(stratified_difference(*pair, divisions, mean_skill))

    return [line.model_copy(update={"behind": behind(line)}) for line in lines]


def _interval(sums: _Sums, divisions: _Ids) -> Score:
    return _score(stratified_interval(sums, divisions, mean_skill, most=1))


def _score(interval: Interval) -> Score:
    value, low, high = map(float, (interval.value, interval.low, interval.high))
    return Score(value=value, low=low, high=high).rounded(DIGITS)


def mean_skill(sums: FloatArray) -> FloatArray:
    """From errors and those of the train mean (..., dataset, 2) to interquartile means (...).

    Examples
    --------
    >>> errors = np.array([[1, 10], [3, 10], [5, 10], [90, 10]])
    >>> float(mean_skill(errors).round(6)), float(mean_skill(errors[:2]).round(6))
    (0.6, 0.8)
    """
    skills = np.sort(1 - quotient(sums[..., 0], sums[..., 1]), axis=-1)
    datasets = skills.shape[-1]
    trimmed = int(TRIMMED * datasets)
    return np.asarray(skills[..., trimmed : datasets - trimmed].mean(axis=-1))


def _name(datasets: int) -> str:
    return "interquartile mean" if int(TRIMMED * datasets) else "mean"


def _note(used: Sequence[Table], shown: int) -> str:
    """How the aggregate is made, and of which datasets."""
    names = join_names([table.dataset for table in used])
    said = (
        f"The {_name(len(used))} is over {names}, each counted once, of methods scored on all of "
        "them; its 95 % interval is over test divisions within datasets, and seeds, and is about "
        "these datasets alone. Entries are compared with the best on the same divisions, each pair "
        "for itself."
    )
    if shown == len(used):
        return said
    return (
        f"{said} Others are shown and not counted: synthetic ones beside two real ones or more, "
        "and those that few methods predict."
    )


def _place(line: OverviewLine) -> tuple[int, bool, float, str]:
    """Entries by aggregate, those without one last; then files, references and bounds alike."""
    value = line.aggregate.value if line.aggregate else None
    return ORDER.index(line.kind), value is None, -(value or 0), line.id
