"""Trained methods applied to new images, and to datasets however large."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from click.core import ParameterSource

from llpbench.cli import options
from llpbench.cli.output import (
    echo,
    log_remarks,
    print_folder,
    print_json,
    print_table,
    shows_progress,
)
from llpbench.cli.sources import TakesBands, source_options

_MOST_CHANNELS = 20
"""Bands of a new image that are compared on the screen; drift.csv has all."""


@click.command(cls=TakesBands)
@click.argument("run", type=options.EXISTING_FOLDER)
@source_options
@click.option(
    "--match",
    type=click.Choice(["none", "histogram"]),
    default="none",
    help="Give each band the distribution of values that it had in training.",
)
@click.option(
    "--dataset",
    metavar="DATASET",
    help="Name, path or address of a dataset that is predicted, in place of new images.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test", "all"]),
    default="all",
    help="Which chips of that dataset.",
)
@click.option("--force", is_flag=True, help="Go on with images unlike those trained on.")
@options.out_option(
    "A new folder for chips, predictions and map; of a dataset for predictions in parts, also one "
    "to go on with.",
    required=True,
    kind=options.FOLDER,
)
@options.crew_options
@options.wide_option
@options.json_option
@click.pass_context
def predict(context: click.Context, /, as_json: bool, **given: Any) -> None:
    """Apply the method trained in folder RUN to a new raster, and map it; or to a dataset.

    Bands, scale, chips and projection are by default those of the images it was trained on; an
    image that does not look like those is refused.

    No labels are needed. A method of the disaggregation track (such as bag-ridge+rake) also takes
    --divisions and --shares: what a statistical office knows of them, spread over the chips.

    With --dataset chips that are there already are predicted, into a folder of parquet files that
    `evaluate` and `map` take. The dataset may be of any size, and the same command again goes on
    where it stopped.
    """
    from llpbench.errors import DriftError

    work = _predict_images if given["dataset"] is None else _predict_dataset
    try:
        work(context, as_json, **given)
    except DriftError as error:
        if not as_json:
            _print_drift(error.drift)
        raise


def _predict_images(
    context: click.Context, as_json: bool, dataset: None, split: str, **given: Any
) -> None:
    from llpbench.data.building import Recipe
    from llpbench.running.predicting import predict_region

    _require_absent(context, ["split"], "goes with --dataset")
    chosen = {name: given.pop(name) for name in _OF_BOTH | {"match"}}
    done = predict_region(recipe=Recipe(**given), progress=shows_progress(), **chosen)
    log_remarks(done.remarks)
    if as_json:
        drift = None if done.drift is None else done.drift.rows()
        print_json({**vars(done), "map": done.map.paths, "drift": drift})
    else:
        _print_drift(done.drift)
        echo(f"{done.chips} chips predicted; written to {done.folder}:")
        print_folder(done.folder)


def _predict_dataset(context: click.Context, as_json: bool, **given: Any) -> None:
    from llpbench.running.predicting_dataset import predict_dataset

    chosen = {name: given.pop(name) for name in _OF_BOTH | {"dataset", "split"}}
    _require_absent(context, given, "is of new images, and a dataset has its own")
    done = predict_dataset(progress=shows_progress(), **chosen)
    if as_json:
        print_json(vars(done))
    else:
        echo(f"{done.new} of {done.files} files of predictions written to {done.folder}")


_OF_BOTH = {"run", "out", "force", "workers", "scheduler"}


def _require_absent(context: click.Context, names: Iterable[str], why: str) -> None:
    """Refuse options that would not be heeded."""
    for option in context.command.params:
        is_given = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if option.name in names and is_given:
            raise click.UsageError(f"{option.opts[0]} {why}")


def _print_drift(drift: Any) -> None:
    """Print how far new images lie from those trained on, where that is known."""
    if drift is not None:
        rows, worst = drift.rows(), sorted(drift.worst[:_MOST_CHANNELS])
        order = ("band", "drift", "at most", "training mean", "new mean")
        print_table([rows[number] for number in worst], order=order)
        echo(f"\nthe {len(worst)} worst of {len(rows)}\n" if len(worst) < len(rows) else "")
