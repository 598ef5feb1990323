"""Scoring a file of predictions, and metrics of segmentations: CPU time, and memory at most."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

CHIPS = 1024


class File:
    """A file of shares, read, checked and scored with all intervals."""

    params = ("parquet", "csv")
    param_names = ("format",)
    timer = time.process_time

    def setup_cache(self) -> str:
        """Make a dataset and predictions of it, once."""
        import llpbench

        os.environ["LLPBENCH_CACHE"] = str(Path.cwd())
        llpbench.synthesize("made", "esaworldcover", chips=CHIPS, seed=0)
        test = llpbench.open_dataset("made", split="test").llp.group()
        names = test["category_name"].to_numpy()
        shares = np.random.default_rng(1).dirichlet(np.ones(len(names)), test.sizes["chip"])
        made = llpbench.make_predictions(test["chip"].to_numpy(), names, shares)
        for ending in self.params:
            llpbench.write_predictions(made, Path(f"predictions.{ending}"))
        return str(Path.cwd())

    def time_evaluate(self, folder: str, ending: str) -> None:
        """Read, check, score."""
        self._evaluate(folder, ending)

    def peakmem_evaluate(self, folder: str, ending: str) -> None:
        """The same, as memory of the process."""
        self._evaluate(folder, ending)

    def _evaluate(self, folder: str, ending: str) -> None:
        import llpbench

        llpbench.evaluate(Path(folder) / f"predictions.{ending}", Path(folder) / "made").table()


class Segmentations:
    """Metrics of 256 chips with probabilities of so many cells a side."""

    params = (24, 96)
    param_names = ("side",)
    timer = time.process_time

    def setup(self, side: int) -> None:
        """Draw truth and probabilities."""
        generator = np.random.default_rng(side)
        self.truth = generator.integers(0, 5, (256, 96, 96)).astype(np.uint8)
        self.probabilities = generator.dirichlet(np.ones(5), (256, side, side)).astype(np.float32)

    def time_compare(self, _side: int) -> None:
        """Most likely classes, their counts, and what follows from these."""
        from llpbench import metrics

        classes = metrics.most_likely_class(self.probabilities)
        counts = metrics.compare_segmentations(self.truth, classes, 5)
        metrics.iou_per_image(counts.confusion)
