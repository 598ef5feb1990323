"""What is written about a dataset: the paper's figures, and its cards.

Cards are for people in Markdown, for programs as GeoCroissant.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from llpbench.cli import options
from llpbench.cli.output import echo, print_paths


@click.command()
@options.dataset_argument
@options.out_option(
    "A folder; pictures and tables in it of the same names are replaced.",
    required=True,
    kind=options.FOLDER,
)
@click.option(
    "--runs",
    type=options.EXISTING_FOLDER,
    multiple=True,
    help="Folder of a run, or of several, for bars and tables of results; may be given "
    "several times.",
)
@click.option(
    "--predictions",
    type=options.EXISTING,
    multiple=True,
    help="Predictions file or run folder to map; may be given several times.",
)
@options.rgb_option
@options.json_option
def figures(
    dataset: str,
    out: Path,
    runs: tuple[Path, ...],
    predictions: tuple[Path, ...],
    rgb: list[str] | None,
    as_json: bool,
) -> None:
    """Draw the paper's figures for DATASET.

    Its area with grid and divisions, splits, class distributions and sample chips; maps of
    predictions against the truth; results by method, across regions and what they cost.
    """
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.figures import write_figures

    ds = open_dataset(dataset)
    written = write_figures(ds, out, runs=runs, predictions=predictions, rgb=rgb)
    print_paths({path.stem: path for path in written}, as_json)


text_option = options.out_option("A file to write, instead of printing.", kind=options.FILE)


@click.command()
@options.dataset_argument
@click.option(
    "--crossvalidation",
    "crossvalidations",
    type=options.EXISTING_FOLDER,
    multiple=True,
    help="Folder of a cross-validation on DATASET, which says how good maps made of its shares "
    "are; may be given several times.",
)
@text_option
def datasheet(dataset: str, crossvalidations: tuple[Path, ...], out: Path | None) -> None:
    """Write the datasheet of DATASET, with its known label noise.

    Of a published dataset that is not on this machine, it says what the catalog knows.
    """
    from llpbench import catalog
    from llpbench.data.cache import stored_names
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.datasheet import describe_dataset, describe_entry

    entry = catalog.load().datasets.get(dataset)
    is_away = entry is not None and entry.record is not None and dataset not in stored_names()
    if entry is not None and is_away and not crossvalidations:
        text = describe_entry(entry)
    else:
        text = describe_dataset(open_dataset(dataset), crossvalidations)
    _write(text, out)


@click.command()
@options.dataset_argument
@text_option
def croissant(dataset: str, out: Path | None) -> None:
    """Write GeoCroissant metadata (JSON-LD) of DATASET."""
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.croissant import describe_croissant

    _write(json.dumps(describe_croissant(open_dataset(dataset)), indent=1, ensure_ascii=False), out)


def _write(text: str, out: Path | None) -> None:
    """Print a text, or write it in one step."""
    from llpbench.writing import replace_text

    text = text.rstrip("\n") + "\n"
    if out is None:
        echo(text, nl=False)
    else:
        replace_text(out, text)
