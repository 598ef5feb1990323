"""Writes a store in processes that kill themselves at a step that touches the disk.

Run as a script: ``killing.py PATH KILLS``. It stays a small process with no threads, and forks
one that writes; first one that is let through and counts its steps, then one for each kill. It
prints, a line each, the step and what it left at PATH.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from pathlib import Path

import dask.array  # noqa: F401  (imported once, before any fork)
import geopandas  # noqa: F401
import pyarrow.parquet  # noqa: F401
import scipy.sparse  # noqa: F401
import zarr  # noqa: F401
from regions import make_region, write_region

import llpbench.metrics  # noqa: F401
from llpbench.data.region import Region
from llpbench.writing import part_path

EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}


def killable_region() -> Region:
    """Two shards."""
    return make_region(30, 20, 3, 2)


def write(path: Path, step: int) -> int:
    """Write the store in a process that dies at a step; its exit status."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    taken = 0

    def count(event: str, _arguments: object) -> None:
        nonlocal taken
        if event in EVENTS:
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    write_region(killable_region(), path)
    path.with_name("steps").write_text(str(taken))
    os._exit(0)


def main(path: Path, kills: int) -> None:
    """Kill at random steps; now and then on top of what an earlier kill left."""
    write(path, 0)
    shutil.rmtree(path)
    steps = int(path.with_name("steps").read_text())
    chosen = random.Random(kills)
    for number in range(kills):
        step = chosen.randint(1, steps)
        status = write(path, step)
        print(step, status, path.exists())
        if path.exists():  # less was left to do than the steps it had
            path.rename(path.with_name(f"whole-{number}"))
        if number % 3 == 2:
            shutil.rmtree(part_path(path), ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
