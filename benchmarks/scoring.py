"""CPU time of scoring, beside a plain way to do the same: ``python benchmarks/scoring.py``.

Both ways get the same arrays in the same run and must agree; the ratio of their times says more
than the milliseconds, which depend on the machine.
"""

from __future__ import annotations

import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported

import dask.array as da
import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

import llpbench.data.accessor  # noqa: F401  (registers ds.llp)
from llpbench import catalog, evaluate, make_predictions, metrics, write_predictions
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.info import DatasetInfo
from llpbench.data.store.layout import files_of
from llpbench.statistics import division_interval, division_sums

CLASSES = 5
CHIPS = 512
NAIVE_CHIPS = 64
BUDGET = {24: 0.10, 96: 0.30}  # CPU ms a chip
FILE_BUDGET = 2.0  # CPU s
SCORED_CHIPS, SCORED_DIVISIONS, DRAWS = 14_000, 300, 5000
SHARD, CHUNK = files_of(RGB_ONLY)


class Figures(NamedTuple):
    """What is scored of a pixel model."""

    mae: float
    mae_hard: float
    iou_pooled: float
    iou_per_image: float
    f1_micro: float


def score(truth: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> Figures:
    """Score with llpbench."""
    counts = metrics.compare_segmentations(truth, metrics.most_likely_class(probabilities), CLASSES)
    confusion = counts.confusion.sum(axis=0)
    return Figures(
        metrics.mae(counts.truth, metrics.mean_probabilities(probabilities)),
        metrics.mae(counts.truth, counts.predicted),
        float(metrics.iou_pooled(confusion)),
        metrics.iou_per_image(counts.confusion),
        float(metrics.f1(confusion)),
    )


def score_naively(truth: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> Figures:
    """Score chip by chip with scikit-learn."""
    factor = truth.shape[1] // probabilities.shape[1]
    classes = range(CLASSES)
    soft, hard, images = [], [], []
    confusion = np.zeros((CLASSES, CLASSES))
    for labels, chip in zip(truth, probabilities, strict=True):
        predicted = chip.argmax(axis=-1).repeat(factor, axis=0).repeat(factor, axis=1).ravel()
        one = sklearn_metrics.confusion_matrix(labels.ravel(), predicted, labels=classes)
        shares = one.sum(axis=1) / one.sum()
        soft.append(sklearn_metrics.mean_absolute_error(shares, chip.mean(axis=(0, 1))))
        hard.append(sklearn_metrics.mean_absolute_error(shares, one.sum(axis=0) / one.sum()))
        images.append(sklearn_metrics.jaccard_score(labels.ravel(), predicted, average="macro"))
        confusion += one
    hits = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - hits
    return Figures(
        float(np.mean(soft)),
        float(np.mean(hard)),
        float(np.mean(hits / union)),
        float(np.mean(images)),
        float(hits.sum() / confusion.sum()),
    )


def bootstrap_naively(errors: NDArray[np.float64], division: NDArray[np.int64]) -> list[float]:
    """Percentile bootstrap that gathers the chips of the divisions drawn, in few draws."""
    generator = np.random.default_rng(0)
    chips = [np.flatnonzero(division == number) for number in range(SCORED_DIVISIONS)]
    means = []
    for _ in range(DRAWS // 10):
        drawn = generator.integers(0, SCORED_DIVISIONS, SCORED_DIVISIONS)
        means.append(errors[np.concatenate([chips[number] for number in drawn])].mean())
    return np.quantile(means, [0.025, 0.975]).tolist()


def cpu_seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """Get the least CPU time of some runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def segmentations(side: int) -> None:
    """Compare times of scoring probabilities."""
    generator = np.random.default_rng(side)
    truth = generator.integers(0, CLASSES, (CHIPS, 96, 96)).astype(np.uint8)
    probabilities = generator.dirichlet(np.ones(CLASSES), (CHIPS, side, side)).astype(np.float32)
    few = truth[:NAIVE_CHIPS], probabilities[:NAIVE_CHIPS]
    np.testing.assert_allclose(score(*few), score_naively(*few), rtol=1e-5)
    ours = 1e3 * cpu_seconds(lambda: score(truth, probabilities)) / CHIPS
    naive = 1e3 * cpu_seconds(lambda: score_naively(*few), repeats=1) / NAIVE_CHIPS
    print(
        f"score {side}x{side}x{CLASSES}: {ours:.3f} ms CPU a chip (budget {BUDGET[side]:.2f}), "
        f"scikit-learn chip by chip {naive:.2f} ms, {naive / ours:.0f} times as much"
    )
    ours = 1e3 * cpu_seconds(lambda: metrics.most_likely_class(probabilities)) / CHIPS
    naive = 1e3 * cpu_seconds(lambda: probabilities.argmax(axis=-1).astype(np.uint8)) / CHIPS
    print(
        f"  most_likely_class: {ours:.4f} ms, numpy's argmax {naive:.4f} ms, "
        f"{naive / ours:.1f} times as much"
    )


def memory() -> None:
    """Show that chunked arrays are never in memory at once."""
    generator = np.random.default_rng(0)
    block = generator.integers(0, CLASSES, (64, 96, 96)).astype(np.uint8)
    for chunks in (8, 64):
        lazy = da.concatenate([da.from_array(block, chunks=64)] * chunks).map_blocks(np.array)
        tracemalloc.start()
        metrics.confusion_matrix(lazy, lazy, CLASSES)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"confusion matrix of {chunks} chunks, {lazy.nbytes / 1e6:.1f} MB of labels "
            f"({block.nbytes / 1e6:.1f} MB a chunk): peak {peak / 1e6:.1f} MB"
        )


def interval() -> None:
    """Compare times of an interval of the mean error, sums included."""
    generator = np.random.default_rng(0)
    truth, predicted = generator.dirichlet(np.ones(CLASSES), (2, SCORED_CHIPS))
    division = generator.integers(0, SCORED_DIVISIONS, SCORED_CHIPS)
    errors = metrics.mae(truth, predicted, per="chip")

    ours = cpu_seconds(lambda: division_interval(division_sums(errors, division)[1]))
    naive = 10 * cpu_seconds(lambda: bootstrap_naively(errors, division), repeats=1)
    print(
        f"interval of {SCORED_CHIPS:,} chips in {SCORED_DIVISIONS} divisions: {ours:.4f} s CPU; "
        f"a bootstrap of {DRAWS:,} draws that gathers chips {naive:.2f} s, "
        f"{naive / ours:.0f} times as much"
    )


def made_dataset(folder: Path) -> xr.Dataset:
    """Make a dataset by hand: a test split, and a small train split in one more division."""
    generator = np.random.default_rng(0)
    label_set = catalog.label_set("esaworldcover")
    own = np.sort(generator.integers(0, SCORED_DIVISIONS, SCORED_CHIPS))
    own = np.append(own, np.full(SHARD, SCORED_DIVISIONS))
    chips, divisions = len(own), SCORED_DIVISIONS + 1
    blocks = generator.integers(0, 11, (chips, 10, 10), dtype=np.uint8)
    label = zarr.create_array(
        folder / "label.zarr",
        data=blocks.repeat(10, axis=1).repeat(10, axis=2),
        chunks=(CHUNK, 100, 100),
        shards=(SHARD, 100, 100),
    )
    proportions = generator.dirichlet(np.ones(len(label_set.classes)), divisions)
    division = np.array([f"d{number:03}" for number in range(divisions)])
    numbers = np.arange(chips, dtype=np.int32)
    return xr.Dataset(
        {
            "label": (("chip", "y", "x"), da.from_array(label, chunks=(SHARD, 100, 100))),
            "target": (("chip", "category"), proportions[own]),
            "division_proportions": (("division", "category"), proportions),
            "overlap_chip": ("overlap", numbers),
            "overlap_division": ("overlap", own.astype(np.int32)),
            "overlap_area": ("overlap", np.ones(chips, dtype=np.float32)),
        },
        {
            "chip": [f"{number:013x}" for number in numbers],
            "chip_number": ("chip", numbers),
            "split": ("chip", np.where(numbers < SCORED_CHIPS, "test", "train")),
            "own_division": ("chip", division[own]),
            "division": division,
            "division_number": ("division", np.arange(divisions, dtype=np.int32)),
            "category": np.arange(len(label_set.classes)),
            "category_name": ("category", [one.name for one in label_set.classes]),
        },
        DatasetInfo("made", "made", label_set, synthetic=True, digest="made").attributes(),
    )


def proportions_file() -> None:
    """Measure reading, checking and scoring a file of proportions, with every interval."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ds = made_dataset(folder)
        test = ds.llp.group().llp.split("test")
        shares = np.random.default_rng(1).dirichlet(np.ones(CLASSES), SCORED_CHIPS)
        made = make_predictions(test["chip"].to_numpy(), test["category_name"].to_numpy(), shares)
        for ending in ("parquet", "csv"):
            file = folder / f"predictions.{ending}"
            write_predictions(made, file)
            start = time.process_time()
            scores = evaluate(file, ds)
            values = time.process_time() - start
            table = scores.table()
            seconds = time.process_time() - start
            print(
                f"{ending} of {scores.chips:,} chips in {len(scores.divisions)} divisions: "
                f"{seconds:.2f} s CPU (budget {FILE_BUDGET:.2f}), {values:.2f} of it for labels "
                f"and values, the rest for {len(table)} intervals of {DRAWS:,} draws"
            )


if __name__ == "__main__":
    proportions_file()
    for pixels in BUDGET:
        segmentations(pixels)
    memory()
    interval()
