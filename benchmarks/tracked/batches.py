"""A pass over 1,024 made chips in batches of 32, beside plain indexing and ``isel``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

BATCH, CHIPS = 32, 1024
WAYS = (
    "numpy indexing",
    "in memory",
    "turned and flipped",
    "by division",
    "streamed from the store",
    "isel on the store, 4 batches",
)


class Batches:
    """CPU seconds of one pass."""

    params = WAYS
    param_names = ("way",)
    timer = time.process_time

    def setup_cache(self) -> str:
        """Make the dataset once, in the folder of the suite."""
        import llpbench

        os.environ["LLPBENCH_CACHE"] = str(Path.cwd())
        llpbench.synthesize("made", "esaworldcover", chips=CHIPS, seed=0)
        return str(Path.cwd() / "made")

    def setup(self, store: str, way: str) -> None:
        """Open it, and make what does not belong to the pass."""
        self.batches = _ways(store)[way]
        self.time_pass(store, way)  # what a first pass keeps in memory

    def time_pass(self, _store: str, _way: str) -> None:
        """Take all batches, keep none."""
        for _batch in self.batches():
            pass


def _ways(store: str) -> dict[str, Callable[[], Iterable[Any]]]:
    import numpy as np

    import llpbench
    from llpbench.data.batches.images import load_images

    ds = llpbench.open_dataset(store).llp.group()
    ds = ds.isel(chip=np.isfinite(ds["target"].to_numpy()).all(axis=1))
    images, targets = load_images(ds), ds["target"].to_numpy()
    generator = np.random.default_rng(0)

    def index() -> Iterable[Any]:
        order = generator.permutation(len(images))
        for start in range(0, len(images), BATCH):
            drawn = order[start : start + BATCH]
            yield images[drawn], targets[drawn]

    def isel() -> Iterable[Any]:
        for _ in range(4):
            drawn = generator.choice(len(images), BATCH, replace=False)
            yield load_images(ds.isel(chip=np.sort(drawn)))

    made = {
        "in memory": ds.llp.batches(BATCH),
        "turned and flipped": ds.llp.batches(BATCH, augment=True),
        "by division": ds.llp.batches(2, by="division"),
        "streamed from the store": ds.llp.batches(BATCH, memory=0),
    }
    ours = {name: made[name].__iter__ for name in made}
    return {"numpy indexing": index, "isel on the store, 4 batches": isel, **ours}
