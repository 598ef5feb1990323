"""Options that say what a region is made of: images, embeddings, outlines, tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import click

from llpbench.cli import options

_EMBEDDING = (
    click.option(
        "--embedding",
        "embeddings",
        type=options.PATH,
        multiple=True,
        help="GeoTIFF or Zarr of an embedding, beside --image or in place of it; may be given "
        "several times.",
    ),
    click.option(
        "--embedding-coding",
        type=click.Choice(["alphaearth", "tessera", "linear"]),
        help="How numbers of the embedding become values; by default told by what it says.",
    ),
    click.option(
        "--embedding-version",
        default="",
        show_default=False,
        help="Version of the model that made the embedding, where it does not say it.",
    ),
    click.option(
        "--embedding-year",
        type=options.COUNT,
        help="Which year of the embedding is read, or the year where it does not say it.",
    ),
)


def _pairs(
    _ctx: click.Context, _param: click.Parameter, values: Sequence[str]
) -> list[tuple[str, str]]:
    """Split each ``CLASS=COLUMN`` at its first equals sign."""
    pairs = [value.partition("=")[::2] for value in values]
    for value, pair in zip(values, pairs, strict=True):
        if not all(pair):
            raise click.BadParameter(f"{value!r} is not CLASS=COLUMN")
    return pairs


def _listed(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Split a list at its commas."""
    return None if value is None else tuple(item.strip() for item in value.split(","))


class TakesBands(click.Command):
    """A command that takes ``--bands 4 3 2`` for ``--bands 4,3,2``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put numbers that follow ``--bands`` together."""
        if "--bands" in args:
            first = args.index("--bands") + 1
            if numbers := list(takewhile(str.isdecimal, args[first:])):
                args = [*args[:first], ",".join(numbers), *args[first + len(numbers) :]]
        return super().parse_args(ctx, args)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what a region is made of."""
    sources = [
        click.option(
            "--image",
            "images",
            type=options.PATH,
            multiple=True,
            help="Raster, folder of rasters (such as a .SAFE), or pattern such as 'tiles/*.tif'; "
            "may be given several times.",
        ),
        click.option(
            "--stac",
            "items",
            metavar="ITEMS",
            help="List of STAC items that a search has found, a file or an address, in place of "
            "--image: their median is the image. --bands are common names or assets, by default "
            "red,green,blue.",
        ),
        click.option(
            "--mask",
            metavar="ASSET",
            help="Asset of the items that hides pixels where it is not 0, in place of --clouds.",
        ),
        *_EMBEDDING,
        click.option(
            "--divisions", type=options.PATH, help="File of polygons: the outlines of divisions."
        ),
        click.option("--layer", help="Layer of outlines, where their file has several."),
        click.option(
            "--division-id",
            help="Column of division ids, in outlines or table; by default one that both share.",
        ),
        click.option(
            "--shares",
            type=options.PATH,
            help="Table of shares or areas by division: csv, xlsx, ods, parquet.",
        ),
        click.option("--sheet", help="Name or number of the sheet of that table."),
        click.option(
            "--column",
            "columns",
            multiple=True,
            callback=_pairs,
            metavar="CLASS=COLUMN",
            help="Which column of that table holds a class; several of a class are added up.",
        ),
        click.option(
            "--unit",
            type=click.Choice(["fraction", "percent", "ha", "km2", "m2"]),
            help="Unit of the numbers of that table; by default told by heading and sums.",
        ),
        click.option(
            "--renormalise",
            is_flag=True,
            help="Take rows of that table whose sum is up to 10 % off, and divide each by its sum.",
        ),
        click.option(
            "--bands",
            callback=_listed,
            metavar="BAND,...",
            help="Bands of images that are used, by number, name or what they show: 4,3,2 or "
            "B4,B3,B2,B8 or red,green,blue,nir. By default all but transparency and classes.",
        ),
        click.option(
            "--scale",
            type=float,
            nargs=2,
            help="Two values of images that become 0 and 255. By default that is done with red, "
            "green and blue alone, and other bands keep their numbers.",
        ),
        click.option(
            "--boa-offset",
            type=click.Choice(["auto", "none", "-1000"]),
            default="auto",
            help="What is added to numbers of Sentinel-2, by default what its metadata say.",
        ),
        click.option(
            "--clouds",
            is_flag=True,
            help="Take what Sentinel-2's scene classification (SCL) calls clouds or their shadows "
            "for missing.",
        ),
        click.option(
            "--max-missing",
            type=click.FloatRange(0, 1, max_open=True),
            default=0.01,
            metavar="SHARE",
            help="Share of a chip's pixels that may be missing, as under clouds.",
        ),
        click.option("--chip-km", type=float, help="Side of a chip in km, by default 1."),
        click.option(
            "--crs",
            help="Projection of the chips: image, EPSG:NUMBER or auto, the default, which is "
            "UTM, or the image's own if that needs no resampling.",
        ),
    ]
    for option in reversed(sources):
        command = option(command)
    return command
