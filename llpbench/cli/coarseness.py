"""How much methods lose as supervision grows coarser."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from llpbench.cli.output import print_table


@click.command()
@click.option("--dataset", required=True, help="Name or path.")
@click.option(
    "--method", "methods", multiple=True, help="Several; train-mean and closed-form ones."
)
@click.option(
    "--coarser", "factors", type=click.FloatRange(min=1), multiple=True, help="1, 2, 4, 8, 16."
)
@click.option(
    "--how", "ways", type=click.Choice(["merge", "random"]), multiple=True, help="Of bags; merge."
)
@click.option("--points", type=click.IntRange(min=1), help="Survey so many points a division.")
@click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True, help="0; several.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("coarseness"),
    show_default=True,
    help="Folder of the table and the picture.",
)
def coarseness(
    dataset: str,
    methods: tuple[str, ...],
    factors: tuple[float, ...],
    ways: tuple[str, ...],
    points: int | None,
    seeds: tuple[int, ...],
    out: Path,
) -> None:
    """Train METHODS on ever fewer divisions: neighbours merged, or random bags.

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
        progress=lambda items: tqdm(items, disable=not sys.stderr.isatty(), unit="run"),
    )
    figure = draw_coarseness(table, ds.llp.info.title)
    out.mkdir(parents=True, exist_ok=True)
    replace_text(out / "coarseness.csv", table.to_csv(index=False, float_format="%.4f"))
    write_figure(figure, out / "coarseness.png")
    shown = table.drop(columns=["mae_hard", "f1_micro"])
    print_table(json.loads(shown.to_json(orient="records")))
    click.echo(f"\nwritten to {out}: coarseness.csv and coarseness.png")
