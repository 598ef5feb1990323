"""The tables of docs/comparison, from the lines that `comparison.py` keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from comparison_runs import BAGS, RUNS, Kept, read_runs
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from llpbench.errors import LLPBenchError
from llpbench.methods.registry import describe_method
from llpbench.runs.command import RunCommand
from llpbench.runs.results import pool_scores
from llpbench.scoring.comparison import TOLD_APART
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.scores import Scores
from llpbench.statistics.sums import MINIMUM_DIVISIONS
from llpbench.writing import replace_text

FOLDER = RUNS.parent
METHODS, RANKINGS = "methods.csv", "rankings.csv"
VALUES = (
    *("mae_hard", "f1_micro", "calibration_slope", "within_division_r2"),
    "expected_calibration_error",
)
"""Means over seeds beside the MAE."""
BOUND, RIDGE = "pixel-supervised", "bag-ridge"
MAE = BY_NAME["mae"]


@dataclass(frozen=True)
class Cell:
    """A method on one kind of bags of a dataset, all seeds together."""

    dataset: str
    bags: str
    method: str
    scores: Scores
    seeds: pd.DataFrame
    command: str = ""

    @property
    def mae(self) -> float:
        """Mean over seeds."""
        return self.scores.value("mae")

    @property
    def sums(self) -> NDArray[np.float64]:
        """Sums of the errors of each class, and chips, (seed, division, class + 1)."""
        return MAE.sums(self.scores.tallies)

    @property
    def spread(self) -> float:
        """How far seeds lie apart, of their mean; NaN of a single one."""
        errors = MAE.statistic(self.sums.sum(axis=1))
        return float(np.ptp(errors) / errors.mean()) if len(errors) > 1 else np.nan

    def mean(self, name: str) -> float:
        """Mean of another value over seeds; NaN where there is none."""
        return float(self.seeds[name].mean()) if name in self.seeds else np.nan

    @property
    def kind(self) -> str:
        """Its track, or that it is not ranked: bounds, and what learns no more than a mean."""
        told = describe_method(self.method)
        return "not ranked" if told.is_reference else told.track

    @property
    def is_ranked(self) -> bool:
        """Whether it is ranked by what it learns from training divisions and images alone."""
        return self.kind == "inductive"


def write_tables(runs: Path, folder: Path) -> None:
    """Write both tables of what is there: a row a method and kind of bags; a row a dataset."""
    cells = list(read_cells(runs))
    rows = [row for group in _groups(cells) for row in method_rows(group, cells)]
    rankings = [
        ranking_row([cell for cell in cells if cell.dataset == dataset])
        for dataset in dict.fromkeys(cell.dataset for cell in cells)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in ((METHODS, rows), (RANKINGS, [row for row in rankings if row])):
        text = pd.DataFrame(table).to_csv(index=False, float_format="%.4f", lineterminator="\n")
        replace_text(folder / name, text)


def read_cells(runs: Path) -> Iterator[Cell]:
    """Read what is kept, seeds of one method together."""
    groups: dict[tuple[str, str, str], dict[int, Kept]] = {}
    for run, kept in read_runs(runs).items():
        groups.setdefault((run.dataset, run.bags, run.method), {})[run.seed] = kept
    for (dataset, bags, method), seeds in groups.items():
        rows = [
            {"cpu_seconds": kept.cpu_seconds, "parameters": kept.parameters, **kept.values}
            for kept in seeds.values()
        ]
        scores = pool_scores([kept.scores for kept in seeds.values()])
        settings, *others = (kept.settings for kept in seeds.values())
        if any(other != settings for other in others):
            raise LLPBenchError(
                f"seeds of {method} on {dataset}, {bags} bags, were trained with several settings, "
                f"such as {settings}: remove the lines of all but one from {runs}"
            )
        command = str(RunCommand(method, dataset, tuple(seeds), settings))
        yield Cell(dataset, bags, method, scores, pd.DataFrame(rows), command)


def _groups(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells of one kind of bags of one dataset, best first."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.mae):
        groups.setdefault((cell.dataset, cell.bags), []).append(cell)
    return [groups[key] for key in sorted(groups)]


def method_rows(group: Sequence[Cell], cells: Sequence[Cell]) -> Iterator[dict[str, Any]]:
    """Rows of one kind of bags of one dataset: scores, differences, ratio to the bound, costs."""
    best = next((cell for cell in group if cell.is_ranked), None)
    ridge = next((cell for cell in group if cell.method == RIDGE), None)
    bound = next(
        (
            cell
            for cell in cells
            if (cell.dataset, cell.bags, cell.method) == (group[0].dataset, "real", BOUND)
        ),
        None,
    )
    for cell in group:
        interval = cell.scores.interval("mae")
        yield {
            "dataset": cell.dataset,
            "bags": cell.bags,
            "method": cell.method,
            "kind": cell.kind,
            "mae": cell.mae,
            "low": interval.low,
            "high": interval.high,
            **{name: cell.mean(name) for name in VALUES},
            "spread": cell.spread,
            **differences("best", cell, best),
            **differences("ridge", cell, ridge),
            "bound_ratio": cell.mae / bound.mae if bound else np.nan,
            "parameters": int(cell.seeds["parameters"].iloc[0]),
            "cpu_seconds": round(float(cell.seeds["cpu_seconds"].mean()), 1),
            "seeds": len(cell.seeds),
            "command": cell.command if cell.bags == "real" else "",
        }


def differences(name: str, cell: Cell, other: Cell | None) -> dict[str, float]:
    """A method's MAE minus another's on the same divisions, with its interval and p-value."""
    keys = (name, f"{name}_low", f"{name}_high", f"{name}_p")
    if other is None or other.method == cell.method:
        return dict.fromkeys(keys, np.nan)
    found = cell.scores.compare(other.scores, "mae")
    return dict(zip(keys, (found.difference, found.low, found.high, found.p_value), strict=True))


def ranking_row(cells: Sequence[Cell]) -> dict[str, Any] | None:
    """What of the ranking on random bags holds on real divisions of a dataset; None without two.

    Pairs of methods are told apart by the paired test that rankings use, corrected over all pairs.
    """
    both: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        if cell.is_ranked:
            both.setdefault(cell.method, {})[cell.bags] = cell
    shared = {name: kinds for name, kinds in both.items() if len(kinds) == 2}
    if len(shared) < 2:
        return None
    order: dict[str, NDArray[np.int_]] = {}
    for bags in BAGS:
        first, *others = (kinds[bags].scores for kinds in shared.values())
        order[bags] = signs(first.rank(others))
    upper = np.triu_indices(len(shared), 1)
    random, real = order["random"][upper], order["real"][upper]
    divisions = len(next(iter(shared.values()))["real"].scores.divisions)
    return {
        "dataset": cells[0].dataset,
        "methods": len(shared),
        "divisions": divisions,
        **correlation(shared),
        "told_apart_random": int((random != 0).sum()),
        "told_apart_real": int((real != 0).sum()),
        "same": int((random * real == 1).sum()),
        "open": int(((random != 0) & (real == 0)).sum()),
        "reversed": int((random * real == -1).sum()),
    }


def signs(ranking: Any) -> NDArray[np.int_]:
    """Which of each pair is better, -1 the row's and 1 the column's; 0 where none is told apart."""
    loss = ranking.value
    order = np.sign(loss[:, np.newaxis] - loss[np.newaxis, :]).astype(int)
    return np.where(ranking.p_values <= TOLD_APART, order, 0)


def correlation(
    methods: Mapping[str, Mapping[str, Cell]], *, draws: int = 5000
) -> dict[str, float]:
    r"""Spearman's rank correlation of the MAE of methods on random bags and on real divisions.

    The interval holds the percentiles of 5,000 draws of test divisions, the same for all methods
    and both kinds of bags; seeds are averaged. Draws of methods that are nearly alike change
    places at random, which lowers their correlation: it is cautious. NaN with too few divisions,
    and with fewer than three methods.
    """
    sums = np.stack(
        [[kinds[bags].sums.mean(axis=0) for kinds in methods.values()] for bags in BAGS]
    )
    value = spearmanr(*MAE.statistic(sums.sum(axis=2))).statistic
    divisions = sums.shape[2]
    found = {"correlation": float(value), "correlation_low": np.nan, "correlation_high": np.nan}
    if divisions < MINIMUM_DIVISIONS or len(methods) < 3:
        return found
    counts = np.random.default_rng(0).multinomial(
        divisions, np.full(divisions, 1 / divisions), draws
    )
    errors = MAE.statistic(np.einsum("dc,bmct->bdmt", counts, sums))
    ranks = rankdata(errors, axis=-1)
    ranks = ranks - ranks.mean(axis=-1, keepdims=True)
    random, real = ranks
    scale = np.sqrt((random**2).sum(axis=-1) * (real**2).sum(axis=-1))
    low, high = np.percentile((random * real).sum(axis=-1) / scale, [2.5, 97.5])
    return {**found, "correlation_low": float(low), "correlation_high": float(high)}
