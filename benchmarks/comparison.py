"""Every method on random bags and on real divisions: python comparison.py [RUNS] [--methods ...].

RUNS (docs/comparison/runs.jsonl by default) receives a line for each dataset, kind of bags, method
and seed as soon as it is scored; the same command goes on where it stopped. At the end the tables
of docs/comparison are written, of which `comparison_page.py` makes docs/comparison.md, and
`results_page.py` docs/results.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from comparison_runs import BAGS, RUNS, Kept, Run, read_runs, write_runs
from comparison_tables import FOLDER, write_tables

import llpbench
from llpbench.errors import LLPBenchError
from llpbench.methods import gate
from llpbench.methods.registry import describe_method, make_method, method_names
from llpbench.running.pixel_scores import PixelScores
from llpbench.running.sweep_plan import read_preset

DATASETS = ("demo-esaworldcover", "demo-humanpop", "semi-esa", "semi-esa-hazy", "semi-pop")
HEAVY = ("customunet", "resnet18unet", "vgg16unet")
"""Ten minutes and more of a processor a training: only when named, and on real divisions alone."""
NO_IMAGES = ("embedding-multinomial", "embedding-ridge")
"""See the cells of an embedding, which no dataset here has."""
RAKED = ("bag-ridge+rake", "llpnet+rake")
"""Are shown the proportions of test divisions, which random bags leave as they are."""


def main() -> None:
    """Make what is missing, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="?", type=Path, default=RUNS)
    parser.add_argument("--methods", nargs="+", default=default_methods(), metavar="NAME")
    parser.add_argument("--datasets", nargs="+", default=DATASETS, metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2), metavar="SEED")
    parser.add_argument("--tables", type=Path, default=FOLDER, metavar="FOLDER")
    given = parser.parse_args()
    for dataset in given.datasets:
        for line in run_missing(given.runs, dataset, given.methods, given.seeds):
            print(line, flush=True)
    write_tables(given.runs, given.tables)


def default_methods() -> list[str]:
    """All that are installed, but for those that are too slow or see no images; and raked ones."""
    return [*(name for name in method_names() if name not in (*HEAVY, *NO_IMAGES)), *RAKED]


def settings_of(method: str) -> dict[str, Any]:
    """What the preset ``results`` gives a method; its defaults where it is not in it."""
    for grid in read_preset("results"):
        if method in grid.methods:
            return {name: values[0] for name, values in grid.settings.items()}
    return {}


def plan(dataset: str, methods: Sequence[str], seeds: Sequence[int]) -> list[Run]:
    """List trainings."""
    return [
        Run(dataset, bags, method, seed)
        for method in methods
        for bags in (BAGS if has_both(method) else ("real",))
        for seed in seeds
    ]


def has_both(method: str) -> bool:
    """Whether it is trained on both kinds of bags: what learns from labels learns nothing of them.

    Examples
    --------
    >>> [has_both(name) for name in ("bag-ridge", "bag-ridge+rake", "pixel-supervised")]
    [True, False, False]
    """
    told = describe_method(method)
    learns_from_bags = (told.supervision, told.track) == ("division", "inductive")
    return learns_from_bags and method not in HEAVY


def run_missing(
    kept: Path, dataset: str, methods: Sequence[str], seeds: Sequence[int]
) -> Iterator[str]:
    """Make what has no line yet; says of each what it scored, or why it could not be made."""
    there = read_runs(kept)
    missing = [run for run in plan(dataset, methods, seeds) if run not in there]
    if not missing:
        return
    try:
        region = llpbench.open_dataset(dataset).llp.group()
    except LLPBenchError as error:
        yield f"{dataset} is left out: {error}"
        return
    for run in missing:
        try:
            there[run] = train(region, run)
        except LLPBenchError as error:
            yield f"{run.method} is left out on {dataset}, {run.bags} bags: {error}"
            continue
        write_runs(kept, there)
        mae, seconds = there[run].scores.value("mae"), there[run].cpu_seconds
        yield f"{dataset}, {run.bags}, {run.method} {run.seed}: MAE {mae:.4f}, {seconds:.1f} CPU s"


def train(region: xr.Dataset, run: Run) -> Kept:
    """Train, predict the test split as it is, and score: all that the tables are made of.

    Seeds are of the method and of the bags that chips are dealt out to. There are as many random
    bags as divisions.
    """
    bags = region if run.bags == "real" else region.llp.rebag(how="random", seed=run.seed)
    settings = settings_of(run.method)
    method = make_method(run.method, **settings, random_state=run.seed)
    pixels = PixelScores(region.llp.split("test"))
    start = time.process_time()
    gate.fit(method, bags.llp.split("train"), bags.llp.split("val"))
    predictions = gate.predict(
        method,
        bags,
        "test",
        name=run.method,
        seed=run.seed,
        trained_on=run.dataset,
        on_batch=pixels.add,
    )
    seconds = time.process_time() - start
    scores = llpbench.evaluate(predictions, region)
    parameters = method.footprint()["parameters"] or 0
    return Kept.of(scores, pixels.summary(), settings, parameters, seconds)


if __name__ == "__main__":
    main()
