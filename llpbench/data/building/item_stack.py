"""Items of a catalogue as an image: their assets looked at, to be put together by the median."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.building.asset_bands import AssetBand, find_asset
from llpbench.data.building.asset_numbers import find_sensor, read_numbers
from llpbench.data.building.asset_places import GEOTIFF, find_file
from llpbench.data.building.band_names import COLOURS, is_same_name
from llpbench.data.building.composite import CompositeLayer
from llpbench.data.building.items import Item, ItemList, name_of, read_items
from llpbench.data.building.layer import make_layer
from llpbench.data.building.placement import in_degrees
from llpbench.data.building.placing import Window
from llpbench.data.building.raster_band import check_values
from llpbench.data.building.raster_file import Box, RasterFile, common_scale, inspect_raster
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.reflectance import NONE, read_reflectance
from llpbench.data.building.stack import CLOUDY, BandStack, StackLayer
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError, examples

if TYPE_CHECKING:
    import geopandas as gpd

SCL = "SCL"
"""What the scene classification of Sentinel-2 is called."""

_HIDDEN = tuple(range(1, 256))
"""Numbers of any other mask under which the ground is hidden: all but 0."""

_THREADS = 8
"""Files that are looked at together, as most of the time is spent on waiting for the network."""


@dataclass(frozen=True)
class ItemStack(BandStack):
    """The files of several images; the n-th of each sheet, and mask, are those of the n-th item.

    Parameters
    ----------
    items : tuple of Item
        In the order of their days.
    mask : str
        Asset by which pixels are missing; empty for none.
    """

    items: tuple[Item, ...] = ()
    mask: str = ""

    def lay(self, lattice: ChipGrid, extent: Window) -> CompositeLayer:
        """Lay all files on a lattice; items that do not reach into the extent are left out."""
        scaled = common_scale(self.files) is None
        images = []
        for number in range(len(self.items)):
            layers = [
                make_layer([sheet[number]], lattice, extent, scaled=scaled) for sheet in self.sheets
            ]
            masks = self.classification[number : number + 1]
            mask = make_layer(masks, lattice, extent, classes=True) if masks else None
            parts = layers if mask is None else [*layers, mask]
            if all(part.sources for part in parts):
                images.append(StackLayer(tuple(layers), mask, self.hides))
        if not images:
            raise BuildError("no item reaches into the region; check their reference systems")
        return CompositeLayer(tuple(images))


def open_items(
    recipe: Recipe, outlines: gpd.GeoDataFrame | None = None
) -> tuple[ItemStack, list[str]]:
    """Look at the items of a recipe, those that may lie over divisions; also say what was decided.

    Nothing is read but what files say of themselves.

    Raises
    ------
    BuildError
        If an item lacks a band or a mask, or has a file that is not read.
    """
    found = read_items(str(recipe.items))
    items, remarks = _choose_items(found, outlines)
    wanted = recipe.bands or COLOURS
    bands = [[find_asset(item, str(band)) for band in wanted] for item in items]
    mask = SCL if recipe.clouds else recipe.mask or ""
    masks = [[find_asset(item, mask)] for item in items] if mask else []
    with ThreadPoolExecutor(_THREADS) as threads:
        look = partial(_look, found.source, recipe.boa_offset)
        files = [tuple(threads.map(look, items, sheet)) for sheet in _sheets(bands)]
        look = partial(_look_at_mask, found.source, is_scl=recipe.clouds)
        masked = tuple(threads.map(look, items, masks)) if mask else ()
    read, meaning = read_reflectance(tuple(files), recipe.boa_offset)
    stack = ItemStack(
        read,
        masked,
        sensor=_common_sensor(items),
        hides=CLOUDY if recipe.clouds else _HIDDEN,
        items=tuple(items),
        mask=mask,
    )
    is_rgb = [band.role for band in stack.bands] == list(COLOURS)
    remarks += _say(items, [band.asset for band in bands[0]], mask)
    return replace(stack, is_rgb=is_rgb), [*remarks, *meaning]


def _choose_items(
    found: ItemList, outlines: gpd.GeoDataFrame | None
) -> tuple[list[Item], list[str]]:
    """Items in the order of their days, without those that lie apart from all divisions."""
    items = sorted(found.items, key=lambda item: (item.day, item.id))
    remarks = []
    name = name_of(str(found.source))
    if found.has_more:
        remarks.append(f"{name} is one page of a search: the items of other pages are not in it")
    if outlines is None:
        return items, remarks
    corners = in_degrees(outlines.get_coordinates().to_numpy(), outlines.crs)
    (west, south), (east, north) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    near = [item for item in items if _may_overlap(item.box, (west, south, east, north))]
    if not near:
        raise BuildError(
            f"none of the {len(items):,} items of {name} lies over the divisions; search where "
            "they are"
        )
    if len(near) < len(items):
        remarks.append(f"{len(items) - len(near):,} items lie apart from all divisions")
    return near, remarks


def _may_overlap(box: Box | None, other: Box) -> bool:
    """Whether an item may lie in a box; what is not said, or lies across the antimeridian, may."""
    if box is None or box[0] > box[2] or other[2] > 180:
        return True
    beside = box[0] < other[2] and other[0] < box[2]
    return beside and box[1] < other[3] and other[1] < box[3]


def _sheets(bands: Sequence[Sequence[AssetBand]]) -> list[list[Sequence[AssetBand]]]:
    """Bands by sheet and item: one sheet where each item has all in one file, else one a band."""
    if all(len({band.asset for band in own}) == 1 for own in bands):
        return [list(bands)]
    return [[[band] for band in sheet] for sheet in zip(*bands, strict=True)]


def _look(
    source: Path | str, boa_offset: str, item: Item, bands: Sequence[AssetBand]
) -> RasterFile:
    """Look at a file, and read in the item what the file does not say."""
    file = inspect_raster(find_file(item, bands[0].asset, source), GEOTIFF)
    there = file.count - (file.alpha is not None)
    if max(band.number for band in bands) > there or bands[0].count == 1 < there:
        raise BuildError(
            f"asset {bands[0].asset!r:.60} of item {item.id!r} has {bands[0].count} bands by the "
            f"item, but its file has {there}; name another with --bands, or mend the item"
        )
    file = file.select([band.number for band in bands])
    read = [
        read_numbers(item, said, said.name_band(band), boa_offset)
        for said, band in zip(bands, file.bands, strict=True)
    ]
    for band in read:
        check_values(file.path.name, band)
    return replace(file, bands=tuple(read))


def _look_at_mask(
    source: Path | str, item: Item, bands: Sequence[AssetBand], *, is_scl: bool
) -> RasterFile:
    """Look at a mask; in any but the scene classification 0 is clear, whatever the file says."""
    file = _look(source, NONE, item, bands)
    band = file.bands[0]
    if np.dtype(band.dtype).kind not in "iu":
        raise BuildError(
            f"asset {bands[0].asset!r:.60} of item {item.id!r} holds numbers of type {band.dtype}, "
            "but a mask needs whole ones; name another with --mask"
        )
    if not is_scl and band.nodata == 0:
        band = replace(band, nodata=None, all_valid=not band.is_masked)
    return replace(file, bands=(band,))


def _common_sensor(items: Sequence[Item]) -> str:
    sensors = {find_sensor(item) for item in items}
    return sensors.pop() if len(sensors) == 1 else ""


def _say(items: Sequence[Item], assets: Sequence[str], mask: str) -> list[str]:
    days = [item.day for item in items if item.day]
    span = f" of {days[0]} to {days[-1]}" if days else ""
    hidden = f", without pixels that {mask!r} hides" if mask else ""
    remarks = [
        f"the image is the median of {len(items):,} items{span}{hidden}; its bands are the assets "
        f"{examples(assets, 13)}"
    ]
    unused = [key for key in items[0].assets if is_same_name(key, SCL)]
    if unused and not mask:
        remarks.append(f"{examples(unused)} was not used; --clouds makes clouds missing by it")
    return remarks
