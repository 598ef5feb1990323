"""Archive to store against ``unzip`` of the same file to the same disk.

    python benchmarks/conversion.py [--chips 20000] [--archive ZIP] [--pairs 5]

Makes a synthetic region, exports it in the published layout (or takes a zip), then converts it
and unpacks it in turn, each as a process of its own. Prints wall and CPU seconds, their ratios
pair by pair, and the peak memory of the conversion at a quarter of the chips and at all of them.
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
from pathlib import Path


def _measure(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in MB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    wall = time.perf_counter() - start
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _make_archive(folder: Path, chips: int) -> Path:
    environment = {**os.environ, "LLPBENCH_CACHE": str(folder / "made")}
    name, path = f"made-{chips}", folder / f"made-{chips}.zip"
    for command in (
        ["llpbench", "synthesize", name, "--chips", str(chips)],
        ["llpbench", "export-archive", name, "--out", str(path)],
    ):
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "made")
    return path


def _convert(archive: Path, folder: Path) -> tuple[float, float, float]:
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    command = ["llpbench", "import", str(archive), "--name", "converted"]
    return _measure(command, {"LLPBENCH_CACHE": str(cache)})


def _unzip(archive: Path, folder: Path) -> tuple[float, float, float]:
    target = folder / "unzipped"
    shutil.rmtree(target, ignore_errors=True)
    return _measure(["unzip", "-q", str(archive), "-d", str(target)], {})


def main() -> None:
    """Run the pairs and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chips", type=int, default=20_000)
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = options.archive or _make_archive(folder, options.chips)
        print(
            f"{archive.name}: {archive.stat().st_size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}"
        )
        rows = []
        for number in range(options.pairs):
            ours, theirs = _convert(archive, folder), _unzip(archive, folder)
            rows.append((ours, theirs))
            print(
                f"pair {number + 1}: import {ours[0]:.2f} s ({ours[1]:.2f} CPU), "
                f"unzip {theirs[0]:.2f} s ({theirs[1]:.2f} CPU), ratio {ours[0] / theirs[0]:.2f}"
            )
        ratios = sorted(ours[0] / theirs[0] for ours, theirs in rows)
        median = statistics.median(ratios)
        print(f"wall ratio: median {median:.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}")
        print(f"peak memory: {max(ours[2] for ours, _theirs in rows):.0f} MB")
        if options.archive is None:
            small = _convert(_make_archive(folder, options.chips // 4), folder)
            print(f"peak memory at {options.chips // 4} chips: {small[2]:.0f} MB")


if __name__ == "__main__":
    main()
