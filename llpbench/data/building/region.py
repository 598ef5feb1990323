"""Rasters, outlines and tables put together as a region, and that as a dataset in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.building.area import choose_grid, find_area
from llpbench.data.building.assignment import Splitting, split_chips
from llpbench.data.building.chips import Chips, choose_chips
from llpbench.data.building.classes import cell_side, choose_legend
from llpbench.data.building.coverage import check_coverage
from llpbench.data.building.divisions import place_divisions, read_divisions, whole_area
from llpbench.data.building.layer import Layer, make_layer
from llpbench.data.building.legend import Legend
from llpbench.data.building.legends import AUTO
from llpbench.data.building.pixels import RasterPixels
from llpbench.data.building.placing import Window
from llpbench.data.building.raster_file import RasterFile, choose_bands, inspect_rasters
from llpbench.data.building.shares import pixel_lattice, shares_from_labels
from llpbench.data.building.stretch import choose_stretch
from llpbench.data.building.table import ShareTable, read_table, shares_from_table
from llpbench.data.cache import new_store_path
from llpbench.data.geometry import SQUARE_METRES_PER_KM2, equal_area
from llpbench.data.grid import ChipGrid
from llpbench.data.region import Region
from llpbench.data.store import WriteReport, write_store
from llpbench.errors import BuildError
from llpbench.protocol import CHIP_SIZE

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class Recipe:
    """What a region is made of.

    Parameters
    ----------
    images : sequence of Path
        Rasters of red, green and blue; where they overlap, the first counts.
    labels : sequence of Path
        Rasters of classes, if there are any.
    divisions : Path or None
        Outlines; None makes one division of everything.
    layer : str or None
        The layer of outlines; None for the only one of polygons.
    division_id : str or None
        The column of their ids.
    shares : Path or None
        A csv table of shares by division; without it they are counted on the labels.
    columns : sequence of (str, str)
        Class and column of that table, where they are not called alike.
    legend : str or Legend
        What the labels' numbers mean: a name, a file, ``auto``, or the legend itself.
    chip_km : float
        Side of a chip.
    crs : str
        Of the grid, see :func:`~llpbench.data.building.area.choose_grid`.
    bands : sequence of int or None
        Numbers of the red, green and blue bands.
    scale : (float, float) or None
        Image values that become 0 and 255.
    splitting : Splitting
        How chips are split.
    """

    images: Sequence[Path]
    labels: Sequence[Path] = ()
    divisions: Path | None = None
    layer: str | None = None
    division_id: str | None = None
    shares: Path | None = None
    columns: Sequence[tuple[str, str]] = ()
    legend: str | Legend = AUTO
    chip_km: float = 1.0
    crs: str = "auto"
    bands: Sequence[int] | None = None
    scale: tuple[float, float] | None = None
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
    >>> build_dataset("mine", Recipe([Path("missing.tif")]))
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
    if recipe.chip_km <= 0:
        raise BuildError(f"--chip-km must be more than 0, found {recipe.chip_km:g}")
    images = inspect_rasters(recipe.images)
    bands = [choose_bands(file, recipe.bands) for file in images]
    stretch, remarks = choose_stretch(images, bands, recipe.scale)
    labels = inspect_rasters(recipe.labels)
    table = None
    if recipe.shares is not None:
        table = read_table(recipe.shares, recipe.division_id, recipe.columns)
    legend, more = choose_legend(recipe.legend, labels, table)
    remarks += more

    outlines = None
    if recipe.divisions is not None:
        outlines, more = read_divisions(recipe.divisions, recipe.division_id, recipe.layer)
        remarks += more
    area = find_area(images, outlines)
    grid, extent = choose_grid(images, area, recipe.crs, recipe.chip_km)
    if outlines is not None:
        outlines = place_divisions(outlines, grid, area)
        remarks += check_coverage(outlines)
    lattice = pixel_lattice(grid)
    pixels = Window(*(CHIP_SIZE * side for side in astuple(extent)))
    image = make_layer(images, bands, lattice, pixels)
    label = _lay_labels(labels, lattice, pixels)
    chips, more = choose_chips(image, grid, extent, outlines)
    remarks += more

    divisions = whole_area(grid, chips.boxes, area) if outlines is None else outlines
    chips, divisions, splits, more = _split(chips, divisions, recipe.splitting)
    remarks += more
    legend = legend.for_cells(cell_side(labels[0], area)) if labels else legend
    shares, more = _find_shares(table, labels, legend, divisions, grid)
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


def _lay_labels(labels: Sequence[RasterFile], lattice: ChipGrid, extent: Window) -> Layer | None:
    if not labels:
        return None
    layer = make_layer(labels, [(1,)] * len(labels), lattice, extent, classes=True)
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
    assigned = split_chips(chips, pairs, splitting)
    kept = assigned["kept"].to_numpy()
    if not kept.all():
        remarks.append(f"{(~kept).sum()} chips in the buffer between splits were left out")
    touched = np.unique(pairs["division"][kept[pairs["chip"]]])
    splits = {name: assigned[name].to_numpy()[kept] for name in ("split", "split_chip")}
    return chips[kept], divisions.iloc[touched], splits, remarks


def _find_shares(
    table: ShareTable | None,
    labels: Sequence[RasterFile],
    legend: Legend,
    divisions: gpd.GeoDataFrame,
    grid: ChipGrid,
) -> tuple[NDArray[np.float64], list[str]]:
    if table is not None:
        return shares_from_table(table, legend.label_set, divisions.index)
    if labels:
        return shares_from_labels(labels, legend, divisions, grid)
    return np.full((len(divisions), len(legend.label_set.classes)), np.nan), []
