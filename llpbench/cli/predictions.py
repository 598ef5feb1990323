"""Predictions files: an empty one to fill, and the scores and the map of a full one."""

from __future__ import annotations

from pathlib import Path

import click

from llpbench.cli import options
from llpbench.cli.output import LOG, echo, print_paths, print_table


@click.command()
@options.dataset_argument
@options.split_option
@options.out_option("A new .csv, .parquet or .zarr.", required=True)
def template(dataset: str, split: str, out: Path) -> None:
    """Write a predictions file for DATASET in which only the shares are missing."""
    from llpbench.data.dataset import open_dataset
    from llpbench.errors import PredictionsError
    from llpbench.predictions.files import write_predictions
    from llpbench.predictions.table import template as make_template

    ds = open_dataset(dataset)
    if out.exists():
        raise PredictionsError(f"{str(out)!r} exists; choose another name with --out")
    write_predictions(make_template(ds.llp.split(split)), out)
    echo(f"Fill {out} and score it with: llpbench evaluate {out} --dataset {dataset}")


@click.command()
@click.argument("files", nargs=-1, required=True, type=options.PATH)
@options.dataset_option
@options.split_option
@click.option(
    "--renormalise", is_flag=True, help="Divide shares that do not sum to 1 by their sum."
)
@click.option(
    "--plots",
    type=options.FOLDER,
    help="A folder for pictures; those in it of the same names are replaced.",
)
@options.json_option
def evaluate(
    files: tuple[Path, ...],
    dataset: str,
    split: str,
    renormalise: bool,
    plots: Path | None,
    as_json: bool,
) -> None:
    """Score predictions: a csv, parquet or zarr, or several as seeds of one method."""
    from llpbench.scoring import evaluate as score

    scores = score(list(files), dataset, split, renormalise=renormalise)
    if plots is not None:
        from llpbench.plots import write_plots

        LOG.info("%d pictures are in %s", len(write_plots(scores, plots)), plots)
    if as_json:
        echo(scores.to_json())
        return
    echo(f"{scores}\n")
    print_table(
        [
            {"metric": row.title, "value": row.value, "low": row.low, "high": row.high}
            for row in scores.table().itertuples()
        ]
    )
    note = f"; {scores.note}" if scores.note else ""
    echo(f"\nintervals: 95 %, by resampling divisions{note}")


@click.command("map")
@click.argument("predictions", type=options.PATH)
@options.dataset_option
@options.out_option("The GeoTIFF of shares; the other files stand beside it.", required=True)
@options.json_option
def map_predictions(predictions: Path, dataset: str, out: Path, as_json: bool) -> None:
    """Write PREDICTIONS as a map: GeoTIFFs of shares and classes, GeoParquet, a picture."""
    from llpbench.maps import write_map

    print_paths(vars(write_map(predictions, dataset, out)), as_json)
