"""Making datasets: from published zips and from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llpbench.cli.output import json_option, print_json
from llpbench.data.info import mark_synthetic

if TYPE_CHECKING:
    from llpbench.data.store import WriteReport


@click.command("import")
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the dataset will be called.")
@json_option
def import_zip(archive: Path, name: str, as_json: bool) -> None:
    """Make a dataset from the published zip ARCHIVE, without unpacking it."""
    from llpbench.data.cache import import_archive

    report = import_archive(archive, name, progress=True)
    print_report(report, name, as_json)


@click.command("export-archive")
@click.argument("name")
@click.argument("archive", metavar="ZIP", type=click.Path(path_type=Path))
def export_archive(name: str, archive: Path) -> None:
    """Write dataset NAME (or the path of one) as ZIP, in the layout of the published archives."""
    from llpbench.data.archive_export import write_archive

    write_archive(name, archive, progress=True)
    click.echo(f"{name}: {archive.stat().st_size} bytes, in {archive}")


@click.command()
@click.argument("name")
@click.option("--chips", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--labels",
    type=click.Choice(["esaworldcover", "humanpop"]),
    default="esaworldcover",
    show_default=True,
)
@json_option
def synthesize(name: str, chips: int, seed: int, labels: str, as_json: bool) -> None:
    """Make a synthetic dataset and call it NAME."""
    from llpbench.data.cache import synthesize as make

    report = make(name, labels, chips=chips, seed=seed, progress=True)
    print_report(report, mark_synthetic(name, True), as_json)


def print_report(report: WriteReport, name: str, as_json: bool) -> None:
    """Print what writing a dataset found.

    Parameters
    ----------
    report : WriteReport
    name : str
        What people call it.
    as_json : bool
    """
    for remark in report.remarks:
        click.echo(f"note: {remark}", err=True)
    if as_json:
        print_json(
            {
                "name": report.path.name,
                "path": str(report.path),
                "chips": report.chips,
                "divisions": report.divisions,
                "digest": report.digest,
                "remarks": report.remarks,
            }
        )
    else:
        click.echo(f"{name}: {report.chips} chips, {report.divisions} divisions, in {report.path}")
