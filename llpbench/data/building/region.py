"""Rasters, outlines and tables put together as a region, and that as a dataset in the cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.crew import Crew, gather
from llpbench.data.building.area import choose_grid, find_area
from llpbench.data.building.assignment import Splitting, split_chips
from llpbench.data.building.chips import Chips, choose_chips
from llpbench.data.building.classes import cell_side
from llpbench.data.building.coverage import check_coverage
from llpbench.data.building.divisions import place_divisions, whole_area
from llpbench.data.building.embedding_cells import EmbeddingPixels, lay_embedding
from llpbench.data.building.kept import Kept, describe_image, mark_missing
from llpbench.data.building.known import Known
from llpbench.data.building.layer import Layer, make_layer
from llpbench.data.building.legend import Legend
from llpbench.data.building.pixels import RasterPixels
from llpbench.data.building.placing import Window
from llpbench.data.building.presence import Looking
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.recording import record_region
from llpbench.data.building.shares import pixel_lattice, shares_from_labels
from llpbench.data.building.sources import Sources, read_sources
from llpbench.data.building.stretch import Stretch
from llpbench.data.building.table import shares_in_region
from llpbench.data.cache import place_new
from llpbench.data.geometry import SQUARE_METRES_PER_KM2, equal_area
from llpbench.data.grid import ChipGrid
from llpbench.data.imagery import EMBEDDING, IMAGE, Imagery
from llpbench.data.region import Region
from llpbench.data.store import WriteReport, write_store
from llpbench.errors import BuildError
from llpbench.protocol import CHIP_SIZE

if TYPE_CHECKING:
    import geopandas as gpd


def build_dataset(
    name: str,
    recipe: Recipe,
    *,
    title: str | None = None,
    licence: str | None = None,
    attribution: str | None = None,
    out: str | os.PathLike[str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> WriteReport:
    """Make a dataset from rasters, division outlines and tables.

    Parameters
    ----------
    name : str
        What the dataset will be called.
    recipe : Recipe
        What it is made of.
    title, licence, attribution : str, optional
        What is said of it; by default its name, and what the legend says of the labels.
    out : str or path, optional
        Path or address where it is written, by default the cache.
    workers, scheduler
        Who does the work, see :func:`~llpbench.crew.gather`.
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
    llpbench.errors.BuildError: there is no raster 'missing.tif'; check its path
    """
    path = place_new(name, out)
    with gather(workers, scheduler) as crew:
        region, remarks = build_region(recipe, crew, progress=progress)
        labels = region.label_set
        report = write_store(
            region,
            path,
            name=name,
            title=title or name,
            licence=labels.licence if licence is None else licence,
            attribution=labels.attribution if attribution is None else attribution,
            source=", ".join(recipe.names[:10]),
            crew=crew,
            progress=progress,
        )
    return replace(report, remarks=(*remarks, *report.remarks))


def build_region(
    recipe: Recipe, crew: Crew | None = None, *, progress: bool = False
) -> tuple[Region, list[str]]:
    """Make a region of one's own; its pixels are read from the rasters when they are needed.

    Where some may be missing, the crew, by default this process, looks at all before. The remarks
    are a sentence for each thing that was decided, mended or left out.
    """
    sources, remarks = read_sources(recipe)
    known, images, labels = sources.known, sources.images, sources.labels
    outlines, legend = known.outlines, known.legend
    area = find_area(sources.rasters, outlines)
    grid, extent = choose_grid(sources.rasters, area, recipe.crs_rule, recipe.side_km)
    if outlines is not None:
        outlines = place_divisions(outlines, grid, area)
        remarks += check_coverage(outlines)
    lattice = pixel_lattice(grid)
    pixels = Window(*(CHIP_SIZE * side for side in astuple(extent)))
    image = images.lay(lattice, pixels) if images else None
    embedding = lay_embedding(sources.embeddings, lattice)
    label = _lay_labels(labels, legend, lattice, pixels)
    looking = Looking(crew or Crew(), progress)
    chips, more = choose_chips(
        image, grid, extent, outlines, recipe.max_missing, embedding, looking=looking
    )
    remarks += more
    numbers = sources.numbers
    if images is not None and isinstance(numbers, Kept):
        numbers = mark_missing(numbers, images.files, some=not chips.are_whole)

    divisions = whole_area(grid, chips.boxes, area) if outlines is None else outlines
    chips, divisions, splits, more = _split(chips, divisions, recipe.splitting)
    remarks += more
    legend = legend.for_cells(cell_side(labels[0], area)) if labels else legend
    shares, more = _find_shares(known, labels, legend, divisions, grid)
    remarks += more
    places = zip(chips.rows.tolist(), chips.columns.tolist(), strict=True)
    reader = RasterPixels(
        dict(zip(chips.ids, places, strict=True)), image, numbers, label, legend, embedding
    )
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
        recipe=record_region(recipe, sources, image, area, legend, grid.crs),
        images=_describe(sources, numbers, embedding),
    )
    return region, remarks


def _describe(
    sources: Sources, numbers: Stretch | Kept | None, embedding: EmbeddingPixels | None
) -> dict[str, Imagery]:
    """What the arrays of chips hold, those that there are."""
    held = {}
    if sources.images is not None and numbers is not None:
        held[IMAGE] = describe_image(sources.images, numbers)
    if embedding is not None:
        held[EMBEDDING] = embedding.imagery
    return held


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
