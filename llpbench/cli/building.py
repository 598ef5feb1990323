"""Regions of one's own: building one, mapping predictions, predicting new imagery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from llpbench.cli import options
from llpbench.cli.archives import print_report
from llpbench.cli.output import LOG, print_json, print_paths, shows_progress


def _pairs(
    _ctx: click.Context, _param: click.Parameter, values: Sequence[str]
) -> list[tuple[str, str]]:
    """Split each ``CLASS=COLUMN`` at its first equals sign."""
    pairs = [value.partition("=") for value in values]
    for value, (category, _equals, column) in zip(values, pairs, strict=True):
        if not (category and column):
            raise click.BadParameter(f"{value!r} is not CLASS=COLUMN")
    return [(category, column) for category, _equals, column in pairs]


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what a region is made of."""
    sources = [
        click.option(
            "--image",
            "images",
            type=options.PATH,
            multiple=True,
            required=True,
            help="Raster; several.",
        ),
        click.option("--divisions", type=options.PATH, help="Outlines: anything geopandas reads."),
        click.option("--division-id", help="The column of division ids."),
        click.option("--shares", type=options.PATH, help="csv of shares by division."),
        click.option(
            "--column",
            "columns",
            multiple=True,
            callback=_pairs,
            metavar="CLASS=COLUMN",
            help="Which column of it holds a class; several are added up.",
        ),
        click.option(
            "--bands", type=int, nargs=3, help="Numbers of the red, green and blue bands."
        ),
        click.option("--scale", type=float, nargs=2, help="Image values that become 0 and 255."),
        click.option(
            "--chip-km", type=float, default=1.0, show_default=True, help="Side of a chip."
        ),
        click.option(
            "--crs",
            default="auto",
            show_default=True,
            help="Projection of the chips: auto (UTM, or the image's own if that needs no "
            "resampling), image, or EPSG:NUMBER.",
        ),
    ]
    for option in reversed(sources):
        command = option(command)
    return command


@click.command()
@options.name_argument
@source_options
@click.option("--labels", type=options.PATH, multiple=True, help="Raster of classes; several.")
@click.option(
    "--legend",
    default="auto",
    show_default=True,
    help="What its numbers mean: auto, esa-worldcover, dynamic-world, corine, ghsl, ghsl-smod, "
    "a label set of the catalog, or a .toml file.",
)
@click.option("--splits", type=click.Choice(["bands", "folds"]), default="bands", show_default=True)
@click.option("--folds", type=click.IntRange(min=3), default=5, show_default=True)
@click.option(
    "--fold", type=click.IntRange(min=0), default=0, show_default=True, help="Which one is test."
)
@click.option(
    "--buffer-km", type=click.FloatRange(min=0), default=0.0, help="Kept free between splits."
)
@click.option("--title", help="Of the dataset.")
@click.option("--licence", help="By default the legend's.")
@click.option("--attribution", help="By default the legend's.")
@options.json_option
def build(
    name: str,
    images: Sequence[Path],
    labels: Sequence[Path],
    divisions: Path | None,
    bands: Sequence[int] | None,
    scale: tuple[float, float] | None,
    splits: Any,
    folds: int,
    fold: int,
    buffer_km: float,
    title: str | None,
    licence: str | None,
    attribution: str | None,
    as_json: bool,
    **sources: Any,
) -> None:
    """Make dataset NAME of a region of your own: images, division outlines, labels or a table.

    Chips stand on a grid of the region's UTM zone. Shares of divisions are counted on the label
    raster, or taken from --shares. Classes are never averaged.
    """
    from llpbench.data.building import Recipe, Splitting, build_dataset
    from llpbench.errors import BuildError

    if divisions is None:
        raise BuildError("a dataset needs --divisions: label proportions are known by division")
    recipe = Recipe(
        images=images,
        labels=labels,
        divisions=divisions,
        bands=bands or None,
        scale=scale or None,
        splitting=Splitting(splits, folds, fold, buffer_km),
        **sources,
    )
    report = build_dataset(
        name,
        recipe,
        title=title,
        licence=licence,
        attribution=attribution,
        progress=shows_progress(),
    )
    print_report(report, name, as_json)


@click.command("map")
@click.argument("predictions", type=options.PATH)
@options.dataset_option
@options.out_option("The GeoTIFF of shares; the other files stand beside it.", required=True)
@options.json_option
def map_predictions(predictions: Path, dataset: str, out: Path, as_json: bool) -> None:
    """Write PREDICTIONS as a map: GeoTIFFs of shares and classes, GeoParquet, a picture."""
    from llpbench.maps import write_map

    print_paths(vars(write_map(predictions, dataset, out)), as_json)


@click.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False, exists=True))
@source_options
@options.out_option("A new folder.", required=True, kind=options.FOLDER)
@options.json_option
def predict(
    run: Path,
    images: Sequence[Path],
    bands: Sequence[int] | None,
    scale: tuple[float, float] | None,
    out: Path,
    as_json: bool,
    **sources: Any,
) -> None:
    """Apply the method trained in folder RUN to a new raster, and map it.

    No labels are needed. A method of the disaggregation track (such as bag-ridge+rake) also takes
    --divisions and --shares: what a statistical office knows of them, spread over the chips.
    """
    from llpbench.data.building import Recipe
    from llpbench.running.predicting import predict_region

    recipe = Recipe(images=images, bands=bands or None, scale=scale or None, **sources)
    done = predict_region(run, recipe, out, progress=shows_progress())
    for remark in done.remarks:
        LOG.warning(remark)
    if as_json:
        print_json(
            {
                "folder": str(done.folder),
                "dataset": str(done.dataset),
                "predictions": str(done.predictions),
                "map": {name: str(path) for name, path in vars(done.map).items()},
                "chips": done.chips,
                "remarks": done.remarks,
            }
        )
    else:
        click.echo(f"{done.chips} chips predicted; written to {done.folder}:")
        for path in sorted(done.folder.iterdir()):
            click.echo(f"  {path.name}")
