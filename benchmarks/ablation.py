"""What each part of `llpnet` brings: it is trained and scored with parts left out.

Usage: python benchmarks/ablation.py DATASET [--seeds 0 1 2] [--variants NAME...] [--out FOLDER]

Writes a row a variant and seed to FOLDER/DATASET/runs.csv as soon as it is there, with the
predictions beside it; called again, it goes on. At the end docs/methods-ablation/DATASET.csv (or
where --tables says) holds each variant over all seeds, with intervals over test divisions and its
paired difference to the full method; `ablation_page.py` makes the page of it. Variants that share
a training are trained once.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from ablation_variants import FULL, VARIANTS

import llpbench
from llpbench.predictions.files import write_predictions
from llpbench.protocol import prediction_inputs
from llpbench.scoring.scores import Scores
from llpbench.writing import replace_text
from llpbench_baselines.split_data import SplitData

DATA = Path(__file__).parents[1] / "docs" / "methods-ablation"
METRICS = ("mae", "mae_hard", "f1_micro", "calibration_slope", "within_division_r2")
COMPARED = ("mae", "f1_micro")


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--out", type=Path, default=Path("ablation"))
    parser.add_argument("--tables", type=Path, default=DATA, metavar="FOLDER")
    chosen = parser.parse_args()
    region = llpbench.open_dataset(chosen.dataset).llp.group()
    folder = chosen.out / region.attrs["name"]
    for seed in chosen.seeds:
        for row in run_missing(region, chosen.variants, seed, folder):
            print(row, flush=True)
    table = summarise(region, folder)
    text = table.to_csv(index=False, float_format="%.4f", lineterminator="\n")
    chosen.tables.mkdir(parents=True, exist_ok=True)
    replace_text(chosen.tables / f"{region.attrs['name']}.csv", text)


def run_missing(
    region: xr.Dataset, names: Sequence[str], seed: int, folder: Path
) -> Iterator[dict[str, Any]]:
    """Train what has no row yet, score it, and note it: yields each new row."""
    done = {(row["variant"], row["seed"]) for row in read_rows(folder)}
    missing = [name for name in VARIANTS if name in names and (name, str(seed)) not in done]
    validation = SplitData.for_validation(region.llp.split("val").llp.restrict("division"))
    for training, group in itertools.groupby(missing, key=lambda name: VARIANTS[name].training):
        start = time.process_time()
        stages = training.fit(region, seed)
        seconds = time.process_time() - start
        for name in group:
            method = VARIANTS[name].method(stages, validation)
            test = prediction_inputs(region.llp.split("test"), method.track)
            attributes = {"method": name, "seed": seed, "track": method.track, "split": "test"}
            predictions = method.predict(test).assign_attrs(
                dataset=region.attrs["name"], digest=region.attrs["digest"], **attributes
            )
            write_predictions(predictions, prediction_path(folder, name, seed))
            scores = llpbench.evaluate(predictions, region)
            row = {
                **{"variant": name, "seed": seed, "parameters": method.footprint()["parameters"]},
                **{metric: round(scores.value(metric), 5) for metric in METRICS},
                "training_cpu_seconds": round(seconds, 1),
            }
            append_row(folder, row)
            yield row


def summarise(region: xr.Dataset, folder: Path) -> pd.DataFrame:
    """Score all seeds of each variant together, and compare them with the full method.

    A row a variant: its metrics, intervals (``_low``, ``_high``) of MAE and F1, and their
    differences to the full method on the same seeds.
    """
    rows = pd.DataFrame(read_rows(folder)).astype({"seed": int, "training_cpu_seconds": float})
    seeds = {name: list(group["seed"]) for name, group in rows.groupby("variant")}
    found = []
    for name, variant in VARIANTS.items():
        if name in seeds:
            own = score(region, folder, name, seeds[name])
            row = {"variant": name, "title": variant.title, "seeds": len(seeds[name])}
            row |= {metric: own.value(metric) for metric in METRICS}
            for metric in COMPARED:
                interval = own.interval(metric)
                row |= {f"{metric}_low": interval.low, f"{metric}_high": interval.high}
            shared = sorted(set(seeds[name]) & set(seeds.get(FULL, [])))
            if name != FULL and shared:
                row |= differences(region, folder, name, shared)
            found.append(row)
    return pd.DataFrame(found)


def differences(
    region: xr.Dataset, folder: Path, name: str, seeds: Sequence[int]
) -> dict[str, float]:
    """A variant minus the full method, with 95 % intervals."""
    own, full = (score(region, folder, one, seeds) for one in (name, FULL))
    found = {}
    for metric in COMPARED:
        compared = own.compare(full, metric)
        found[f"{metric}_difference"] = compared.difference
        found[f"{metric}_difference_low"] = compared.low
        found[f"{metric}_difference_high"] = compared.high
        found[f"{metric}_p_value"] = compared.p_value
    return found


def score(region: xr.Dataset, folder: Path, name: str, seeds: Sequence[int]) -> Scores:
    """Scores of the stored predictions of some seeds."""
    return llpbench.evaluate([prediction_path(folder, name, seed) for seed in seeds], region)


def prediction_path(folder: Path, name: str, seed: int) -> Path:
    """Where the predictions of a variant are."""
    return folder / "predictions" / f"{name}-seed{seed}.zarr"


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Rows that are there."""
    path = folder / "runs.csv"
    if not path.exists():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def append_row(folder: Path, row: dict[str, Any]) -> None:
    """Add a row in one step: a killed run leaves all of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerows([*read_rows(folder), row])
    replace_text(folder / "runs.csv", text.getvalue())


if __name__ == "__main__":
    main()
