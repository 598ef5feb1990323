"""Finished runs put together: seeds of one setting are one result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from llpbench.errors import LLPBenchError
from llpbench.runs.record import RECORD, Run, RunRecord, read_run
from llpbench.scoring.scores import Scores


@dataclass(frozen=True)
class Result:
    """What one setting of a method scored on a split, all its seeds together.

    Parameters
    ----------
    label : str
        The method, with those of its settings that tell it from other results.
    runs : tuple of Run
        By seed.
    scores : Scores
        Of all seeds.
    """

    label: str
    runs: tuple[Run, ...]
    scores: Scores

    @property
    def record(self) -> RunRecord:
        """Of the first seed."""
        return self.runs[0].record

    def value(self, metric: str) -> float | None:
        """A metric, None where this result has it not.

        Parameters
        ----------
        metric : str

        Returns
        -------
        float or None
        """
        return self.scores.value(metric) if metric in self.scores.metrics else None

    @property
    def train_mean(self) -> float | None:
        """MAE of the train mean on the same chips; None without a train split."""
        skill = self.value("skill")
        if skill is None or not np.isfinite(skill) or skill == 1:
            return None
        return self.scores.value("mae") / (1 - skill)


def find_results(folders: Iterable[Path]) -> list[Result]:
    """Read all finished runs below some folders.

    Parameters
    ----------
    folders : iterable of Path
        Run folders, or folders that hold them at any depth, such as those of sweeps.

    Returns
    -------
    list of Result
        Sorted by label; runs without scores are left out.

    Raises
    ------
    LLPBenchError
        If a folder holds no run, or one that cannot be read.
    """
    runs: dict[str, list[Run]] = {}
    for folder in folders:
        for path in _run_folders(folder):
            run = read_run(path)
            if run.scores:
                runs.setdefault(_setting(run.record), []).append(run)
    groups = [tuple(sorted(found, key=lambda run: run.record.seed)) for found in runs.values()]
    settings = [seeds[0].record for seeds in groups]
    results = [
        Result(
            _label(seeds[0].record, settings),
            seeds,
            pool_seeds([run.scores for run in seeds if run.scores]),
        )
        for seeds in groups
    ]
    return sorted(results, key=lambda result: result.label)


def pool_seeds(seeds: Sequence[Scores]) -> Scores:
    """Put scores of single seeds together as those of one method with several.

    Parameters
    ----------
    seeds : sequence of Scores
        On the same split.

    Returns
    -------
    Scores
        Without chips.
    """
    names = seeds[0].tallies
    tallies = {name: np.concatenate([seed.tallies[name] for seed in seeds]) for name in names}
    return replace(seeds[0], tallies=tallies, seeds=[])


def _run_folders(folder: Path) -> Iterator[Path]:
    found = sorted(path.parent for path in folder.rglob(RECORD))
    if not found:
        raise LLPBenchError(f"{str(folder)!r} holds no finished run: there is no {RECORD} in it")
    yield from found


def _setting(record: RunRecord) -> str:
    """What seeds of one result have in common."""
    digests = (record.dataset_digest, record.trained_on_digest)
    return json.dumps([record.method, *digests, record.split, record.settings], sort_keys=True)


def _label(record: RunRecord, others: Sequence[RunRecord]) -> str:
    """The method, with settings in which it differs from others of its name."""
    same = [other.settings for other in others if other.method == record.method]
    varied = [
        f"{key}={value}"
        for key, value in record.settings.items()
        if any(other.get(key) != value for other in same)
    ]
    return " ".join([record.method, *varied])
