"""Options that say what an embedding is."""

from __future__ import annotations

import click

from llpbench.cli import options

EMBEDDING_OPTIONS = (
    click.option(
        "--embedding",
        "embeddings",
        type=options.PATH,
        multiple=True,
        help="GeoTIFF or Zarr of an embedding, beside --image or in place of it; several.",
    ),
    click.option(
        "--embedding-coding",
        type=click.Choice(["alphaearth", "tessera", "linear"]),
        help="How its numbers become values; by default told by what it says.",
    ),
    click.option(
        "--embedding-version",
        default="",
        show_default=False,
        help="Of the model that made it, where it does not say it.",
    ),
    click.option(
        "--embedding-year",
        type=options.COUNT,
        help="Which year is read of several, or the year where it does not say it.",
    ),
)
