"""Files of trained methods, and what each costs and scores: python orbit_flights.py RUNS [CSV].

RUNS holds finished runs at any depth, as `llpbench sweep` leaves them. Each of seed 0 is written as
files, which are predicted with and measured one after the other; runs by files come into
RUNS/flown, their rows into CSV, docs/orbit/results.csv by default, of which `orbit_page.py` makes
tables and a picture. The same command again goes on where it stopped: without RUNS/flown it
predicts and measures anew, and without RUNS/files it writes the files anew as well.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from orbit_page import PAGE_DATA

from llpbench.errors import LLPBenchError
from llpbench.exported.card import FileFormat, Quantisation
from llpbench.running.exporting import export_run
from llpbench.running.run_exported import run_exported
from llpbench.runs.record import Run, read_run
from llpbench.runs.results import find_runs
from llpbench.writing import replace_text

KINDS: tuple[tuple[FileFormat, Quantisation], ...] = (
    ("litert", "none"),
    ("litert", "dynamic"),
    ("litert", "int8"),
    ("onnx", "none"),
)
SEED = 0


def fly_all(folder: Path) -> list[Run]:
    """Write and measure what is not there yet; the runs by files."""
    trained = [run for run in find_runs([folder]) if run.record.export is None]
    seeds = [run for run in trained if run.record.seed == SEED]
    (folder / "files").mkdir(exist_ok=True)
    return [made for run in seeds for made in _fly(run, folder)]


def _fly(run: Run, folder: Path) -> Iterator[Run]:
    """Fly each kind of file of a run; a kind that its method has not is said and left out."""
    record = run.record
    for file_format, quantize in KINDS:
        name = f"{record.method}-{record.dataset}-{file_format}-{quantize}"
        file, flown = folder / "files" / name, folder / "flown" / name
        if flown.exists():
            yield read_run(flown)
            continue
        try:
            if not file.exists():
                export_run(run.folder, file, file_format=file_format, quantize=quantize)
            made = run_exported(file, record.dataset, out=flown)
        except LLPBenchError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        print(f"{name}: MAE {_score(made, 'mae')}; {made.record.export}", flush=True)
        yield made


def table(runs: list[Run]) -> pd.DataFrame:
    """Make a row of each run by a file."""
    return pd.DataFrame([_row(run) for run in runs]).sort_values(
        ["dataset", "method", "file_format", "quantize"]
    )


def _row(run: Run) -> dict[str, object]:
    record, file = run.record, run.record.export
    assert file is not None
    return {
        "dataset": record.dataset,
        "method": record.method,
        "file_format": file.file_format,
        "quantize": file.quantize,
        "parameters": record.footprint.get("parameters"),
        "multiply_adds": record.footprint.get("multiply_adds"),
        "bytes": file.bytes,
        "mae": _score(run, "mae"),
        "f1_micro": _score(run, "f1_micro"),
        "latency_p50_ms": file.latency_p50_ms,
        "latency_p95_ms": file.latency_p95_ms,
        "memory_bytes": file.memory_bytes,
    }


def _score(run: Run, metric: str) -> float | None:
    assert run.scores is not None
    value = run.scores.value(metric) if metric in run.scores.metrics else None
    return None if value is None else round(value, 6)


def main(runs: Path, path: Path) -> None:
    """Write the table of all files."""
    flown = fly_all(runs)
    if not flown:
        sys.exit(f"no file of a run of seed {SEED} could be flown")
    replace_text(path, table(flown).to_csv(index=False, lineterminator="\n"))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or "-h" in sys.argv or "--help" in sys.argv:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(*sys.argv[2:]) if sys.argv[2:] else PAGE_DATA / "results.csv")
