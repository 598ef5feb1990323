"""Predictions files: an empty one to fill, and the scores of a full one."""

from __future__ import annotations

from pathlib import Path

import click

from llpbench.cli.output import json_option, print_table

split_option = click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    show_default=True,
    help="Which split the predictions are about.",
)


@click.command()
@click.argument("name")
@split_option
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A new .csv, .parquet or .zarr.")
def template(name: str, split: str, out: Path | None) -> None:
    """Write a predictions file for dataset NAME in which only the shares are missing."""
    from llpbench.data.dataset import open_dataset
    from llpbench.errors import PredictionsError
    from llpbench.predictions.files import write_predictions
    from llpbench.predictions.table import template as make_template

    ds = open_dataset(name)
    path = out or Path(f"{ds.llp.info.name}-{split}.csv")
    if path.exists():
        raise PredictionsError(f"{str(path)!r} exists; choose another name with --out")
    write_predictions(make_template(ds.llp.split(split)), path)
    click.echo(f"Fill {path} and score it with: llpbench evaluate {path} --dataset {name}")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dataset", required=True, help="Name or path of the dataset.")
@split_option
@click.option(
    "--renormalise", is_flag=True, help="Divide shares that do not sum to 1 by their sum."
)
@click.option(
    "--plots",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for pictures; those in it of the same names are replaced.",
)
@json_option
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

        written = write_plots(scores, plots)
        click.echo(f"{len(written)} pictures are in {plots}", err=True)
    if as_json:
        click.echo(scores.to_json())
        return
    click.echo(f"{scores}\n")
    print_table(
        [
            {"metric": row.title, "value": row.value, "low": row.low, "high": row.high}
            for row in scores.table().itertuples()
        ]
    )
    click.echo(
        "\nintervals: 95 %, by resampling divisions" + f"; {scores.note}" * bool(scores.note)
    )
