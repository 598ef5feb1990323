"""Scoring 10^6 and 10^7 chips: CPU seconds, and memory that does not grow with them.

``python benchmarks/streamed_scoring.py [CHIPS ...] [--folder FOLDER]`` makes a truth table and
predictions in parts, of random shares of 10,000 divisions, and scores them with
``llpbench evaluate`` in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from llpbench import catalog
from llpbench.data.info import DatasetInfo

DIVISIONS = 10_000
PART = 2**16
CPU_SECONDS, PEAK_BYTES, GROWTH = 180.0, 1.5e9, 1.1
"""What 10^7 chips may take at most, and the peak of memory against that of 10^6."""

LABEL_SET = catalog.label_set("esaworldcover")
CATEGORIES = [group.name for group in LABEL_SET.groups]
DIVISION = np.array([f"d{number:012x}" for number in range(DIVISIONS)])


def make_shares(random: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Random shares (count, category) that sum to 1."""
    drawn = random.standard_exponential((count, len(CATEGORIES)), dtype=np.float32)
    return drawn / drawn.sum(axis=1, keepdims=True)


def blocks(chips: int) -> Iterator[tuple[int, NDArray[np.str_], NDArray[np.int64]]]:
    """First chip, ids and numbers of divisions of chips that come together."""
    for start in range(0, chips, PART):
        numbers = np.arange(start, min(start + PART, chips))
        yield start, np.char.mod("%013x", numbers), numbers * DIVISIONS // chips


def metadata(random: np.random.Generator) -> bytes:
    """What a truth table says of divisions and dataset."""
    info = DatasetInfo("made", "made", LABEL_SET, synthetic=True, digest="made")
    keep = ("name", "title", "synthetic", "digest", "doi", "licence", "attribution", "label_set")
    content = {
        "format": 1,
        "categories": CATEGORIES,
        "divisions": DIVISION.tolist(),
        "division_proportions": make_shares(random, DIVISIONS).tolist(),
        "train_mean": make_shares(random, 1)[0].tolist(),
        "attributes": {name: info.attributes()[name] for name in keep}
        | {"train_chips": 1, "train_divisions": 1},
    }
    return json.dumps(content).encode()


def write_truth(path: Path, chips: int) -> None:
    """Write a truth table: each chip lies in one division, every tenth in the next as well."""
    random, writer = np.random.default_rng(0), None
    said = {b"llpbench": metadata(random)}
    for _start, ids, own in blocks(chips):
        second = np.arange(len(own)) % 10 == 0
        counts = 1 + second
        offsets = np.concatenate([[0], counts.cumsum()]).astype(np.int32)
        division = np.repeat(own, counts)
        division[offsets[:-1][second] + 1] = (own[second] + 1) % DIVISIONS
        area = random.random(len(division), dtype=np.float32)
        shares = make_shares(random, len(own)).astype(np.float64)
        table = pa.table(
            {
                "chip": ids,
                "division": DIVISION[own],
                **{f"truth:{name}": shares[:, k] for k, name in enumerate(CATEGORIES)},
                "overlap_division": pa.ListArray.from_arrays(offsets, division.astype(np.int32)),
                "overlap_area": pa.ListArray.from_arrays(offsets, area),
            }
        ).replace_schema_metadata(said)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def write_parts(folder: Path, chips: int) -> None:
    """Write predictions in parts, whose names have the order of the dataset turned round."""
    folder.mkdir()
    random = np.random.default_rng(1)
    for start, ids, _own in blocks(chips):
        shares = make_shares(random, len(ids))
        columns = {name: shares[:, k] for k, name in enumerate(CATEGORIES)}
        name = f"part-{10**6 - start // PART:06}.parquet"
        pq.write_table(pa.table({"chip": ids, **columns}), folder / name, compression="zstd")


def measure(folder: Path, chips: int) -> tuple[float, float]:
    """CPU seconds and peak of memory in bytes of scoring so many chips."""
    truth, parts = folder / f"truth-{chips}.parquet", folder / f"predictions-{chips}"
    if not truth.exists():
        write_truth(truth, chips)
    if not parts.exists():
        write_parts(parts, chips)
    command = ["evaluate", str(parts), "--dataset", str(truth), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = "import re, sys; from llpbench.cli import cli; cli(standalone_mode=False); "
    # the maximum of getrusage would hold what started the process, too
    code += "status = open('/proc/self/status').read(); "
    code += "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1], file=sys.stderr)"
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=True,
    )
    scores = json.loads(done.stdout)
    assert scores["chips"] == chips
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, 1024 * float(done.stderr.split()[-1])


def main() -> None:
    """Measure each number of chips, and say what is kept of the promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chips", type=int, nargs="*", default=[10**6, 10**7])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        found = {chips: measure(folder, chips) for chips in options.chips}
    least = min(peak for _seconds, peak in found.values())
    for chips, (seconds, peak) in found.items():
        print(
            f"{chips:,} chips in {DIVISIONS:,} divisions: {seconds:.1f} CPU s, {peak / 1e6:.0f} MB,"
            f" {peak / least:.2f} of the least"
        )
    print(f"budget of 10^7: {CPU_SECONDS:.0f} CPU s, {PEAK_BYTES / 1e9:.1f} GB, {GROWTH} of 10^6")


if __name__ == "__main__":
    main()
