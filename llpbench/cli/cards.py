"""Cards of datasets: for people in Markdown, for programs as GeoCroissant."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llpbench.cli import options

text_option = options.out_option(
    "A file to write, instead of printing.", kind=click.Path(path_type=Path, dir_okay=False)
)


@click.command()
@options.dataset_argument
@text_option
def datasheet(dataset: str, out: Path | None) -> None:
    """Write the datasheet of DATASET, with its known label noise.

    Of a published dataset that is not on this machine, it says what the catalog knows.
    """
    from llpbench import catalog
    from llpbench.data.cache import stored_names
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.datasheet import describe_dataset, describe_entry

    entry = catalog.load().datasets.get(dataset)
    if entry is not None and entry.record is not None and dataset not in stored_names():
        text = describe_entry(entry)
    else:
        text = describe_dataset(open_dataset(dataset))
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
    if out is None:
        click.echo(text.rstrip("\n"))
        return
    from llpbench.writing import replace_text

    replace_text(out, text.rstrip("\n") + "\n")
