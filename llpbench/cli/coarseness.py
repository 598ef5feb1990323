"""How much methods lose as supervision grows coarser."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llpbench.cli import options
from llpbench.cli.output import print_json, print_table, shows_progress


@click.command()
@options.dataset_option
@click.option(
    "--method",
    "methods",
    metavar="METHOD",
    multiple=True,
    help="Several; train-mean, bag-ridge and aggregated-multinomial by default.",
)
@click.option(
    "--coarser",
    "factors",
    type=click.FloatRange(min=1),
    multiple=True,
    show_default="1, 2, 4, 8, 16",
    help="By how much fewer divisions; several.",
)
@click.option(
    "--how",
    "ways",
    type=click.Choice(["merge", "random"]),
    multiple=True,
    show_default="merge",
    help="Neighbours merged, or random bags; both.",
)
@click.option("--points", type=click.IntRange(min=1), help="Survey so many points a division.")
@options.seeds_option
@options.out_option(
    "Folder of the table and the picture, runs/coarseness-DATASET by default.", kind=options.FOLDER
)
@options.json_option
def coarseness(
    dataset: str,
    methods: tuple[str, ...],
    factors: tuple[float, ...],
    ways: tuple[str, ...],
    points: int | None,
    seeds: tuple[int, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Train METHODs on ever fewer divisions: neighbours merged, or random bags.

    Only what train and val divisions know changes; the test split stays as it is.
    """
    from tqdm import tqdm

    from llpbench.data.dataset import open_dataset
    from llpbench.plots import draw_coarseness, write_figure
    from llpbench.running.coarseness import FACTORS
    from llpbench.running.coarseness import coarseness as experiment
    from llpbench.writing import replace_text

    ds = open_dataset(dataset)
    table = experiment(
        ds,
        methods or ("train-mean", "bag-ridge", "aggregated-multinomial"),
        factors=factors or FACTORS,
        ways=ways or ("merge",),
        points=points,
        seeds=seeds or (0,),
        progress=lambda items: tqdm(items, disable=not shows_progress(), unit="run"),
    )
    out = out or Path("runs") / f"coarseness-{ds.llp.info.name}"
    out.mkdir(parents=True, exist_ok=True)
    replace_text(out / "coarseness.csv", table.to_csv(index=False, float_format="%.4f"))
    write_figure(draw_coarseness(table, ds.llp.info.title), out / "coarseness.png")
    rows = json.loads(table.to_json(orient="records"))
    if as_json:
        print_json(rows)
        return
    hidden = ("mae_hard", "f1_micro")
    print_table([{name: row[name] for name in row if name not in hidden} for row in rows])
    click.echo(f"\nwritten to {out}: coarseness.csv and coarseness.png")
