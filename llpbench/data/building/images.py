"""The images of a recipe: looked at, their bands chosen, the meaning of their numbers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llpbench.data.building.band_names import CLASSES, is_same_name
from llpbench.data.building.bands import choose_bands
from llpbench.data.building.item_stack import SCL, open_items
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.reflectance import read_reflectance
from llpbench.data.building.stack import BandStack, open_stack
from llpbench.errors import BuildError, examples

if TYPE_CHECKING:
    import geopandas as gpd


def open_images(
    recipe: Recipe, outlines: gpd.GeoDataFrame | None = None
) -> tuple[BandStack, list[str]]:
    """Look at the images of a recipe and choose their bands; also say what was decided.

    Nothing is read but what files say of themselves; of a list of items, only those that may lie
    over the outlines of divisions.
    """
    if recipe.items is not None:
        return open_items(recipe, outlines)
    stack, left_out = open_stack(recipe.images)
    stack, classified = _find_classification(stack, recipe)
    chosen, bands = choose_bands(stack, recipe.bands)
    sheets, meaning = read_reflectance(chosen.sheets, recipe.boa_offset)
    return replace(chosen, sheets=sheets), [*left_out, *bands, *meaning, *classified]


def _find_classification(stack: BandStack, recipe: Recipe) -> tuple[BandStack, list[str]]:
    """Find the classes by which clouds are missing, where that is asked for."""
    found = stack.classification or [
        file.select([band.number])
        for file in stack.files
        for band in file.bands
        if band.role == CLASSES and is_same_name(band.name, SCL)
    ]
    if not recipe.clouds:
        files = [file.path.name for file in stack.classification]
        remark = f"{examples(files)} was not used; --clouds makes clouds missing by it"
        return replace(stack, classification=()), [remark] if files else []
    lacking = _without(stack.sheets[0], found)
    if lacking:
        raise BuildError(
            "--clouds needs the scene classification of Sentinel-2 (SCL) of each image, but there "
            f"is none of {examples(lacking)}; give the product's folder or its SCL file as well, "
            "or images whose clouds are nodata"
        )
    return replace(stack, classification=tuple(found)), []


def _without(tiles: Sequence[RasterFile], classes: Sequence[RasterFile]) -> list[str]:
    """Names of tiles beyond as many as there are files of classes."""
    return [tile.path.name for tile in tiles[len(classes) :]]
