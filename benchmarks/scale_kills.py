"""A dataset built into a bucket by two workers that are killed, beside one undisturbed.

Usage: python scale_kills.py FOLDER [CHIPS [KILLS]]: 20,000 chips and 20 kills by default. Items are
COGs on this disk, see scale_items.py; the bucket is moto's, on loopback. Prints a line of JSON.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from scale_items import make_items

from llpbench.data.building import build_dataset

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from buckets import Bucket, serving, use

LOOKS = 6
"""How often a worker has been seen that has started."""


class Killer:
    """Kills a worker at random times, and notes how large workers were."""

    def __init__(
        self, kills: int, seconds: tuple[float, float], has_begun: Callable[[], bool]
    ) -> None:
        self.left, self.done, self.peak = kills, 0, 0
        self._seconds = seconds
        self._has_begun = has_begun
        self._over = threading.Event()
        self._random = random.Random(0)

    def run(self) -> None:
        """Look at workers twice a second; kill one that has started when its time has come.

        What is killed while it starts dask does not replace.
        """
        wait = self._random.uniform(*self._seconds)
        seen: Counter[psutil.Process] = Counter()
        while not self._has_begun() and not self._over.wait(0.5):
            pass
        while not self._over.wait(0.5):
            workers = dict(_workers())
            self.peak = max([self.peak, *workers.values()])
            wait -= 0.5
            seen.update(workers.keys())
            started = [worker for worker in workers if seen[worker] > LOOKS]
            if wait <= 0 and self.left and started:
                self._random.choice(started).kill()
                self.left, self.done = self.left - 1, self.done + 1
                wait = self._random.uniform(*self._seconds)

    def stop(self) -> None:
        """Kill no more."""
        self._over.set()


def _workers() -> Iterator[tuple[psutil.Process, int]]:
    """Processes of dask's workers, by the name they give themselves, and their memory (bytes)."""
    for child in psutil.Process().children(recursive=True):
        try:
            if "dask worker [" in " ".join(child.cmdline()):  # so it names itself when it works
                yield child, child.memory_info().rss
        except psutil.Error:  # it has ended by now
            continue


@contextmanager
def killing(
    kills: int, seconds: tuple[float, float], has_begun: Callable[[], bool]
) -> Iterator[Killer]:
    """Kill workers of this process while something is done."""
    killer = Killer(kills, seconds, has_begun)
    thread = threading.Thread(target=killer.run, daemon=True)
    thread.start()
    try:
        yield killer
    finally:
        killer.stop()
        thread.join()


def build(folder: Path, chips: int, kills: int, seconds: tuple[float, float]) -> dict[str, Any]:
    """Build twice, undisturbed here and into a bucket by workers that are killed."""
    recipe = make_items(folder / f"items-{chips}", chips)
    alone = build_dataset("alone", recipe, out=folder / "alone")
    with serving() as url, pytest.MonkeyPatch.context() as patch:
        use(url, patch)
        bucket = Bucket(url, "continent")
        with killing(kills, seconds, lambda: bool(bucket.names())) as killer:
            report = build_dataset("alone", recipe, out=f"{bucket}/alone", workers=2)
    return {
        "chips": report.chips,
        "kills": killer.done,
        "same_digest": report.digest == alone.digest,
        "worker_peak_mb": round(killer.peak / 2**20),
    }


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[2:]]
    chips, kills = (*given, *(20_000, 20)[len(given) :])
    print(json.dumps(build(Path(sys.argv[1]), chips, kills, (5, 20))))
