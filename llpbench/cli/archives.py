"""Making datasets: from published zips and from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llpbench.cli import options
from llpbench.cli.output import LOG, print_json, shows_progress

if TYPE_CHECKING:
    from llpbench.data.store import WriteReport


@click.command("import")
@click.argument("archive", type=options.PATH)
@click.option("--name", required=True, help="What the dataset will be called.")
@options.json_option
def import_zip(archive: Path, name: str, as_json: bool) -> None:
    """Make a dataset from the published zip ARCHIVE, without unpacking it."""
    from llpbench.data.cache import import_archive

    print_report(import_archive(archive, name, progress=shows_progress()), name, as_json)


@click.command("export-archive")
@options.dataset_argument
@options.out_option("The zip.", required=True)
def export_archive(dataset: str, out: Path) -> None:
    """Write DATASET as a zip, in the layout of the published archives."""
    from llpbench.data.archive_export import write_archive

    write_archive(dataset, out, progress=shows_progress())
    click.echo(f"{dataset}: {out.stat().st_size} bytes, in {out}")


@click.command()
@options.name_argument
@click.option("--chips", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--label-set",
    type=click.Choice(["esaworldcover", "humanpop"]),
    default="esaworldcover",
    show_default=True,
)
@options.json_option
def synthesize(name: str, chips: int, seed: int, label_set: str, as_json: bool) -> None:
    """Make a synthetic dataset and call it NAME."""
    from llpbench.data.cache import synthesize as make
    from llpbench.data.info import mark_synthetic

    report = make(name, label_set, chips=chips, seed=seed, progress=shows_progress())
    print_report(report, mark_synthetic(name, True), as_json)


def print_report(report: WriteReport, shown_name: str, as_json: bool) -> None:
    """Print what became of a dataset that was made, and log remarks on it."""
    for remark in report.remarks:
        LOG.warning(remark)
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
        size = f"{report.chips} chips, {report.divisions} divisions"
        click.echo(f"{shown_name}: {size}, in {report.path}")
