"""Chips a CPU second and peak memory with many bands, beside plain reading and float32 in memory.

Usage: python benchmarks/bands.py [--chips 1024] [--threads 1]

Made chips of 3 (uint8), 13 (uint16) and 64 bands (int8), and 64 features of cells (int8), each in a
store. On each, every time in a process of its own: reading the array from end to end, which nothing
can beat; shuffled batches, streamed; the naive ways, ``isel`` of random chips and all values as
float32 in memory; features and regression of a closed-form method; an epoch of a network. CPU time
is that of all threads, without imports; memory is the process's at its most.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.data.region import ChipBlock, PixelReader

BATCH = 32
LAYOUTS = {
    "3 bands": (3, 0),
    "13 bands": (13, 0),
    "64 bands": (0, 64),  # cells laid out as pixels
    "64 features of cells": (0, 64),
}


def main() -> None:
    """Measure and print one line a layout and way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chips", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--measure", nargs=2, help="the store and the way, in a process of its own")
    chosen = parser.parse_args()
    if chosen.measure:
        measure(*chosen.measure)
        return
    for name in ("OMP", "OPENBLAS", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ[f"{name}_THREADS" if name.startswith("TF") else f"{name}_NUM_THREADS"] = str(
            chosen.threads
        )
    print(f"{'':22}{'':30}{'chips a CPU s':>15}{'peak MB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for layout in LAYOUTS:
            store = make_store(layout, Path(folder), chosen.chips)
            for way in WAYS:
                command = [sys.executable, __file__, "--measure", str(store), way]
                done = subprocess.run(command, check=False, capture_output=True, text=True)
                said = done.stdout if done.returncode == 0 else "not for these\n"
                print(f"{layout:22}{way:30}{said}", end="", flush=True)


def make_store(layout: str, folder: Path, chips: int) -> Path:
    """Synthetic chips of a layout."""
    from llpbench.data.imagery import EMBEDDING, IMAGE
    from llpbench.data.store import write_store
    from llpbench.data.synthetic import synthesize

    region = synthesize("esaworldcover", chips, 0, *LAYOUTS[layout])
    if layout == "64 bands":
        images = {IMAGE: region.images[EMBEDDING]}
        region = replace(region, images=images, read=CellsAsPixels(region.read))
    path = folder / layout.replace(" ", "-")
    write_store(region, path, name=path.name, title="", licence="", attribution="")
    return path


@dataclass(frozen=True)
class CellsAsPixels:
    """Reads images whose pixels have the features of their cells."""

    read: PixelReader

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        """Read chips."""
        import numpy as np

        block = self.read(chips)
        assert block.embedding is not None
        pixels = block.embedding.repeat(4, axis=1).repeat(4, axis=2)
        edge = ((0, 0), (2, 2), (2, 2), (0, 0))
        return replace(block, embedding=None, image=np.pad(pixels, edge, "edge"))


def measure(store: str, way: str) -> None:
    """Go one way through a store; print chips a CPU second and the peak memory in MB."""
    import llpbench
    from llpbench.methods.registry import make_method

    ds = llpbench.open_dataset(store).llp.group()
    array = "image" if "image" in ds else "embedding"
    make_method("downconv")  # imports TensorFlow, which is none of a way's time
    run = WAYS[way](ds, array)
    start = time.process_time()
    chips = run()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{chips / seconds:15.0f}{peak:9.0f}")


def in_order(ds: xr.Dataset, array: str) -> Callable[[], int]:
    """Every block of the store once: no way is faster."""
    from llpbench.data.batches.images import load_images

    def run() -> int:
        count = ds.sizes["chip"]
        for start in range(0, count, 512):
            load_images(ds.isel(chip=slice(start, start + 512)), array)
        return count

    return run


def streamed(ds: xr.Dataset, _array: str) -> Callable[[], int]:
    """Our shuffled batches, nothing kept in memory."""
    batches = ds.llp.batches(BATCH, memory=0)
    return lambda: sum(len(images) for images, _targets in batches)


def at_random(ds: xr.Dataset, array: str) -> Callable[[], int]:
    """``isel`` of some batches of random chips."""
    import numpy as np

    from llpbench.data.batches.images import load_images

    generator = np.random.default_rng(0)

    def run() -> int:
        for _batch in range(4):
            chosen = generator.choice(ds.sizes["chip"], BATCH, replace=False)
            load_images(ds.isel(chip=np.sort(chosen)), array)
        return 4 * BATCH

    return run


def as_float(ds: xr.Dataset, array: str) -> Callable[[], int]:
    """Values of everything, as one would first load them."""
    return lambda: int(ds.llp.values(array).to_numpy().shape[0])


def closed_form(ds: xr.Dataset, array: str) -> Callable[[], int]:
    """Features of all chips, and the regression of divisions on them."""
    return training(ds, "bag-ridge" if array == "image" else "embedding-ridge")


def network(ds: xr.Dataset, _array: str) -> Callable[[], int]:
    """An epoch, and what goes before and after it."""
    return training(ds, "downconv", epochs=1)


def training(ds: xr.Dataset, name: str, **settings: Any) -> Callable[[], int]:
    """Train a method on all chips that have a target."""
    import numpy as np

    from llpbench.methods.registry import make_method

    train = ds.isel(chip=np.isfinite(ds["target"].to_numpy()).all(axis=1))
    method = make_method(name, **settings)
    train = train.llp.restrict("division")

    def run() -> int:
        method.fit(train, train.isel(chip=slice(1)))
        return int(train.sizes["chip"])

    return run


WAYS: dict[str, Callable[[Any, str], Callable[[], int]]] = {
    "read from end to end": in_order,
    "shuffled batches, streamed": streamed,
    "isel of random chips": at_random,
    "float32 in memory": as_float,
    "closed-form regression": closed_form,
    "an epoch of downconv": network,
}

if __name__ == "__main__":
    main()
