"""A dataset built into a bucket, and predicted, by two workers that are killed; beside undisturbed.

Usage: python scale_kills.py FOLDER [CHIPS [KILLS]]: 20,000 chips and 20 kills by default. Items are
COGs on this disk, see scale_items.py; the bucket is moto's, on loopback. The command that predicts
is killed as well, when it has written half of its files. Prints a line of JSON for each.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from scale_items import make_items

import llpbench
from llpbench.data.building import build_dataset
from llpbench.predictions.parts import part_files
from llpbench.running.predicting_dataset import predict_dataset

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from buckets import Bucket, serving, use, watched

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
    """Processes of dask's workers, and their peaks in bytes.

    They are known by the name they give themselves or, where the system keeps them from that, by
    how they are started.
    """
    for child in psutil.Process().children(recursive=True):
        try:
            command = " ".join(child.cmdline())
            if any(name in command for name in ("dask worker [", "import spawn_main")):
                status = Path(f"/proc/{child.pid}/status").read_text("ascii", errors="replace")
                if found := re.search(r"VmHWM:\s+(\d+)", status):
                    yield child, 1024 * int(found[1])
        except (psutil.Error, OSError):  # it has ended by now
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


def build(
    folder: Path, chips: int, kills: int, seconds: tuple[float, float], bucket: Bucket
) -> dict[str, Any]:
    """Build twice, undisturbed here and into a bucket by workers that are killed.

    Also while they look for pixels that are missing, before anything is written.
    """
    recipe = make_items(folder / f"items-{chips}", chips)
    alone = build_dataset("alone", recipe, out=folder / "alone")
    with watched() as asked, killing(kills, seconds, lambda: True) as killer:
        report = build_dataset("alone", recipe, out=f"{bucket}/alone", workers=2)
    put = Counter(
        request for request, status in asked if request.startswith("PUT") and status < 300
    )
    return {
        "chips": report.chips,
        "kills": killer.done,
        "same_digest": report.digest == alone.digest,
        "written_twice": sum(count > 1 for count in put.values()),
        "refused_as_there": sum(status == 412 for _request, status in asked),
        "worker_peak_mb": round(killer.peak / 2**20),
    }


def predict(
    folder: Path, kills: int, seconds: tuple[float, float], bucket: Bucket
) -> dict[str, Any]:
    """Predict what was built: undisturbed here, and from the bucket by those who are killed."""
    recipe = make_items(folder / "items-500", 500)
    small = build_dataset("small", recipe, out=folder / "small").path
    run = llpbench.run_method("bag-ridge", small, out=folder / "run").folder
    expected = predict_dataset(run, folder / "alone", folder / "expected", force=True)
    out = folder / "predictions"
    before = _killed_command(run, f"{bucket}/alone", out, max(1, expected.files // 2))
    with killing(kills, seconds, out.exists) as killer:
        done = predict_dataset(run, f"{bucket}/alone", out, force=True, workers=2)
    files = {file.name: file for file in part_files(out)}
    return {
        "files": done.files,
        "before_the_command_was_killed": len(before),
        "written_after": done.new,
        "written_twice": sum(_state(files[name]) != state for name, state in before.items()),
        "kills": killer.done,
        "same_bytes": [file.read_bytes() for file in files.values()]
        == [file.read_bytes() for file in part_files(expected.folder)],
        "worker_peak_mb": round(killer.peak / 2**20),
    }


def _killed_command(run: Path, address: str, out: Path, files: int) -> dict[str, tuple[int, int]]:
    """Kill the command when it has written so many files; their names and states."""
    command = ["predict", run, "--dataset", address, "--out", out, "--force", "--workers", "2"]
    with subprocess.Popen([sys.executable, "-m", "llpbench", *map(str, command)]) as process:
        while len(list(out.glob("[!.]*.parquet"))) < files and process.poll() is None:
            time.sleep(0.1)
        process.kill()
    return {file.name: _state(file) for file in part_files(out)}


def _state(file: Path) -> tuple[int, int]:
    """What changes of a file that is written again."""
    return file.stat().st_ino, file.stat().st_mtime_ns


def main(folder: Path, chips: int = 20_000, kills: int = 20) -> None:
    """Build, then predict."""
    with serving() as url, pytest.MonkeyPatch.context() as patch:
        use(url, patch)
        bucket = Bucket(url, "continent")
        print(json.dumps(build(folder, chips, kills, (5, 20), bucket)), flush=True)
        print(json.dumps(predict(folder, kills // 4, (2, 8), bucket)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
