"""Rows of the standings: of an entry's stored scores, and of results printed elsewhere."""

from __future__ import annotations

from typing import Literal

import numpy as np

from llpbench.board.result import Result
from llpbench.board.standings import Example, Rank, Reproduction, Row, Value
from llpbench.board.submission import Submission
from llpbench.catalog import ReportedResult
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.score import Score


def entry_row(submission: Submission, result: Result, rank: Rank | None) -> Row:
    """Make the row of an entry.

    Parameters
    ----------
    submission : Submission
    result : Result
        Its stored scores on one dataset.
    rank : Rank or None
        None outside the ranking.

    Returns
    -------
    Row
    """
    entry = submission.entry
    part = entry.datasets[result.dataset]
    pixels, rerun = result.pixels, result.rerun
    scores = {**result.metrics, **(pixels.metrics if pixels else {})}
    segmentations = pixels.examples if pixels else {}
    digests = result.digests.model_dump()
    if pixels and part.segmentations:
        digests["segmentations"] = part.segmentations.digests
    kind: Literal["entry", "reference", "bound"] = "reference" if entry.reference else "entry"
    return Row(
        id=submission.name,
        kind="bound" if entry.supervision != "division" else kind,
        tier="reproduced" if rerun is not None and rerun.inside else "scored",
        title=entry.title,
        team=entry.team,
        rank=rank,
        metrics={name: _value(scores[name]) for name in BY_NAME if name in scores},
        seeds=result.seeds,
        footprint=part.footprint.model_dump(),
        supervision=entry.supervision,
        trained_on=part.trained_on,
        command=part.command,
        fit_seconds=part.fit_seconds,
        entry=entry.model_dump(exclude={"datasets"}),
        digests=digests,
        errors=np.mean(result.errors, axis=0).round(9).tolist(),
        reliability=result.reliability,
        examples={
            chip: Example(shares, segmentations.get(chip, ""))
            for chip, shares in result.examples.items()
        },
        reproduction=None
        if rerun is None
        else Reproduction(rerun.value, rerun.inside, rerun.llpbench_version),
    )


def reported_row(result: ReportedResult) -> Row:
    """Make the row of a printed result.

    Parameters
    ----------
    result : ReportedResult

    Returns
    -------
    Row
    """
    values = {name: getattr(result, name) for name in ("mae", "mae_hard", "f1_micro")}
    return Row(
        id=f"reported:{result.method}",
        kind="reported",
        tier="reported",
        title=result.method,
        team="",
        rank=None,
        metrics={name: Value(value) for name, value in values.items() if value is not None},
        footprint={} if result.parameters is None else {"parameters": result.parameters},
        supervision="division",
        trained_on=result.trained_on,
        source=result.source,
    )


def _value(score: Score) -> Value:
    return Value(score.value, score.low, score.high, score.per_class)
