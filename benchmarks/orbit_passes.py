"""Training on board of some methods: numbers of docs/orbit.md, and their pictures.

Usage: python benchmarks/orbit_passes.py RUNS [FOLDER]: docs/orbit by default.

Simulations are kept in RUNS, and what stands there is not simulated again, so that it can be
interrupted. FOLDER receives passes.csv, a row a simulation, curves.csv, a row a pass, drift.csv, a
row for each further season, and passes.png and drift.png.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from orbit_pictures import draw_curves, draw_seasons
from small_png import write_small

import llpbench
from llpbench.data.dataset import list_datasets
from llpbench.orbit.flight import fly
from llpbench.orbit.plan import OrbitPlan

MEMORY = 256_000_000
PLANS = (
    ("demo-esaworldcover", "bag-ridge", 4, "demo-autumn"),
    ("demo-esaworldcover", "mean-map", 4, None),
    ("demo-esaworldcover", "goodman", 4, None),
    ("demo-esaworldcover", "llpnet", 2, None),
    ("demo-esaworldcover", "downconv", 2, None),
    ("demo-humanpop", "bag-ridge", 4, None),
    ("semi-esa", "bag-ridge", 4, "semi-esa-hazy"),
    ("semi-esa", "llpnet", 2, None),
)
"""Dataset, method, passes, and a further season."""
SETTINGS = {"downconv": {"epochs": 60}}
"""Settings of methods that are not as they have them."""
SEASONS = {"demo-autumn": {"chips": 2000, "seed": 0, "season": "autumn"}}
"""Regions that are made here: the demo region in autumn."""

Rows = list[dict[str, Any]]


def main(runs: Path, folder: Path) -> None:
    """Simulate what is missing, and write all of it."""
    simulated, curves, drifts = [], [], []
    for dataset, method, passes, then in PLANS:
        record = simulate(runs, dataset, method, passes, then)
        batch = run_at_once(runs, dataset, method)
        simulated.append(summarise(record, batch))
        curves += [{"dataset": dataset, "method": method, **row} for row in record["passes"]]
        drifts += seasons(record)
    pd.DataFrame(simulated).to_csv(folder / "passes.csv", index=False)
    pd.DataFrame(curves).to_csv(folder / "curves.csv", index=False)
    pd.DataFrame(drifts).to_csv(folder / "drift.csv", index=False)
    write_small(draw_curves(pd.DataFrame(curves)), folder / "passes.png", dpi=130)
    write_small(draw_seasons(pd.DataFrame(drifts)), folder / "drift.png", dpi=130)


def simulate(
    runs: Path, dataset: str, method: str, passes: int, then: str | None
) -> dict[str, Any]:
    """The record of a simulation, made if it is not there."""
    out = runs / f"{dataset}-{method}"
    if not out.exists():
        if then in SEASONS and then not in list_datasets():
            llpbench.synthesize(then, "esaworldcover", **SEASONS[then])
        plan = OrbitPlan(
            method, dataset, MEMORY, passes, settings=SETTINGS.get(method, {}), then=then
        )
        fly(plan, out=out, progress=True)
    return dict(json.loads((out / "orbit.json").read_text("utf-8")))


def run_at_once(runs: Path, dataset: str, method: str) -> float:
    """Mean absolute error of chips by the method trained on all chips at once."""
    out = runs / f"{dataset}-{method}-batch"
    if not out.exists():
        llpbench.run_method(method, dataset, settings=SETTINGS.get(method), out=out)
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    return float(scores["metrics"]["mae"]["value"])


def summarise(record: dict[str, Any], batch: float) -> dict[str, Any]:
    """A row of passes.csv."""
    last = record["passes"][-1]
    sums = last["downlinked_statistics"]
    return {
        "dataset": record["dataset"],
        "method": record["method"],
        "memory_mb": record["memory"] / 1e6,
        "passes": len(record["passes"]),
        "uplink_bytes": last["uplinked_labels"],
        "downlink_bytes": last["downlinked_model"],
        "statistics_bytes": sums,
        "cpu_seconds": last["cpu_seconds"],
        "peak_mb": max(row["peak_memory"] for row in record["passes"]) / 1e6,
        "val_mae": last["mae"],
        "test_mae": record["test"]["chips"],
        "batch_mae": batch,
    }


def seasons(record: dict[str, Any]) -> Rows:
    """Rows of drift.csv: a pass over a further season each, the first before any."""
    then = record["then"]
    if then is None:
        return []
    sent = record["passes"][-1]["uplinked_labels"]
    passes = [
        {"number": number, "uplinked": row["uplinked_labels"] - sent, "updated": row["mae"]}
        for number, row in enumerate(then["passes"], 1)
    ]
    rows = [{"number": 0, "uplinked": 0, "updated": then["unchanged"]}, *passes]
    for row, alone in zip(rows, [None, *then["alone"]], strict=True):
        row |= {"unchanged": then["unchanged"], "alone": alone}
    rows[-1] |= {
        "test_unchanged": then["unchanged_test"]["chips"],
        "test_updated": then["test"]["chips"],
        "test_alone": then["alone_test"]["chips"],
        "test_first": record["test"]["chips"],
        "test_first_updated": then["test_before"]["chips"],
        "known": then["known"],
    }
    about = {"dataset": record["dataset"], "then": then["dataset"], "method": record["method"]}
    return [about | row for row in rows]


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or "-h" in sys.argv or "--help" in sys.argv:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(*sys.argv[2:] or ["docs/orbit"]))
