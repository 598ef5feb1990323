"""What a raster file says of itself, and what is wrong with it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.files import expand
from llpbench.data.building.georeference import Place, find_place
from llpbench.data.building.opening import GDAL_OPTIONS, find_driver, open_raster
from llpbench.data.building.raster_band import Band, check_values, inspect_bands
from llpbench.errors import BuildError

if TYPE_CHECKING:
    from affine import Affine

Box = tuple[float, float, float, float]
"""West, south, east, north, or left, bottom, right, top."""


@dataclass(frozen=True)
class RasterFile:
    """A georeferenced raster on disk, and those of its bands that are in use.

    Parameters
    ----------
    driver : str
        Of GDAL, that reads it.
    place : Place
        Reference system and geotransform.
    width, height, count : int
        Columns, rows, and bands in the file.
    bands : tuple of Band
        Those in use, in their order; all of them until some are chosen.
    alpha : int or None
        Number of the band that says which pixels are missing.
    false_alpha : int or None
        Number of a band that is marked as that one, but named as another.
    """

    path: Path
    driver: str
    place: Place
    width: int
    height: int
    count: int
    bands: tuple[Band, ...]
    alpha: int | None
    false_alpha: int | None

    @property
    def crs(self) -> str:
        """WKT."""
        return self.place.crs

    @property
    def transform(self) -> Affine:
        """Column and row to coordinates; may be rotated."""
        return self.place.transform

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the bands in use."""
        return tuple(band.number for band in self.bands)

    @property
    def dtype(self) -> str:
        """One that holds all bands in use."""
        return np.result_type(*(np.dtype(band.dtype) for band in self.bands)).name

    @property
    def has_tags(self) -> bool:
        """Whether it says how its numbers become values."""
        return any((band.scale, band.offset) != (1.0, 0.0) for band in self.bands)

    @property
    def all_valid(self) -> bool:
        """Whether no pixel can be missing."""
        return self.alpha is None and all(band.all_valid for band in self.bands)

    @property
    def corners(self) -> NDArray[np.float64]:
        """Coordinates of its corners, shape (4, 2), around."""
        columns = np.array([0, self.width, self.width, 0])
        rows = np.array([0, 0, self.height, self.height])
        return np.stack(apply(self.transform, columns, rows), axis=1)

    @property
    def box(self) -> Box:
        """What its corners span."""
        return (*self.corners.min(axis=0), *self.corners.max(axis=0))

    @property
    def is_rotated(self) -> bool:
        """Whether rows do not run from west to east, or columns not from north to south."""
        step = self.transform
        return bool(step.b or step.d or step.a < 0 or step.e > 0)

    def select(self, numbers: Sequence[int]) -> RasterFile:
        """The same with these bands in use."""
        chosen = replace(self, bands=tuple(self.bands[number - 1] for number in numbers))
        for band in chosen.bands:
            check_values(self.path.name, band)
        return chosen


def apply(transform: Affine, column: Any, row: Any) -> tuple[Any, Any]:
    """Apply a geotransform, or the inverse of one, to places."""
    x = transform.a * column + transform.b * row + transform.c
    y = transform.d * column + transform.e * row + transform.f
    return x, y


def common_scale(files: Iterable[RasterFile]) -> tuple[float, float] | None:
    """Scale and offset of all bands in use, None where they differ."""
    tags = {(band.scale, band.offset) for file in files for band in file.bands}
    return tags.pop() if len(tags) == 1 else None


def inspect_rasters(paths: Sequence[Path]) -> list[RasterFile]:
    """Look at files, those of folders and those that fit a pattern, without reading their pixels.

    Files are of the kinds that :func:`~llpbench.data.building.opening.find_driver` knows.
    """
    return [inspect_raster(path) for path in expand(paths)]


def inspect_raster(path: Path, driver: str | None = None) -> RasterFile:
    """Look at a file, by a driver or the one that its first bytes call for."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    driver = driver or find_driver(path)
    try:
        with (
            warnings.catch_warnings(),
            rasterio.Env(**GDAL_OPTIONS),
            open_raster(path, driver) as source,
        ):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            bands = inspect_bands(source)
            marked = [band for band in bands if band.colour == "alpha"]
            alpha = [band.number for band in marked if band.role in ("", "alpha")]
            false_alpha = [band.number for band in marked if band.number not in alpha]
            return RasterFile(
                path=path.resolve(),
                driver=driver,
                place=find_place(source, path.name),
                width=source.width,
                height=source.height,
                count=source.count,
                bands=bands,
                alpha=alpha[0] if alpha else None,
                false_alpha=false_alpha[0] if false_alpha else None,
            )
    except RasterioError as error:
        raise BuildError(f"{path.name} cannot be read as a raster ({error})") from error
