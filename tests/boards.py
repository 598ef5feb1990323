"""Boards and entries of random predictions on a small grid, for tests."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from llpbench.board.layout import Board
from llpbench.board.truth import make_truth, write_truth
from llpbench.board.yaml_files import write_yaml
from llpbench.predictions.files import write_predictions
from llpbench.predictions.table import make_predictions

ENTRY: dict[str, Any] = {
    "format": 1,
    "team": "tartu",
    "method": "bag-ridge",
    "title": "Bag ridge",
    "authors": [{"name": "Marie Õun", "orcid": "0000-0002-1825-0097"}],
    "contact": "marie@example.org",
    "paper": {"title": "On bags", "doi": "10.1000/182", "url": "https://example.org/a?b=c#d"},
    "code": {"url": "https://example.org/code", "commit": "0" * 40},
    "licence": "CC-BY-4.0",
    "track": "inductive",
    "supervision": "division",
    "selection": "Penalty by leave-division-out\non the train split.",
    "deterministic": False,
    "hyperparameters": {"alpha": 1e-3, "words": 128, "name": "1e-3", "flag": False, "none": None},
    "hardware": "two cores",
    "datasets": {
        "grid": {
            "digest": "sha256:" + "a" * 64,
            "trained_on": "grid",
            "seeds": [0, 1, 2],
            "command": "make predictions",
            "fit_seconds": 1.5,
            "footprint": {"parameters": 640, "latency_p50_ms": 1},
        }
    },
}
"""What an ``entry.yaml`` may hold."""

EXPORT: dict[str, Any] = {
    "file_format": "litert",
    "quantize": "int8",
    "bytes": 9170,
    "digests": ["sha256:" + digit * 64 for digit in "abc"],
    "latency_p50_ms": 0.4,
    "latency_p95_ms": 0.5,
    "memory_bytes": 400_000,
}
"""What a part of it may say of the files that made three seeds."""


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The entry with other values at dotted paths."""
    entry = copy.deepcopy(ENTRY)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place: Any = entry
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        place[last] = value
    return entry


def make_board(folder: Path, *datasets: xr.Dataset) -> Board:
    """A board that knows the truth of some datasets."""
    board = Board(folder)
    for ds in datasets:
        write_truth(make_truth(ds), board.truth(ds.attrs["name"]))
    return board


def predict(
    truth: xr.Dataset, seed: int = 0, *, noise: float = 0.3, side: int | None = None
) -> xr.Dataset:
    """The truth made worse: a mix with random shares, and maybe random classes of pixels."""
    random = np.random.default_rng([seed, 5])
    names, count = truth["category_name"].to_numpy(), truth.sizes["chip"]
    wild = random.dirichlet(np.ones(len(names)), count)
    known = np.nan_to_num(truth["truth"].to_numpy(), nan=1 / len(names))
    grid = None
    if side is not None:
        grid = random.integers(0, len(names), (count, side, side), dtype=np.uint8)
    shares = (1 - noise) * known + noise * wild
    return make_predictions(truth["chip"].to_numpy(), names, shares, grid)


def write_entry(
    folder: Path,
    truth: xr.Dataset,
    predictions: Sequence[xr.Dataset] = (),
    changes: dict[str, Any] | None = None,
) -> Path:
    """An entry on one dataset; by default three seeds of some noise."""
    dataset = truth.attrs["name"]
    found = list(predictions) or [predict(truth, seed) for seed in range(3)]
    team, method = folder.name.split("__")
    entry = changed({"team": team, "method": method})
    part = entry["datasets"].pop("grid")
    part |= {"digest": truth.attrs["digest"], "trained_on": dataset}
    part["seeds"] = list(range(len(found)))
    entry["datasets"][dataset] = part
    for path, value in (changes or {}).items():
        place = part if path.startswith("part.") else entry
        place[path.removeprefix("part.")] = value
    (folder / dataset).mkdir(parents=True)
    (folder / "entry.yaml").write_text(write_yaml(entry), encoding="utf-8")
    for seed, one in enumerate(found):
        write_predictions(
            one.drop_vars("segmentation", errors="ignore"),
            folder / dataset / f"seed-{seed}.parquet",
        )
        if "segmentation" in one:
            write_predictions(one, folder / dataset / f"seed-{seed}.zarr")
    return folder
