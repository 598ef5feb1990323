"""The paper's figures."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A folder; pictures and tables in it of the same names are replaced.",
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
def figures(name: str, out: Path, runs: tuple[Path, ...], predictions: tuple[Path, ...]) -> None:
    """Draw the paper's figures for dataset NAME (or the path of one).

    Its area with grid and divisions, splits, class distributions and sample chips; maps of
    predictions against the truth; results by method, across regions and what they cost.
    """
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.figures import write_figures

    for path in write_figures(open_dataset(name), out, runs=runs, predictions=predictions):
        click.echo(path)
