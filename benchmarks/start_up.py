"""CPU seconds of whole commands on a dataset, beside those of the imports that reading it takes.

Usage: python benchmarks/start_up.py [--dataset demo-esaworldcover] [--times 5]

Every line is a process of its own, taken in turn so that the ratios hold on a busy machine; CPU
time, user and system, is that of the process and its children, the least of several.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

IMPORTS = ("numpy", "pandas", "xarray", "xarray, zarr", "xarray, zarr, dask.array")


def main() -> None:
    """Measure and print one line a process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="demo-esaworldcover")
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        processes = {f"import {names}": ["-c", f"import {names}"] for names in IMPORTS}
        processes |= commands(chosen.dataset, Path(folder))
        taken: dict[str, list[float]] = {name: [] for name in processes}
        for _time in range(chosen.times):
            for name, arguments in processes.items():
                taken[name].append(cpu_seconds(arguments))
                shutil.rmtree(Path(folder) / "run", ignore_errors=True)
    for name, seconds in taken.items():
        print(f"{name:34}{min(seconds):8.2f}")


def commands(dataset: str, folder: Path) -> dict[str, list[str]]:
    """Commands to time, by what they are; what they read is made first."""
    trained, predictions = folder / "trained", folder / "predictions.csv"
    program = ["-P", "-m", "llpbench"]  # the installed one: sources here may not be compiled
    train = [*program, "-q", "run", "train-mean", "--dataset", dataset, "-o"]
    convert = ["convert", trained / "predictions-test.parquet", predictions]
    cpu_seconds([*train, str(trained)])
    cpu_seconds([*program, "-q", *map(str, convert)])
    return {
        "llpbench --help": [*program, "--help"],
        "llpbench info": [*program, "info", dataset],
        "llpbench evaluate": [*program, "evaluate", str(predictions), "--dataset", dataset],
        "llpbench run train-mean": [*train, str(folder / "run")],
        "llpbench run train-mean --pictures": [*train, str(folder / "run"), "--pictures"],
    }


def cpu_seconds(arguments: list[str]) -> float:
    """User and system seconds of a Python process."""
    before = getrusage(RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
