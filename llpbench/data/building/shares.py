"""Class shares of whole divisions, counted on the label raster itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL
from llpbench.data.building.layer import OpenLayer, make_layer
from llpbench.data.building.legend import Legend
from llpbench.data.building.placing import Window, window_of
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError, examples
from llpbench.protocol import CHIP_SIZE

if TYPE_CHECKING:
    import geopandas as gpd

_MOST_CELLS = 4_000_000
"""Pixels that are looked at together."""

_COVERED = 0.99
"""Part of a division that labels must cover without a remark."""


def shares_from_labels(
    files: Sequence[RasterFile], legend: Legend, divisions: gpd.GeoDataFrame, grid: ChipGrid
) -> tuple[NDArray[np.float64], list[str]]:
    """Count the class shares of divisions, each pixel by its part inside the outline.

    Pixels are those of the raster, unresampled, and weighted by their area on the ground where
    they are squares of degrees.

    Parameters
    ----------
    files : sequence of RasterFile
        Labels; all are laid on the pixels of the first.
    divisions : GeoDataFrame
        In the projection of the grid.
    grid : ChipGrid
        Its pixels take the place of the raster's where that is rotated, or in degrees across the
        antimeridian.

    Returns
    -------
    shares : ndarray of float64, shape (division, class)
        Of the labelled part of each division, also beyond the chips; rows sum to 1, NaN where
        nothing is labelled.
    remarks : list of str
        A sentence on divisions that reach beyond the labels, if there are any.
    """
    import shapely
    from exactextract import exact_extract
    from pyproj import CRS

    outlines, lattice = _common_lattice(files[0], divisions, grid)
    extent = window_of(lattice, outlines.total_bounds)
    layer = make_layer(files, lattice, extent, classes=True, scaled=bool(legend.starts))
    weight = "area_spherical_m2" if CRS(lattice.crs).is_geographic else "fraction"
    with layer.open() as opened:
        counted = exact_extract(
            _raster_source(opened, legend, extent),
            outlines[["geometry"]],
            ["unique", f"frac=frac(coverage_weight={weight})", "count"],
            output="pandas",
            max_cells_in_memory=_MOST_CELLS,
        )
    shares = np.zeros((len(divisions), len(legend.label_set.classes)))
    for row, (classes, parts) in enumerate(zip(counted["unique"], counted["frac"], strict=True)):
        shares[row, np.asarray(classes, dtype=int)] = parts
    known = counted["count"].to_numpy() > 0
    shares[known] /= shares[known].sum(axis=1, keepdims=True)
    shares[~known] = np.nan
    if not known.any():
        raise BuildError(
            "no division has a labelled pixel: the labels do not overlap the image and the "
            f"divisions; check {examples(file.path.name for file in files)}"
        )
    pixel = lattice.width * lattice.height
    covered = counted["count"].to_numpy() * pixel / shapely.area(outlines.geometry.to_numpy())
    partly = covered < _COVERED
    if not partly.any():
        return shares, []
    return shares, [
        f"{partly.sum()} divisions reach beyond the labels, such as "
        f"{examples(divisions.index[partly])}: their proportions are those of the labelled part"
    ]


def pixel_lattice(grid: ChipGrid) -> ChipGrid:
    """Pixels of the chips of a grid, as a grid."""
    width, height = grid.width / CHIP_SIZE, grid.height / CHIP_SIZE
    return ChipGrid(grid.crs, grid.west, grid.north, width, height)


def _common_lattice(
    file: RasterFile, divisions: gpd.GeoDataFrame, grid: ChipGrid
) -> tuple[gpd.GeoDataFrame, ChipGrid]:
    """Divisions in the projection of the labels, and the pixels of these."""
    from pyproj import CRS

    if CRS(file.crs) == CRS(grid.crs):
        outlines = divisions
    else:
        outlines = divisions.set_geometry(divisions.segmentize(grid.width / 4)).to_crs(file.crs)
    west, _, east, _ = outlines.total_bounds
    broken = CRS(file.crs).is_geographic and east - west > 180
    if file.is_rotated or broken:
        return divisions, pixel_lattice(grid)
    step = file.transform
    return outlines, ChipGrid(file.crs, step.c, step.f, step.a, -step.e)


def _raster_source(opened: OpenLayer, legend: Legend, extent: Window) -> Any:
    """Show a layer to exactextract, window by window, as class numbers."""
    from exactextract.raster import RasterSource

    lattice = opened.layer.lattice

    class Classes(RasterSource):  # type: ignore[misc]
        def res(self) -> tuple[float, float]:
            return lattice.width, lattice.height

        def srs_wkt(self) -> None:
            return None

        def extent(self) -> tuple[float, float, float, float]:
            west = lattice.west + extent.column * lattice.width
            north = lattice.north - extent.row * lattice.height
            return (
                west,
                north - extent.height * lattice.height,
                west + extent.width * lattice.width,
                north,
            )

        def nodata_value(self) -> int:
            return NO_LABEL

        def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[np.uint8]:
            window = Window(extent.row + y0, extent.column + x0, ny, nx)
            codes, present = opened.read(window)
            classes = np.full(present.shape, NO_LABEL, dtype=np.uint8)
            classes[present] = legend.classify(codes[0][present])
            return classes

    return Classes()
