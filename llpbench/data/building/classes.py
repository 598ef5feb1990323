"""Which classes a region has, by its labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llpbench.data.building.area import Area
from llpbench.data.building.legend import Legend
from llpbench.data.building.legends import AUTO, find_legend, recognise
from llpbench.data.building.raster_file import RasterFile, apply, inspect_rasters, sample
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.errors import BuildError

_SAMPLE = 1000
"""Rows and columns of a label raster that its legend is recognised by."""


def choose_legend(named: str | Legend, labels: Sequence[Path]) -> tuple[Legend | None, list[str]]:
    """Choose the classes of a region; also say what was recognised.

    Label rasters are only opened to recognise their legend. None where there is nothing to tell it
    by, so that the columns of a table are the classes.
    """
    if isinstance(named, Legend):
        return named, []
    if named != AUTO:
        return find_legend(named), []
    if labels:
        legend = recognise(_sample(inspect_rasters(labels)))
        return legend, [f"the labels were recognised as {legend.name} ({legend.label_set.title})"]
    return None, []


def cell_side(file: RasterFile, area: Area) -> float:
    """Side in metres of a square as large as a raster's pixel in the middle of an area."""
    from pyproj import Geod, Transformer

    x, y = Transformer.from_crs(GEOGRAPHIC, file.crs, always_xy=True).transform(*area.centre)
    column, row = apply(~file.transform, x, y)
    corners = apply(file.transform, column + np.array([0, 1, 1, 0]), row + np.array([0, 0, 1, 1]))
    longitude, latitude = Transformer.from_crs(file.crs, GEOGRAPHIC, always_xy=True).transform(
        *corners
    )
    area_m2, _ = Geod(ellps="WGS84").polygon_area_perimeter(longitude, latitude)
    return float(np.sqrt(abs(area_m2)))


def _sample(labels: Sequence[RasterFile]) -> set[float]:
    """Numbers that occur in label rasters."""
    occurring: set[float] = set()
    for file in labels:
        numbers = np.unique(sample(file, [1], _SAMPLE))
        if (numbers != np.round(numbers)).any():
            raise BuildError(
                f"{file.path.name} holds amounts, not classes; name the legend that divides them "
                "with --legend, such as ghsl"
            )
        occurring |= set(numbers.tolist())
    return occurring
