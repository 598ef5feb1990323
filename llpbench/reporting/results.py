"""Runs put together in one table: methods by metrics, and which of them are best."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from llpbench.data.info import mark_synthetic
from llpbench.errors import LLPBenchError, examples
from llpbench.reporting.results_table import ResultsTable
from llpbench.runs.comparing import whole_runs
from llpbench.runs.record import Run
from llpbench.runs.results import (
    DIVISION_METRICS,
    METRICS,
    group_seeds,
    label_setting,
    pool_alike,
)
from llpbench.scoring.measured import Measured
from llpbench.scoring.measures import Measure

Mark = Literal["best", "not told apart", ""]
Setting = tuple[Run, ...]


def results_table(*runs: str | os.PathLike[str] | Run, metrics: Sequence[str] = ()) -> ResultsTable:
    """Put runs together in one table: methods by metrics, on one dataset or several.

    Parameters
    ----------
    *runs : path or Run
        Run folders, folders that hold them at any depth, or runs; seeds of one setting are one
        method.
    metrics : sequence of str
        Of chips, as :class:`~llpbench.Scores` has them, where all runs on a dataset have scores of
        chips, else of divisions; by default the usual ones that are there.

    Returns
    -------
    ResultsTable
        Methods in the order of their first column, the best first. The best value and those not
        told apart from it are marked among the methods of one track and supervision; references,
        such as ``train-mean``, and metrics that are right at a value (calibration, coverage) have
        no marks.

    Raises
    ------
    LLPBenchError
        If there is no finished run, or runs cannot be compared.
    UnknownNameError
        If there is no such metric.

    Examples
    --------
    >>> results_table("runs", metrics=["mae", "f1_micro"])  # doctest: +SKIP
    """
    found = [one for given in runs for one in ([given] if isinstance(given, Run) else _read(given))]
    if not found:
        raise LLPBenchError("there is nothing to show: give at least one run")
    groups: dict[tuple[str, str], list[Setting]] = {}
    for seeds in group_seeds(found):
        record = seeds[0].record
        groups.setdefault((record.dataset_digest, record.split), []).append(seeds)
    _check_names(groups)
    frames, notes = zip(*(_frame(settings, metrics) for settings in groups.values()), strict=True)
    frame = pd.concat(frames, ignore_index=True)
    order = frame["method"].drop_duplicates()
    ranked = frame.set_index("method").loc[order.tolist()].reset_index()
    return ResultsTable(ranked, tuple(dict.fromkeys(chain(*notes))))


def _read(folder: str | os.PathLike[str]) -> list[Run]:
    return whole_runs([Path(folder)])


def _check_names(groups: dict[tuple[str, str], list[Setting]]) -> None:
    """Refuse two datasets of one name, whose columns nobody could tell apart."""
    names = [_name_data(settings[0]) for settings in groups.values()]
    if doubled := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise LLPBenchError(
            f"runs are on several datasets called {examples(doubled)}, of different digests: give "
            "those of one"
        )


def _name_data(seeds: Setting) -> str:
    record = seeds[0].record
    name = mark_synthetic(record.dataset, record.synthetic)
    return name if record.split == "test" else f"{name}, {record.split}"


def _frame(settings: list[Setting], metrics: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Rows of one dataset, best first, and what is to be known of them."""
    kind, scores = pool_alike(settings)
    usual = METRICS if kind == "chips" else DIVISION_METRICS
    known = [name for name in usual if any(name in one.metrics for one in scores)]
    names = list(dict.fromkeys(metrics)) or known
    for name in names:
        if not any(name in one.metrics for one in scores):
            scores[0].value(name)  # refuses it, and says which there are
    marks = {name: _mark(settings, scores, name) for name in names}
    rows = [
        {
            "method": _name_setting(seeds, settings),
            "dataset": _name_data(seeds),
            "metric": name,
            **_numbers(one, name),
            "seeds": len(seeds),
            "mark": marks[name][number],
        }
        for number, (seeds, one) in enumerate(zip(settings, scores, strict=True))
        for name in names
        if name in one.metrics
    ]
    frame = pd.DataFrame(rows)
    measure = next(one.measure(names[0]) for one in scores if names[0] in one.metrics)
    return _sort(frame, measure), _notes(settings, scores, kind)


def _sort(frame: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """The best of a measure first; of one that is right at a value, what is nearest to it."""
    first, goal = frame[frame["metric"] == measure.name], measure.goal
    values = first["value"] if goal is None else (first["value"] - goal).abs()
    best_first = values.sort_values(ascending=measure.better != "higher", kind="stable")
    first = first.loc[best_first.index]
    rest = frame["method"][~frame["method"].isin(first["method"])]
    order = pd.concat([first["method"], rest.drop_duplicates()])
    return frame.set_index("method").loc[order.tolist()].reset_index()


def _numbers(scores: Measured, metric: str) -> dict[str, Any]:
    interval = scores.interval(metric)
    return {
        "title": scores.measure(metric).heading,
        "value": scores.value(metric),
        "low": float(interval.low),
        "high": float(interval.high),
    }


def _mark(settings: list[Setting], scores: list[Measured], metric: str) -> list[Mark]:
    """What is best among methods that compete, and what is not told apart from it."""
    marks: list[Mark] = [""] * len(scores)
    competing = [
        number
        for number, (seeds, one) in enumerate(zip(settings, scores, strict=True))
        if not seeds[0].record.is_reference
        and metric in one.metrics
        and one.measure(metric).goal is None
        and np.isfinite(one.value(metric))
    ]
    competing.sort(key=lambda number: _field(settings[number]))
    for _same, members in groupby(competing, lambda number: _field(settings[number])):
        numbers = list(members)
        if len(numbers) < 2:
            continue
        first, *others = (scores[number] for number in numbers)
        ranking = first.rank(others, metric)
        for number, rank, group in zip(numbers, ranking.rank, ranking.group, strict=True):
            marks[number] = "best" if rank == 1 else "not told apart" if group == 1 else ""
    return marks


def _field(seeds: Setting) -> tuple[str, str]:
    """What methods that compete have in common: what they may see, and learn from."""
    return seeds[0].record.track, seeds[0].record.supervision


def _name_setting(seeds: Setting, others: list[Setting]) -> str:
    record = seeds[0].record
    label = label_setting(record, [other[0].record for other in others])
    source = "" if record.trained_on == record.dataset else f"trained on {record.trained_on}"
    track = "" if record.track == "inductive" else record.track
    taught = "" if record.supervision == "division" else f"supervised by {record.supervision}s"
    said = ", ".join(filter(None, [track, taught, source]))
    return f"{label} ({said})" if said else label


def _notes(settings: list[Setting], scores: list[Measured], kind: str) -> list[str]:
    notes = []
    if len({_field(seeds) for seeds in settings if not seeds[0].record.is_reference}) > 1:
        notes.append("Methods of different tracks or supervision are not compared with each other.")
    references = [seeds[0].record.method for seeds in settings if seeds[0].record.is_reference]
    if references:
        names = ", ".join(dict.fromkeys(references))
        notes.append(f"References that do not compete: {names}.")
    if kind == "divisions":
        notes.append(f"{_name_data(settings[0])}: scores of division means.")
    if scores[0].note:
        notes.append(f"{_name_data(settings[0])}: {scores[0].note}.")
    return notes
