"""What `comparison.py` keeps of every training: a line of JSON, a few kilobytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from llpbench.scoring.scores import Scores
from llpbench.writing import replace_text

RUNS = Path(__file__).parents[1] / "docs" / "comparison" / "runs.jsonl"
BAGS = ("random", "real")
_VALUES = ("mae_hard", "f1_micro", "calibration_slope", "within_division_r2")
_DECIMALS = 6


@dataclass(frozen=True)
class Run:
    """One training: a method on one kind of bags of a dataset."""

    dataset: str
    bags: str
    method: str
    seed: int


@dataclass(frozen=True)
class Kept:
    """Its scores, whose tallies are those of the MAE alone, single values of others, and costs.

    ``values`` hold the brier score and calibration error too, of methods with probabilities of
    pixels.
    """

    scores: Scores
    values: dict[str, float]
    settings: dict[str, Any]
    parameters: int
    cpu_seconds: float

    @classmethod
    def of(
        cls,
        scores: Scores,
        pixels: Mapping[str, float],
        settings: dict[str, Any],
        parameters: int,
        cpu_seconds: float,
    ) -> Self:
        """Keep no more than the tables need."""
        values = {name: scores.value(name) for name in _VALUES if name in scores.metrics}
        rounded = {
            name: round(value, _DECIMALS)
            for name, value in {**values, **pixels}.items()
            if np.isfinite(value)
        }
        errors = {"errors": scores.tallies["errors"].round(_DECIMALS)}
        kept = replace(scores, tallies=errors, seeds=[], opened=None, segmentation=None)
        return cls(kept, rounded, settings, parameters, round(cpu_seconds, 1))


def read_runs(path: Path) -> dict[Run, Kept]:
    """Read what is there; nothing where there is no file."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(_read(json.loads(line)) for line in lines)


def _read(line: dict[str, Any]) -> tuple[Run, Kept]:
    run = Run(**line.pop("run"))
    return run, Kept(Scores.from_json(json.dumps(line.pop("scores"))), **line)


def write_runs(path: Path, runs: Mapping[Run, Kept]) -> None:
    """Write all of them, sorted, so that one more is one line more."""
    order = sorted(runs.items(), key=lambda item: tuple(asdict(item[0]).values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, "".join(json.dumps(_written(*item)) + "\n" for item in order))


def _written(run: Run, kept: Kept) -> dict[str, Any]:
    costs = {name: getattr(kept, name) for name in ("values", "settings", "parameters")}
    scores = json.loads(kept.scores.to_json())
    del scores["metrics"]  # they follow from the tallies
    return {"run": asdict(run), **costs, "cpu_seconds": kept.cpu_seconds, "scores": scores}
