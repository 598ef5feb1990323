"""Cards of datasets: for people in Markdown, for programs as GeoCroissant."""

from __future__ import annotations

import json
from pathlib import Path

import click

out_option = click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file to write, instead of printing.",
)


@click.command()
@click.argument("name")
@out_option
def datasheet(name: str, out: Path | None) -> None:
    """Write the datasheet of dataset NAME (or the path of one), with its known label noise.

    Of a published dataset that is not on this machine, it says what the catalog knows.
    """
    from llpbench import catalog
    from llpbench.data.cache import stored_names
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.datasheet import describe_dataset, describe_entry

    entry = catalog.load().datasets.get(name)
    if entry is not None and entry.record is not None and name not in stored_names():
        text = describe_entry(entry)
    else:
        text = describe_dataset(open_dataset(name))
    _give(text, out)


@click.command()
@click.argument("name")
@out_option
def croissant(name: str, out: Path | None) -> None:
    """Write GeoCroissant metadata (JSON-LD) of dataset NAME (or the path of one)."""
    from llpbench.data.dataset import open_dataset
    from llpbench.reporting.croissant import describe_croissant

    _give(json.dumps(describe_croissant(open_dataset(name)), indent=1, ensure_ascii=False), out)


def _give(text: str, out: Path | None) -> None:
    """Print a text, or write it in one step."""
    if out is None:
        click.echo(text.rstrip("\n"))
        return
    from llpbench.writing import replace_text

    replace_text(out, text.rstrip("\n") + "\n")
