"""CPU milliseconds a chip of batches, beside plain indexing and reading one batch at a time.

Usage: python benchmarks/batches.py [--chips 2048] [--threads 1]

Batches of 32 made chips: numpy's own indexing of an array in memory; ours from memory, streamed
from a store, of divisions, and for tf.data; and ``isel`` of random chips on the opened store.
All in one process, so that the ratios hold on a busy machine; CPU time is that of all threads
together, the best of several rounds after one to warm up.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from training import best

BATCH = 32


def main() -> None:
    """Measure and print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chips", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLPBENCH_CACHE"] = folder
        print(f"CPU ms a chip, batch {BATCH}")
        for name, (run, chips, rounds) in ways(Path(folder), chosen.chips).items():
            print(f"{name:34}{best(run, chips, rounds):10.4f}", flush=True)


def ways(folder: Path, chips: int) -> dict[str, tuple[Callable[[], Any], int, int]]:
    """What to time: a call, the chips it yields, and how often to repeat it."""
    import numpy as np

    import llpbench
    from llpbench.data.batches.frameworks import to_tensorflow
    from llpbench.data.batches.images import load_images

    llpbench.synthesize("made", "esaworldcover", chips=chips, seed=0)
    ds = llpbench.open_dataset(folder / "made").llp.group()
    ds = ds.isel(chip=np.isfinite(ds["target"].to_numpy()).all(axis=1))
    count = ds.sizes["chip"]
    images, targets = load_images(ds), ds["target"].to_numpy()
    generator = np.random.default_rng(0)

    def index() -> Iterator[Any]:
        order = generator.permutation(count)
        for start in range(0, count, BATCH):
            yield images[order[start : start + BATCH]], targets[order[start : start + BATCH]]

    def isel() -> Iterator[Any]:
        for _batch in range(4):
            yield load_images(ds.isel(chip=np.sort(generator.choice(count, BATCH, replace=False))))

    ours, made = ds.llp.batches(BATCH), to_tensorflow(ds.llp.batches(BATCH))
    stream, turned = ds.llp.batches(BATCH, memory=0), ds.llp.batches(BATCH, augment=True)
    bags = ds.llp.batches(2, by="division")
    drawn = 16 * sum(len(found) for _images, found in bags)
    return {
        "numpy indexing": (lambda: drain(index()), count, 5),
        "ours, in memory": (lambda: drain(ours), count, 5),
        "ours, turned and flipped": (lambda: drain(turned), count, 5),
        "ours, by division": (lambda: drain(bags), drawn, 5),
        "ours, tf.data": (lambda: drain(made), count, 5),
        "ours, streamed from the store": (lambda: drain(stream), count, 2),
        "isel on the store": (lambda: drain(isel()), 4 * BATCH, 1),
    }


def drain(batches: Any) -> None:
    """Take all batches, keep none."""
    for _batch in batches:
        pass


if __name__ == "__main__":
    main()
