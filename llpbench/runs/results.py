"""Finished runs put together: seeds of one setting are one result."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from llpbench.brief import Brief
from llpbench.errors import LLPBenchError, examples
from llpbench.runs.record import RECORD, Run, RunRecord, read_run
from llpbench.scoring.division_scores import DivisionScores
from llpbench.scoring.measured import Measured
from llpbench.scoring.scores import Scores

log = logging.getLogger(__name__)

METRICS = ("mae", "mae_hard", "f1_micro", "skill")
"""What tables of results show."""

DIVISION_METRICS = ("mae", "r2", "calibration_slope")
"""What they show of divisions."""


@dataclass(frozen=True, repr=False)
class Result(Brief):
    """What one setting of a method scored on a split, all its seeds together.

    The label is the method, with those of its settings in which it differs from other results.
    """

    label: str
    runs: tuple[Run, ...]
    scores: Scores

    @property
    def record(self) -> RunRecord:
        """Of the first seed."""
        return self.runs[0].record

    def value(self, metric: str) -> float | None:
        """A metric by name, None where this result does not have it or it is not defined."""
        return _value(self.scores, metric)

    @property
    def train_mean(self) -> float | None:
        """MAE of the train mean on the same chips; None without a train split."""
        skill = self.value("skill")
        return None if skill is None or skill == 1 else self.scores.value("mae") / (1 - skill)


def find_runs(folders: Iterable[Path]) -> list[Run]:
    """Read all finished runs below folders, in the order of the folders, and of paths inside.

    Hidden folders below them, where unfinished runs lie, are passed over. A folder without any
    finished run, or with one that cannot be read, is refused.
    """
    runs = []
    for folder in folders:
        records = [path for path in sorted(folder.rglob(RECORD)) if not _is_hidden(path, folder)]
        if not records:
            raise LLPBenchError(
                f"{str(folder)!r} holds no finished run: there is no {RECORD} in it"
            )
        for path in records:
            log.debug("reading the run in %s", path.parent)
            runs.append(read_run(path.parent))
    return runs


def _is_hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def find_results(folders: Iterable[Path]) -> list[Result]:
    """Read all finished runs below folders, seeds of one setting together.

    Parameters
    ----------
    folders : iterable of Path
        Run folders, or folders that hold them at any depth, such as those of sweeps.

    Returns
    -------
    list of Result
        Sorted by label; runs without scores of chips are left out, and a note says how many.

    Raises
    ------
    LLPBenchError
        If a folder holds no finished run, or one that cannot be read.
    """
    runs = find_runs(folders)
    unscored = sum(run.scores is None for run in runs)
    if unscored:
        log.warning("%d of %d runs have no scores of chips and are left out", unscored, len(runs))
    groups = group_seeds(run for run in runs if run.scores)
    settings = [seeds[0].record for seeds in groups]
    results = [
        Result(label_setting(seeds[0].record, settings), seeds, pool_seeds(seeds))
        for seeds in groups
    ]
    return sorted(results, key=lambda result: result.label)


def group_seeds(runs: Iterable[Run]) -> list[tuple[Run, ...]]:
    """Put the seeds of each setting together, sorted by seed.

    There is a tuple for each method, its settings, training data, data and split, in the order of
    their first runs.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(_setting(run.record), []).append(run)
    return [tuple(sorted(seeds, key=lambda run: run.record.seed)) for seeds in groups.values()]


def pool_seeds(runs: Sequence[Run]) -> Scores:
    """Put scores of single seeds, on the same split, together as those of one method with several.

    They are without chips.
    """
    return pool_scores([run.scores for run in runs if run.scores])


def pool_scores(seeds: Sequence[Scores]) -> Scores:
    """Put scores of single seeds together, as :func:`pool_seeds` does those of runs."""
    for other in seeds[1:]:
        seeds[0].check_same(other)
    names = [name for name in seeds[0].tallies if all(name in one.tallies for one in seeds)]
    tallies = {name: np.concatenate([scores.tallies[name] for scores in seeds]) for name in names}
    return replace(seeds[0], tallies=tallies, seeds=[])


def result_row(runs: Sequence[Run]) -> dict[str, Any]:
    """Write one or several seeds of a setting as numbers: a row of any table of results.

    ``method``, ``dataset`` (which was predicted), ``synthetic``, ``split``; :data:`METRICS`, means
    over seeds; ``low`` and ``high``, the 95 % interval of the MAE over test divisions and
    seeds; ``validation_mae``, the mean error of the divisions of the val split; of the
    number of ``divisions`` that were scored :data:`DIVISION_METRICS`, each as ``division_METRIC``,
    and the interval of their MAE, ``division_low`` and ``division_high``; ``parameters`` (learned
    weights) and ``multiply_adds`` for a chip; ``fit_seconds``, ``predict_seconds`` (wall) and
    ``cpu_seconds``, means over seeds. None for what is not known.
    """
    scores = pool_seeds(runs) if all(run.scores for run in runs) else None
    record = runs[0].record
    return {
        **{name: getattr(record, name) for name in ("method", "dataset", "synthetic", "split")},
        **{name: None if scores is None else _value(scores, name) for name in METRICS},
        **_bounds(scores),
        "validation_mae": validation_mae(runs),
        **_division_numbers(runs),
        **{name: record.footprint.get(name) for name in ("parameters", "multiply_adds")},
        **{
            name: float(np.mean([getattr(run.record, name) for run in runs]))
            for name in ("fit_seconds", "predict_seconds", "cpu_seconds")
        },
    }


def validation_mae(runs: Sequence[Run]) -> float | None:
    """Error of the divisions of the val split, mean over seeds; None where a run knows none."""
    known = [run.record.validation["mae"] for run in runs if run.record.validation]
    return float(np.mean(known)) if len(known) == len(runs) else None


def pool_divisions(runs: Sequence[Run]) -> DivisionScores | None:
    """Scores of divisions of single seeds as those of one method; None where a run has none."""
    seeds = [run.divisions for run in runs if run.divisions]
    if len(seeds) < len(runs):
        return None
    for other in seeds[1:]:
        seeds[0].check_same(other)
    return replace(seeds[0], predicted=np.concatenate([scores.predicted for scores in seeds]))


def pool_alike(settings: Sequence[Sequence[Run]]) -> tuple[str, list[Measured]]:
    """Scores of several settings, a list of seeds each, that can be compared.

    Returns
    -------
    str
        ``chips``, where all runs have scores of them, else ``divisions``.
    list of Scores or DivisionScores
        In the order of the settings.

    Raises
    ------
    LLPBenchError
        If some runs have scores of chips alone, others of divisions alone.
    """
    if all(run.scores for seeds in settings for run in seeds):
        return "chips", [pool_seeds(seeds) for seeds in settings]
    pooled = [pool_divisions(seeds) for seeds in settings]
    found = [scores for scores in pooled if scores is not None]
    if len(found) < len(pooled):
        raise LLPBenchError(
            f"{examples([str(seeds[0].folder) for seeds in settings])} are not scored on the same: "
            "neither all by chips nor divisions"
        )
    return "divisions", [*found]


def _division_numbers(runs: Sequence[Run]) -> dict[str, float | None]:
    scores = pool_divisions(runs)
    values = {
        name: None if scores is None else _finite(scores.value(name)) for name in DIVISION_METRICS
    }
    return {
        **{f"division_{name}": value for name, value in values.items()},
        **{f"division_{name}": value for name, value in _bounds(scores).items()},
        "divisions": None if scores is None else len(scores.divisions),
    }


def _bounds(scores: Scores | DivisionScores | None) -> dict[str, float | None]:
    """The interval of the mean absolute error; None where there is none."""
    if scores is None:
        return {"low": None, "high": None}
    interval = scores.interval("mae")
    return {"low": _finite(float(interval.low)), "high": _finite(float(interval.high))}


def label_setting(record: RunRecord, others: Sequence[RunRecord]) -> str:
    """Name the method, with those settings in which it differs from others of its name.

    That a file of it predicted is always said.
    """
    same = [other.settings for other in others if other.method == record.method]
    varied = [
        f"{key}={value}"
        for key, value in record.settings.items()
        if any(other.get(key) != value for other in same)
    ]
    file = [] if record.export is None else [f"({', '.join(_kind(record))})"]
    return " ".join([record.method, *varied, *file])


def _setting(record: RunRecord) -> str:
    """What seeds of one result have in common."""
    digests = (record.dataset_digest, record.trained_on_digest)
    part = (record.split, record.fold)
    setting = [record.method, *digests, *part, record.settings, _kind(record)]
    return json.dumps(setting, sort_keys=True)


def _kind(record: RunRecord) -> list[str]:
    """Format and numbers of the exported file that predicted, where it was one."""
    return [] if record.export is None else [record.export.file_format, record.export.numbers]


def _value(scores: Scores, metric: str) -> float | None:
    return _finite(scores.value(metric)) if metric in scores.metrics else None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
