"""How fast a download is: ours, pooch's own with its 1 KiB chunks, and a plain copy of the file.

All on loopback and the same disk, in turn, several rounds in one run, the page cache warm; the
stand-in for Zenodo is a process of its own, so that CPU time is the client's alone. Both downloads
end with the md5 verified; ours also has the API's answer, the lock and the stamp in it. The last
two rows say what a second call costs, once the archive is there.

Run ``python benchmarks/download.py --megabytes 512 --rounds 5``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pooch

from llpbench.data.fetch import Archive

SERVER = Path(__file__).parents[1] / "tests" / "zenodo_server.py"
RECORD, NAME = 1, "benelux.zip"


def measure(action: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and CPU seconds of an action in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def ours(folder: Path) -> None:
    """Fetch with this project's downloader, or find it fetched."""
    Archive(RECORD, folder).fetch(progress=False)


def plain(url: str, folder: Path) -> None:
    """Fetch with pooch's downloader as it comes, or find it fetched."""
    address = f"{url}/records/{RECORD}/files/{NAME}?download=1"
    known = Archive(RECORD, folder).lookup()
    pooch.retrieve(address, f"md5:{known.md5}", NAME, folder / "pooch")


def rounds(url: str, source: Path, work: Path, count: int) -> dict[str, list[tuple[float, float]]]:
    """Measure everything in turn, from nothing, a number of times."""
    times: dict[str, list[tuple[float, float]]] = {}
    for number in range(count):
        folder = work / str(number)
        folder.mkdir()
        steps: dict[str, Callable[[], object]] = {
            "copy": lambda folder=folder: shutil.copyfile(source, folder / "copy"),
            "llpbench": lambda folder=folder: ours(folder),
            "pooch": lambda folder=folder: plain(url, folder),
            "llpbench, again": lambda folder=folder: ours(folder),
            "pooch, again": lambda folder=folder: plain(url, folder),
        }
        for name, step in steps.items():
            os.sync()
            times.setdefault(name, []).append(measure(step))
        shutil.rmtree(folder)
    return times


def report(times: dict[str, list[tuple[float, float]]], size: int) -> None:
    """Print medians and their ratios to pooch's download."""
    reference = statistics.median(wall for wall, _ in times["pooch"])
    print(f"{'':18}{'wall s':>8}{'CPU s':>8}{'MB/s':>9}{'of pooch':>10}  wall s, each round")
    for name, pairs in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
        each = " ".join(f"{wall:.2f}" for wall, _ in pairs)
        speed = size / wall / 1e6
        print(f"{name:18}{wall:8.3f}{cpu:8.3f}{speed:9.0f}{wall / reference:10.3f}  {each}")


def main() -> None:
    """Make a file, serve it, measure, print."""
    parser = argparse.ArgumentParser(description="Throughput of a download on loopback.")
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pooch.get_logger().setLevel("WARNING")
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "served" / str(RECORD) / NAME
        source.parent.mkdir(parents=True)
        with source.open("wb") as file:
            for _ in range(options.megabytes):
                file.write(os.urandom(1_000_000))
        command = [sys.executable, str(SERVER), str(source.parents[1])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                server.stdout.readline()
                os.environ["LLPBENCH_ZENODO_URL"] = url = server.stdout.readline().strip()
                times = rounds(url, source, Path(temporary), options.rounds)
            finally:
                server.terminate()
        report(times, source.stat().st_size)


if __name__ == "__main__":
    main()
