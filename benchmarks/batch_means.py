"""Exact scores beside means of batch means: ``python benchmarks/batch_means.py``.

The original benchmark scores a batch at a time, averages the batches and drops the last incomplete
one. On made chips this prints how far that is from the mean over every chip; the table is in
``docs/protocol.md``. Chips stand in the order of their divisions, as in a dataset, so that those
dropped belong to one or two divisions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics

CLASSES, DIVISIONS, CHIPS = 5, 40, 1000
BATCH_SIZES = (32, 64, 128, 256)

Images = NDArray[np.uint8]


def made_chips(seed: int = 0) -> tuple[Images, Images]:
    """Make labels (n, 96, 96) and segmentations (n, 24, 24) with errors that divisions share."""
    random = np.random.default_rng(seed)
    sizes = 1 + random.multinomial(CHIPS - DIVISIONS, random.dirichlet(np.ones(DIVISIONS)))
    division = np.repeat(np.arange(DIVISIONS), sizes)
    mixes = random.dirichlet(np.full(CLASSES, 0.5), DIVISIONS)[division]
    shares = np.stack([random.dirichlet(5 * mix + 0.05) for mix in mixes])
    fields = (random.random((CHIPS, 36, 1)) > shares.cumsum(axis=1)[:, None]).sum(axis=2)
    fields = fields.clip(max=CLASSES - 1).astype(np.uint8).reshape(CHIPS, 6, 6)
    cells = fields.repeat(4, axis=1).repeat(4, axis=2)
    wrong = random.random(cells.shape) < random.beta(2, 3, DIVISIONS)[division, None, None]
    guesses = random.choice(CLASSES, cells.shape, p=shares.mean(axis=0)).astype(np.uint8)
    return cells.repeat(4, axis=1).repeat(4, axis=2), np.where(wrong, guesses, cells)


def score(truth: Images, segmentation: Images) -> NDArray[np.float64]:
    """MAE of counted shares, F1 micro and pooled IoU of some chips."""
    counted = metrics.compare_segmentations(truth, segmentation, CLASSES)
    confusion = counted.confusion.sum(axis=0)
    return np.array(
        [
            metrics.mae(counted.truth, counted.predicted),
            metrics.f1(confusion),
            metrics.iou_pooled(confusion),
        ]
    )


def mean_of_batches(truth: Images, segmentation: Images, size: int) -> NDArray[np.float64]:
    """The same, averaged over whole batches."""
    starts = range(0, len(truth) - size + 1, size)
    batches = [(truth[i : i + size], segmentation[i : i + size]) for i in starts]
    return np.mean([score(*batch) for batch in batches], axis=0)


if __name__ == "__main__":
    chips = made_chips()
    rows = {"every chip, once": (0, score(*chips))}
    for size in BATCH_SIZES:
        rows[f"means of batches of {size}"] = CHIPS % size, mean_of_batches(*chips, size)
    print(f"{'':<24}  dropped  mae_hard  f1_micro  iou_pooled")
    for name, (dropped, values) in rows.items():
        print(f"{name:<24}  {dropped:>7}  {values[0]:8.4f}  {values[1]:8.4f}  {values[2]:10.4f}")
