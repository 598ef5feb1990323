"""The paper's figures."""

from __future__ import annotations

from pathlib import Path

import click

from llpbench.cli import options
from llpbench.cli.output import print_paths


@click.command()
@options.dataset_argument
@options.out_option(
    "A folder; pictures and tables in it of the same names are replaced.",
    required=True,
    kind=options.FOLDER,
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="A run folder, or one that holds run folders: bars and tables of results; several.",
)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="A predictions file or a run folder to map; several.",
)
@options.json_option
def figures(
    dataset: str, out: Path, runs: tuple[Path, ...], predictions: tuple[Path, ...], as_json: bool
) -> None:
    """Draw the paper's figures for DATASET.

    Its area with grid and divisions, splits, class distributions and sample chips; maps of
    predictions against the truth; results by method, across regions and what they cost.
    """
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.figures import write_figures

    written = write_figures(open_dataset(dataset), out, runs=runs, predictions=predictions)
    print_paths({path.stem: path for path in written}, as_json)
