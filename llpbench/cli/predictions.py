"""Predictions files: an empty one to fill, and the scores and the map of a full one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli import options
from llpbench.cli.output import LOG, echo, print_paths

if TYPE_CHECKING:
    from llpbench.scoring.split_truth import Dataset


@click.command()
@options.dataset_argument
@options.split_option
@options.out_option("A new file, a .csv, .parquet or .zarr.", required=True)
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


_renormalise_option = click.option(
    "--renormalise", is_flag=True, help="Divide shares that do not sum to 1 by their sum."
)


@click.command(no_args_is_help=True)
@click.argument("files", nargs=-1, type=options.PATH, metavar="IN... [OUT]")
@options.out_option("Where to write, instead of OUT.")
@click.option(
    "--dataset",
    metavar="DATASET",
    help="Name or path of a dataset to check predictions against; needed for an entry.",
)
@options.split_option
@_renormalise_option
def convert(
    files: tuple[Path, ...], out: Path | None, dataset: str | None, split: str, renormalise: bool
) -> None:
    """Write predictions in another form: OUT is a csv, parquet or zarr, or the folder of an entry.

    In the folder of an entry, <team>__<method>, each IN becomes a seed of DATASET. Percentages,
    separators and columns that hold no shares are recognised, and said.
    """
    from llpbench.board.entry_files import check_files, write_seeds
    from llpbench.errors import PredictionsError
    from llpbench.predictions.files import read_predictions, write_predictions

    if out is None:
        files, out = files[:-1], files[-1]
    if not files or (not dataset and (renormalise or not out.suffix)):
        raise click.UsageError("give IN and OUT; an entry and --renormalise need --dataset as well")
    if out.suffix and (len(files) > 1 or out.exists()):
        what = "exists; choose another name" if out.exists() else "takes one file"
        raise PredictionsError(f"{str(out)!r} {what}")
    if dataset is None:
        write_predictions(read_predictions(files[0]), out)
    else:
        part, checked = check_files(files, dataset, split, renormalise=renormalise)
        if out.suffix:
            write_predictions(checked[0], out)
        else:
            out = write_seeds(checked, out, part.llp.info.name)
    click.echo(f"written to {out}")


@click.command()
@click.argument("files", nargs=-1, required=True, type=options.PATH)
@options.dataset_option
@options.split_option
@options.score_option
@_renormalise_option
@click.option(
    "--plots",
    type=options.FOLDER,
    help="Folder for pictures; those in it of the same names are replaced.",
)
@options.rgb_option
@options.crew_options
@options.wide_option
@options.json_option
def evaluate(
    files: tuple[Path, ...],
    dataset: str,
    split: str,
    score: str | None,
    renormalise: bool,
    plots: Path | None,
    rgb: list[str] | None,
    as_json: bool,
    **crew: Any,
) -> None:
    """Score predictions: a csv, parquet or zarr, a folder of parts, or several as seeds.

    Chips are scored by their labels, and means of divisions by their known shares, as far as these
    are there. A truth table, a .parquet, may take the place of the dataset. Of more than 262,144
    chips only sums over divisions are held in memory, and --workers share blocks of them out.
    """
    from llpbench.cli.scores import print_classes, print_scores, scores_json
    from llpbench.scoring import evaluate_both

    scores, divisions = evaluate_both(
        list(files), _scored_on(dataset, split), split, score=score, renormalise=renormalise, **crew
    )
    if plots is not None:
        from llpbench.plots import write_division_plots, write_plots

        written = [] if scores is None else write_plots(scores, plots, rgb=rgb)
        written += [] if divisions is None else write_division_plots(divisions, plots)
        names = ", ".join(path.name for path in written)
        LOG.info("%d pictures are in %s: %s", len(written), plots, names)
    if as_json:
        echo(scores_json(scores, divisions))
        return
    if scores is not None:
        print_scores(scores)
    if divisions is not None:
        echo("\n" * (scores is not None), nl=False)
        print_scores(divisions)
        print_classes(divisions)


def _scored_on(dataset: str, split: str) -> Dataset:
    """The dataset, or the truth table that is named in its place."""
    from llpbench.board.large_truth import open_truth
    from llpbench.errors import BoardError

    if not dataset.endswith(".parquet"):
        return dataset
    truth = open_truth(Path(dataset))
    if truth.split != split:
        raise BoardError(f"a truth table is of the split {truth.split!r}, not of {split!r}")
    return truth


@click.command("map")
@options.predictions_argument
@options.predicted_option
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test", "all"]),
    help="Which chips are drawn: by default all that a file holds, or what the run predicted.",
)
@options.crossvalidation_option
@options.crew_options
@options.out_option("The GeoTIFF of shares; the other files stand beside it.", required=True)
@options.json_option
def map_predictions(predictions: Path, out: Path, as_json: bool, **chosen: Any) -> None:
    """Write predictions as a map: GeoTIFFs of shares and classes, GeoParquet, a picture.

    They are a file, or those of a run, given by its folder; with --split all its method predicts
    every chip of the region. With --crossvalidation each share has an interval. A map of more than
    262,144 chips is a folder of tiles, and a VRT beside it of each kind of raster.
    """
    from llpbench.running.mapping import map_predictions as write

    print_paths(write(predictions, out, **chosen).paths, as_json)
