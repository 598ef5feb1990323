"""What a raster file says of itself, and what is wrong with it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import BuildError

if TYPE_CHECKING:
    from affine import Affine

Box = tuple[float, float, float, float]
"""West, south, east, north, or left, bottom, right, top."""

GDAL_OPTIONS = {"GDAL_CACHEMAX": 256}
"""Megabytes of pixels that are kept, whatever the machine has."""


@dataclass(frozen=True)
class RasterFile:
    """A georeferenced raster on disk.

    Parameters
    ----------
    crs : str
        WKT.
    transform : Affine
        Column and row to coordinates; may be rotated.
    width, height, count : int
        Columns, rows and bands.
    dtype : str
        Of its first band.
    has_alpha, all_valid : bool
        Whether a band says which pixels are missing, and whether none can be.
    colours : tuple of int
        Numbers of the red, green and blue bands, where the file says which they are.
    scale, offset : float
        How stored numbers become values: ``stored * scale + offset``.
    """

    path: Path
    crs: str
    transform: Affine
    width: int
    height: int
    count: int
    dtype: str
    nodata: float | None
    has_alpha: bool
    all_valid: bool
    colours: tuple[int, ...]
    scale: float
    offset: float

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


def apply(transform: Affine, column: Any, row: Any) -> tuple[Any, Any]:
    """Apply a geotransform, or the inverse of one, to places."""
    x = transform.a * column + transform.b * row + transform.c
    y = transform.d * column + transform.e * row + transform.f
    return x, y


def sample(file: RasterFile, bands: Sequence[int], side: int) -> NDArray[Any]:
    """Finite numbers of present pixels, from at most ``side`` rows and columns all over a file."""
    import rasterio

    shape = (len(bands), min(side, file.height), min(side, file.width))
    with rasterio.open(file.path) as source:
        numbers = source.read(list(bands), out_shape=shape, masked=True).compressed()
    return np.asarray(numbers[np.isfinite(numbers)])


def inspect_rasters(paths: Sequence[Path]) -> list[RasterFile]:
    """Look at files of anything GDAL reads, at least one, without reading their pixels."""
    return [_inspect(path) for path in paths]


def choose_bands(file: RasterFile, wanted: Sequence[int] | None) -> tuple[int, ...]:
    """Say which bands, from 1, are red, green and blue."""
    if wanted is not None:
        if len(wanted) != 3 or not all(1 <= band <= file.count for band in wanted):
            raise BuildError(
                f"--bands must name three of the {file.count} bands of {file.path.name}, "
                f"found {list(wanted)}"
            )
        return tuple(wanted)
    if file.colours:
        return file.colours
    if file.count not in (3, 4):
        raise BuildError(
            f"an image must have 3 bands (red, green, blue) or 4, but {file.path.name} has "
            f"{file.count}" + ("; name three with --bands" if file.count > 4 else "")
        )
    return (1, 2, 3)


def _inspect(path: Path) -> RasterFile:
    import rasterio
    from rasterio.enums import ColorInterp, MaskFlags
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    if not path.exists():
        raise BuildError(f"there is no raster {str(path)!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(path)
    except RasterioError as error:
        raise BuildError(f"{path.name} cannot be read as a raster ({error})") from error
    with source:
        if source.crs is None:
            raise BuildError(
                f"{path.name} does not say in which coordinate reference system it is; "
                "write it into the file, for example with `rio edit-info --crs EPSG:32631`"
            )
        if source.transform.is_identity:
            raise BuildError(
                f"{path.name} does not say where on Earth it lies; georeference it first"
            )
        colours = [ColorInterp.red, ColorInterp.green, ColorInterp.blue]
        known = all(colour in source.colorinterp for colour in colours)
        return RasterFile(
            path=path.resolve(),
            crs=source.crs.to_wkt(),
            transform=source.transform,
            width=source.width,
            height=source.height,
            count=source.count,
            dtype=source.dtypes[0],
            nodata=source.nodata,
            has_alpha=ColorInterp.alpha in source.colorinterp,
            all_valid=all(MaskFlags.all_valid in flags for flags in source.mask_flag_enums)
            and np.dtype(source.dtypes[0]).kind in "iu",
            colours=tuple(source.colorinterp.index(c) + 1 for c in colours) if known else (),
            scale=source.scales[0],
            offset=source.offsets[0],
        )
