"""Making datasets: from zips, from nothing, of a region of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli import options
from llpbench.cli.output import echo, log_remarks, print_json, shows_progress
from llpbench.cli.sources import TakesBands, source_options

if TYPE_CHECKING:
    from llpbench.data.store import WriteReport

_CREDIT = ("title", "licence", "attribution")
_WRITING = ("out", "workers", "scheduler")


@click.command("import")
@click.argument("archive", type=options.PATH)
@click.option("--name", required=True, help="What the dataset will be called.")
@options.new_dataset_options
@options.json_option
def import_zip(archive: Path, name: str, as_json: bool, **writing: Any) -> None:
    """Make a dataset from the published zip ARCHIVE, or the folder it was unzipped to."""
    from llpbench.data.cache import import_archive

    report = import_archive(archive, name, progress=shows_progress(), **writing)
    _print_report(report, name, as_json)


@click.command("export-archive")
@options.dataset_argument
@options.out_option("The zip to write.", required=True)
def export_archive(dataset: str, out: Path) -> None:
    """Write DATASET as a zip, in the layout of the published archives."""
    from llpbench.data.archive_export import write_archive

    write_archive(dataset, out, progress=shows_progress())
    echo(f"{dataset}: {out.stat().st_size} bytes, in {out}")


@click.command()
@options.name_argument
@click.option("--chips", type=options.COUNT, default=2000, help="Number of chips.")
@click.option("--seed", type=options.SEED, default=0, help="Seed of everything random.")
@click.option(
    "--bands",
    type=int,
    default=3,
    help="Number of bands of images: 3 (red, green, blue), 4 to 13 (of Sentinel-2; 4 and 10 are "
    "those of 10 m, and of 10 and 20 m), or 0 for none.",
)
@click.option(
    "--embedding", type=int, default=0, help="Number of features of an embedding, such as 64."
)
@click.option(
    "--label-set",
    type=click.Choice(["esaworldcover", "humanpop"]),
    default="esaworldcover",
    help="What is seen on the ground: land cover or population.",
)
@click.option(
    "--season",
    type=click.Choice(["year", "autumn"]),
    default="year",
    help="When it is seen: as the median of a year, or in autumn, when plants are dry, the sun is "
    "low and the air hazy. The land is the same.",
)
@options.new_dataset_options
@options.json_option
def synthesize(name: str, as_json: bool, **given: Any) -> None:
    """Make a synthetic dataset and call it NAME."""
    from llpbench.data.cache import synthesize as make
    from llpbench.data.info import mark_synthetic

    report = make(name, progress=shows_progress(), **given)
    _print_report(report, mark_synthetic(name, True), as_json)


@click.command(cls=TakesBands)
@options.name_argument
@source_options
@click.option(
    "--labels",
    type=options.PATH,
    multiple=True,
    help="Raster of classes, folder of them, or pattern in quotes; may be given several times.",
)
@click.option(
    "--label-band", type=options.COUNT, help="Which band of the label raster holds the classes."
)
@click.option(
    "--legend",
    default="auto",
    help="What the numbers of the label raster mean: auto, esa-worldcover, dynamic-world, "
    "corine, ghsl, ghsl-smod, a label set of the catalog, or a .toml file.",
)
@click.option(
    "--splits",
    type=click.Choice(["bands", "folds"]),
    default="bands",
    help="Split divisions by diagonal bands, or by folds that lie together.",
)
@click.option("--folds", type=click.IntRange(min=3), default=5, help="Number of folds.")
@click.option(
    "--fold", type=click.IntRange(min=0), default=0, help="Which fold, from 0, is the test split."
)
@click.option(
    "--buffer-km",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=False,
    help="Distance that is kept free between splits, by default none.",
)
@click.option("--title", help="Title of the dataset.")
@click.option("--licence", help="Licence of the labels, by default the legend's.")
@click.option("--attribution", help="Whom users must name, by default as the legend says.")
@options.new_dataset_options
@options.json_option
def build(
    name: str,
    splits: Any,
    folds: int,
    fold: int,
    buffer_km: float,
    as_json: bool,
    **sources: Any,
) -> None:
    """Make dataset NAME of a region of your own: images, division outlines, labels or a table.

    Chips stand on a grid of the region's UTM zone. Shares of divisions are counted on the label
    raster, or taken from --shares. Classes are never averaged.
    """
    from llpbench.data.building import Recipe, Splitting, build_dataset
    from llpbench.errors import BuildError

    if sources["divisions"] is None:
        raise BuildError("a dataset needs --divisions: label proportions are known by division")
    said = {name: sources.pop(name) for name in (*_CREDIT, *_WRITING)}
    recipe = Recipe(splitting=Splitting(splits, folds, fold, buffer_km), **sources)
    report = build_dataset(name, recipe, progress=shows_progress(), **said)
    _print_report(report, name, as_json)


def _print_report(report: WriteReport, shown_name: str, as_json: bool) -> None:
    """Print what became of a dataset that was made, and log remarks on it."""
    log_remarks(report.remarks)
    if as_json:
        facts = ("path", "chips", "divisions", "digest", "remarks")
        print_json({"name": report.name, **{fact: getattr(report, fact) for fact in facts}})
    else:
        size = f"{report.chips} chips, {report.divisions} divisions"
        echo(f"{shown_name}: {size}, in {report.path}")
