"""Runs against each other: paired differences of chips, or of divisions where no chip is scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from llpbench.errors import LLPBenchError, examples
from llpbench.runs.record import Run
from llpbench.runs.results import (
    find_runs,
    group_seeds,
    label_setting,
    pool_alike,
)
from llpbench.scoring.comparison import Comparison, correct


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
        For each pair ``dataset``, ``split``, ``of`` (chips or divisions), ``metric``, ``first``
        and ``second``, the ``difference`` (first minus second), ``p`` of the permutation
        test by division, ``corrected`` after Holm over all pairs, ``low`` and ``high`` of
        the 95 % interval that leaves 0 out exactly where ``corrected`` is below .05, the
        ``finding`` that follows from the latter, in a sentence, and a ``note``.

    Raises
    ------
    LLPBenchError
        If no two settings can be compared.
    """
    groups: dict[tuple[str, str], list[tuple[Run, ...]]] = {}
    for seeds in group_seeds(whole_runs(folders)):
        record = seeds[0].record
        groups.setdefault((record.dataset_digest, record.split), []).append(seeds)
    pairs = [
        (first, second, settings)
        for settings in groups.values()
        for first, second in combinations(settings, 2)
    ]
    if not pairs:
        raise LLPBenchError(
            "nothing can be compared: give runs of at least two settings that predicted the same "
            "split of one dataset"
        )
    compared = [_compare(first, second, metric) for first, second, _others in pairs]
    corrected = correct([comparison for _kind, comparison in compared])
    return list(map(_row, pairs, compared, corrected))


def whole_runs(folders: Iterable[Path]) -> list[Run]:
    """Read all finished runs below folders; parts of a cross-validation are refused."""
    runs = find_runs(folders)
    for run in runs:
        if run.record.fold is not None:
            raise LLPBenchError(
                f"the run in {str(run.folder)!r} is fold {examples([run.record.fold])} of a "
                "cross-validation; give runs of `llpbench run`, which predict a whole split"
            )
    return runs


def _row(
    pair: tuple[Sequence[Run], Sequence[Run], Sequence[Sequence[Run]]],
    compared: tuple[str, Comparison],
    corrected: Comparison,
) -> dict[str, Any]:
    first, second, others = pair
    record, records = first[0].record, [seeds[0].record for seeds in others]
    names = (label_setting(record, records), label_setting(second[0].record, records))
    kind, comparison = compared
    named = replace(corrected, first=names[0], second=names[1])
    return {
        "dataset": record.dataset,
        "split": record.split,
        "of": kind,
        "metric": comparison.metric,
        "first": names[0],
        "second": names[1],
        **{name: getattr(named, name) for name in ("difference", "low", "high")},
        "p": comparison.p_value,
        "corrected": named.p_value,
        "finding": f"{named.finding}.",
        "note": comparison.note,
    }


def _compare(first: Sequence[Run], second: Sequence[Run], metric: str) -> tuple[str, Comparison]:
    kind, (one, other) = pool_alike([first, second])
    return kind, one.compare(other, metric)
