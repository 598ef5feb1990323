"""Which classes a region has, by its labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from llpbench.data.building.area import Area
from llpbench.data.building.legend import Legend
from llpbench.data.building.legends import AUTO, find_legend, recognise
from llpbench.data.building.raster_file import RasterFile, apply, common_scale
from llpbench.data.building.sampling import sample
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.errors import BuildError

_TRUE = 0.01
"""Part by which a pixel may be longer in the plane of a projection than on the ground."""

_SAMPLE = 1000
"""Rows and columns of a label raster that its legend is recognised by."""


def choose_legend(
    named: str | Legend, labels: Callable[[], Sequence[RasterFile]]
) -> tuple[Legend | None, list[str]]:
    """Choose the classes of a region; also say what was recognised.

    Label rasters are only opened to recognise their legend. None where there is nothing to tell it
    by, so that the columns of a table are the classes.
    """
    if isinstance(named, Legend):
        return named, []
    if named != AUTO:
        return find_legend(named), []
    if files := labels():
        legend = recognise(_sample(files))
        return legend, [f"the labels were recognised as {legend.name} ({legend.label_set.title})"]
    return None, []


def say_ignored_scale(labels: Sequence[RasterFile], legend: Legend) -> list[str]:
    """Say it where labels have a scale of their own that numbers of classes do not need."""
    if legend.starts or common_scale(labels) in (None, (1.0, 0.0)):
        return []
    return ["the labels have scale tags; class numbers are read as they are stored"]


def cell_side(file: RasterFile, area: Area) -> float:
    """Side in metres of a square as large as a raster's pixel in the middle of an area.

    Pixels in the plane of a projection have their side there, if it is true to 1 %: a cell of 250 m
    is one, and whole counts stand for it as they are.
    """
    from pyproj import CRS, Geod, Transformer

    x, y = Transformer.from_crs(GEOGRAPHIC, file.crs, always_xy=True).transform(*area.centre)
    column, row = apply(~file.transform, x, y)
    corners = apply(file.transform, column + np.array([0, 1, 1, 0]), row + np.array([0, 0, 1, 1]))
    longitude, latitude = Transformer.from_crs(file.crs, GEOGRAPHIC, always_xy=True).transform(
        *corners
    )
    area_m2, _ = Geod(ellps="WGS84").polygon_area_perimeter(longitude, latitude)
    side = float(np.sqrt(abs(area_m2)))
    system = CRS(file.crs)
    if system.is_projected:
        unit = system.axis_info[0].unit_conversion_factor
        in_plane = float(f"{unit * abs(file.transform.determinant) ** 0.5:.9g}")
        side = in_plane if abs(in_plane / side - 1) < _TRUE else side
    return side


def _sample(labels: Sequence[RasterFile]) -> set[float]:
    """Numbers that occur in label rasters."""
    occurring: set[float] = set()
    for file in labels:
        numbers = np.unique(sample(file, _SAMPLE))
        if (numbers != np.round(numbers)).any():
            raise BuildError(
                f"{file.path.name} holds amounts, not classes; name the legend that divides them "
                "with --legend, such as ghsl"
            )
        occurring |= set(numbers.tolist())
    return occurring
