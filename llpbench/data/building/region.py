"""Rasters, outlines and tables put together as a region, and that as a dataset in the cache."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.building.area import choose_grid, find_area
from llpbench.data.building.assignment import Splitting, split_chips
from llpbench.data.building.bands import choose_bands, choose_label_band
from llpbench.data.building.chips import MOST_MISSING, Chips, choose_chips
from llpbench.data.building.classes import cell_side, say_ignored_scale
from llpbench.data.building.divisions import place_divisions, whole_area
from llpbench.data.building.known import Known, read_known
from llpbench.data.building.layer import Layer, make_layer
from llpbench.data.building.legend import Legend
from llpbench.data.building.legends import AUTO
from llpbench.data.building.pixels import RasterPixels
from llpbench.data.building.placing import Window
from llpbench.data.building.raster_file import RasterFile, common_scale, inspect_rasters
from llpbench.data.building.recording import record_images
from llpbench.data.building.shares import pixel_lattice, shares_from_labels
from llpbench.data.building.stretch import choose_stretch
from llpbench.data.building.table import shares_in_region
from llpbench.data.cache import new_store_path
from llpbench.data.geometry import SQUARE_METRES_PER_KM2, equal_area
from llpbench.data.grid import ChipGrid
from llpbench.data.region import Region
from llpbench.data.store import WriteReport, write_store
from llpbench.errors import BuildError
from llpbench.protocol import CHIP_SIZE

if TYPE_CHECKING:
    import geopandas as gpd

CHIP_KM = 1.0
"""Side of a chip where nobody says another."""


@dataclass(frozen=True)
class Recipe:
    """What a region is made of.

    Parameters
    ----------
    images : sequence of Path
        Rasters of red, green and blue, folders of them, or patterns such as ``tiles/*.tif``; where
        they overlap, the first counts.
    labels : sequence of Path
        Rasters of classes, if there are any, in the same ways.
    divisions : Path or None
        Outlines; None makes one division of everything.
    division_id : str or None
        The column of their ids, in either file; None to find what outlines and table have in
        common.
    shares : Path or None
        A table of shares or areas by division (csv, xlsx, ods, parquet); without it they are
        counted on the labels.
    sheet : str or None
        Name or number of the sheet of that table.
    columns : sequence of (str, str)
        Class and column of that table, where they are not called alike.
    unit : str or None
        ``fraction``, ``percent``, ``ha``, ``km2`` or ``m2``; None to tell it by heading and sums.
    renormalise : bool
        Whether sums of that table may be off by 10 %.
    legend : str or Legend
        What the labels' numbers mean: a name, a file, ``auto``, or the legend itself.
    chip_km : float or None
        Side of a chip; None for 1 km, or what a trained method is used to.
    crs : str or None
        Of the grid, see :func:`~llpbench.data.building.area.choose_grid`; None for ``auto``, or
        what a trained method is used to.
    bands : sequence of int or str, or None
        The red, green and blue bands, each by its number, its name or what it shows; None for
        those that the files call so.
    scale : (float, float) or None
        Image values that become 0 and 255.
    max_missing : float
        Share of a chip's pixels that may be missing, from 0 to less than 1; they are black.
    label_band : int or None
        Which band of the labels holds the classes; None for the only one.
    splitting : Splitting
        How chips are split.
    """

    images: Sequence[Path]
    labels: Sequence[Path] = ()
    divisions: Path | None = None
    division_id: str | None = None
    shares: Path | None = None
    sheet: str | None = None
    columns: Sequence[tuple[str, str]] = ()
    unit: str | None = None
    renormalise: bool = False
    legend: str | Legend = AUTO
    chip_km: float | None = None
    crs: str | None = None
    bands: Sequence[int | str] | None = None
    scale: tuple[float, float] | None = None
    max_missing: float = MOST_MISSING
    label_band: int | None = None
    splitting: Splitting = field(default_factory=Splitting)


def build_dataset(
    name: str,
    recipe: Recipe,
    *,
    title: str | None = None,
    licence: str | None = None,
    attribution: str | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> WriteReport:
    """Make a dataset in the cache from rasters, division outlines and tables.

    Parameters
    ----------
    name : str
        What the dataset will be called.
    recipe : Recipe
        What it is made of.
    title, licence, attribution : str, optional
        What is said of it; by default its name, and what the legend says of the labels.
    workers : int, optional
        Threads that read and write; by default one for each processor.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    LLPBenchError
        In one sentence, what is wrong with a file or an option; nothing is left then.

    Examples
    --------
    >>> from pathlib import Path
    >>> build_dataset("mine", Recipe([Path("missing.tif")], legend="corine"))
    Traceback (most recent call last):
        ...
    llpbench.errors.BuildError: there is no raster 'missing.tif'
    """
    path = new_store_path(name)
    region, remarks = build_region(recipe)
    labels = region.label_set
    report = write_store(
        region,
        path,
        name=name,
        title=title or name,
        licence=labels.licence if licence is None else licence,
        attribution=labels.attribution if attribution is None else attribution,
        source=", ".join(file.name for file in [*recipe.images, *recipe.labels][:10]),
        workers=workers,
        progress=progress,
    )
    return replace(report, remarks=(*remarks, *report.remarks))


def build_region(recipe: Recipe) -> tuple[Region, list[str]]:
    """Make a region of one's own; its pixels are read from the rasters when they are needed.

    The remarks are a sentence for each thing that was decided, mended or left out.
    """
    chip_km = CHIP_KM if recipe.chip_km is None else recipe.chip_km
    crs_rule = recipe.crs or "auto"
    if not 0 < chip_km < math.inf:
        raise BuildError(f"--chip-km must be more than 0, found {chip_km:g}")

    @cache
    def open_labels() -> list[RasterFile]:
        return choose_label_band(inspect_rasters(recipe.labels), recipe.label_band)

    known = read_known(
        *(recipe.divisions, recipe.division_id, recipe.legend, open_labels),
        *(recipe.shares, recipe.sheet),
        columns=recipe.columns,
        unit=recipe.unit,
        renormalise=recipe.renormalise,
    )
    legend, outlines = known.legend, known.outlines
    images, more = choose_bands(inspect_rasters(recipe.images), recipe.bands)
    remarks = [*known.remarks, *more]
    stretch, more = choose_stretch(images, recipe.scale)
    labels = open_labels()
    remarks += [*more, *say_ignored_scale(labels, legend)]

    area = find_area(images, outlines)
    grid, extent = choose_grid(images, area, crs_rule, chip_km)
    if outlines is not None:
        outlines = place_divisions(outlines, grid, area)
    lattice = pixel_lattice(grid)
    pixels = Window(*(CHIP_SIZE * side for side in astuple(extent)))
    image = make_layer(images, lattice, pixels, scaled=common_scale(images) is None)
    label = _lay_labels(labels, legend, lattice, pixels)
    chips, more = choose_chips(image, grid, extent, outlines, recipe.max_missing)
    remarks += more

    divisions = whole_area(grid, chips.boxes, area) if outlines is None else outlines
    chips, divisions, splits, more = _split(chips, divisions, recipe.splitting)
    remarks += more
    legend = legend.for_cells(cell_side(labels[0], area)) if labels else legend
    shares, more = _find_shares(known, labels, legend, divisions, grid)
    remarks += more
    places = zip(chips.rows.tolist(), chips.columns.tolist(), strict=True)
    reader = RasterPixels(dict(zip(chips.ids, places, strict=True)), image, stretch, label, legend)
    outlined = chips.outlines(across=area.is_across).to_frame("geometry").assign(**splits)
    region = Region(
        label_set=legend.label_set,
        chips=outlined.set_index(pd.Index(chips.ids, name="chip")),
        divisions=divisions[["name", "degrees"]]
        .set_geometry("degrees")
        .rename_geometry("geometry"),
        division_proportions=shares,
        read=reader,
        grid=grid,
        overlaps=_overlaps(chips, divisions, outlined),
        recipe=record_images(
            *(images, stretch, image, area),
            most_missing=recipe.max_missing,
            chip_km=chip_km,
            crs_rule=crs_rule,
            legend=legend,
        ),
    )
    return region, remarks


def _overlaps(
    chips: Chips, divisions: gpd.GeoDataFrame, outlined: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Overlaps in km² on the ground: the plane's, each by the scale at its chip."""
    pairs = chips.overlaps(divisions)
    areas = outlined.geometry.to_crs(equal_area(outlined.geometry)).area.to_numpy()
    pairs["area"] = pairs.pop("part") * areas[pairs["chip"]] / SQUARE_METRES_PER_KM2
    return pairs


def _lay_labels(
    labels: Sequence[RasterFile], legend: Legend, lattice: ChipGrid, extent: Window
) -> Layer | None:
    if not labels:
        return None
    layer = make_layer(labels, lattice, extent, classes=True, scaled=bool(legend.starts))
    if not layer.sources:
        raise BuildError(
            "the labels do not overlap the image and the divisions; check the files and their "
            "reference systems"
        )
    return layer


def _split(
    chips: Chips, divisions: gpd.GeoDataFrame, splitting: Splitting
) -> tuple[Chips, gpd.GeoDataFrame, dict[str, NDArray[np.str_]], list[str]]:
    """Split chips, and leave out the buffer and the divisions that no chip overlaps."""
    pairs = chips.overlaps(divisions)
    remarks = []
    several = pairs.groupby("chip")["part"].sum() > 1.01
    if several.any():
        remarks.append(f"divisions lie over one another in {several.sum()} chips")
    assigned = split_chips(chips, pairs, splitting)
    kept = assigned["kept"].to_numpy()
    if not kept.all():
        remarks.append(f"{(~kept).sum()} chips in the buffer between splits were left out")
    touched = np.unique(pairs["division"][kept[pairs["chip"]]])
    splits = {name: assigned[name].to_numpy()[kept] for name in ("split", "split_chip")}
    return chips[kept], divisions.iloc[touched], splits, remarks


def _find_shares(
    known: Known,
    labels: Sequence[RasterFile],
    legend: Legend,
    divisions: gpd.GeoDataFrame,
    grid: ChipGrid,
) -> tuple[NDArray[np.float64], list[str]]:
    if known.shares is not None:
        return shares_in_region(known.shares, divisions.index)
    if labels:
        return shares_from_labels(labels, legend, divisions, grid)
    return np.full((len(divisions), len(legend.label_set.classes)), np.nan), []
