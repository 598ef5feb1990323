"""Runs against each other: paired differences of chips, or of divisions where no chip is scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from llpbench.errors import LLPBenchError, examples
from llpbench.runs.record import Run
from llpbench.runs.results import (
    find_runs,
    group_seeds,
    label_setting,
    pool_divisions,
    pool_seeds,
)
from llpbench.scoring.comparison import Comparison
from llpbench.statistics import holm


def compare_runs(folders: Iterable[Path], metric: str = "mae") -> list[dict[str, Any]]:
    """Compare every pair of settings that predicted the same split of the same dataset.

    Parameters
    ----------
    folders : iterable of Path
        Run folders, or folders that hold them at any depth; seeds of one setting are one method.
    metric : str
        Of chips, as :class:`~llpbench.scoring.scores.Scores` has it; where one of a pair has no
        scores of chips, of divisions, as :class:`~llpbench.scoring.DivisionScores` has it.

    Returns
    -------
    list of dict
        For each pair ``dataset``, ``split``, ``of`` (chips or divisions), ``metric``, ``first`` and
        ``second``, the ``difference`` (first minus second), ``low`` and ``high`` of its 95 %
        interval, ``p`` of the permutation test by division, ``corrected`` after Holm over all
        pairs, and a ``note``.

    Raises
    ------
    LLPBenchError
        If no two settings can be compared.
    """
    groups: dict[tuple[str, str], list[tuple[Run, ...]]] = {}
    for seeds in group_seeds(_whole_runs(folders)):
        record = seeds[0].record
        groups.setdefault((record.dataset_digest, record.split), []).append(seeds)
    rows = [
        _row(first, second, settings, metric)
        for settings in groups.values()
        for first, second in combinations(settings, 2)
    ]
    if not rows:
        raise LLPBenchError(
            "nothing can be compared: give runs of at least two settings that predicted the same "
            "split of one dataset"
        )
    corrected = holm([row["p"] for row in rows]).tolist()
    return [{**row, "corrected": p} for row, p in zip(rows, corrected, strict=True)]


def _whole_runs(folders: Iterable[Path]) -> list[Run]:
    """All finished runs below folders; parts of a cross-validation are refused."""
    runs = find_runs(folders)
    for run in runs:
        if run.record.fold is not None:
            raise LLPBenchError(
                f"the run in {str(run.folder)!r} is fold {examples([run.record.fold])} of a "
                "cross-validation; give runs of `llpbench run`, which predict a whole split"
            )
    return runs


def _row(
    first: Sequence[Run], second: Sequence[Run], others: Sequence[Sequence[Run]], metric: str
) -> dict[str, Any]:
    record, records = first[0].record, [seeds[0].record for seeds in others]
    kind, comparison = _compare(first, second, metric)
    return {
        "dataset": record.dataset,
        "split": record.split,
        "of": kind,
        "metric": metric,
        "first": label_setting(record, records),
        "second": label_setting(second[0].record, records),
        **{name: getattr(comparison, name) for name in ("difference", "low", "high")},
        "p": comparison.p_value,
        "note": comparison.note,
    }


def _compare(first: Sequence[Run], second: Sequence[Run], metric: str) -> tuple[str, Comparison]:
    if all(run.scores for run in (*first, *second)):
        return "chips", pool_seeds(first).compare(pool_seeds(second), metric)
    one, other = pool_divisions(first), pool_divisions(second)
    if one is None or other is None:
        names = " and ".join(repr(str(seeds[0].folder)) for seeds in (first, second))
        raise LLPBenchError(
            f"{names} are not scored on the same: neither all by chips nor divisions"
        )
    return "divisions", one.compare(other, metric)
