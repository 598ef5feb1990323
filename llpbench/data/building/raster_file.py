"""What a raster file says of itself, and what is wrong with it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.band_names import COLOURS, find_role, find_wavelength
from llpbench.data.building.files import expand
from llpbench.data.building.georeference import Place, find_place
from llpbench.data.building.opening import GDAL_OPTIONS, find_driver, open_raster
from llpbench.errors import BuildError, printable

if TYPE_CHECKING:
    from affine import Affine

_LONGEST_NAME = 100
_LARGEST = 1e20
"""Beyond it lie no values, but what programs write for missing, such as 3.4e38."""

_TOGETHER = 0.75
"""Part of the bands that say so where a pixel is missing: all of three; elevation beside three that
are missing does not show it, and water that is black in some of ten bands is no hole."""

Box = tuple[float, float, float, float]
"""West, south, east, north, or left, bottom, right, top."""


@dataclass(frozen=True)
class Band:
    """What a file says of one of its bands.

    Parameters
    ----------
    number : int
        From 1.
    name : str
        Its description, or what else the file calls it, of at most 100 letters that print; empty
        where it has none.
    role : str
        What it shows by that name, such as ``red`` or ``nir``; empty where that is not known.
    colour : str
        How the file would have it shown: ``red``, ``alpha``, ``palette``, ``undefined``, ...
    nodata : float or None
        The number that stands for a missing pixel.
    scale, offset : float
        How stored numbers become values: ``stored * scale + offset``.
    is_masked, all_valid : bool
        Whether a mask of its own says which pixels are missing, and whether none can be.
    wavelength : float or None
        The middle of what it sees, in nanometres.
    """

    number: int
    name: str
    role: str
    colour: str
    dtype: str
    nodata: float | None
    scale: float
    offset: float
    is_masked: bool
    all_valid: bool
    wavelength: float | None = None

    @property
    def shown_name(self) -> str:
        """Its name, else its colour, empty where it has neither."""
        return self.name or (self.colour if self.colour in COLOURS else "")

    @property
    def shown_role(self) -> str:
        """What it shows by its name, else by its colour, empty where neither tells."""
        return self.role or (self.colour if self.colour in COLOURS else "")

    @property
    def needs_all(self) -> bool:
        """Whether a pixel is missing only if all bands say so, as its nodata is a colour too."""
        return self.nodata == 0 or np.dtype(self.dtype).kind == "u"


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
            _check_values(self.path.name, band)
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


def is_present(values: NDArray[Any], bands: Sequence[Band]) -> NDArray[np.bool_]:
    """Which pixels hold values, by these alone; shape (row, column) of (band, row, column).

    A number that is not finite, or beyond 1e20, is missing. A nodata number that may be a colour
    (0, or any of an unsigned type) counts where three quarters of the bands hold theirs, so all of
    red, green and blue; another where one does.
    """
    present = np.ones(values.shape[1:], dtype=bool)
    if values.dtype.kind not in "iu":
        present = (np.abs(values) < _LARGEST).all(axis=0)
    named = [(n, band) for n, band in enumerate(bands) if band.nodata is not None]
    known = [(band, values[n] == band.nodata) for n, band in named]
    together = [missing for band, missing in known if band.needs_all]
    if together:
        present &= np.count_nonzero(together, axis=0) < _TOGETHER * len(together)
    for band, missing in known:
        if not band.needs_all:
            present &= ~missing
    return present


def inspect_rasters(paths: Sequence[Path]) -> list[RasterFile]:
    """Look at files, those of folders and those that fit a pattern, without reading their pixels.

    Files are of the kinds that :func:`~llpbench.data.building.opening.find_driver` knows.
    """
    return [inspect_raster(path) for path in expand(paths)]


def inspect_raster(path: Path) -> RasterFile:
    """Look at a file."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    driver = find_driver(path)
    try:
        with (
            warnings.catch_warnings(),
            rasterio.Env(**GDAL_OPTIONS),
            open_raster(path, driver) as source,
        ):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            bands = tuple(_band(source, number) for number in source.indexes)
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


def _band(source: Any, number: int) -> Band:
    from rasterio.enums import MaskFlags

    place = number - 1
    flags = source.mask_flag_enums[place]
    is_masked = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
    dtype = source.dtypes[place]
    name, role = find_role(source.descriptions[place] or "", source.tags(number))
    return Band(
        number=number,
        name=printable(name)[:_LONGEST_NAME],
        role=role,
        colour=source.colorinterp[place].name,
        dtype=dtype,
        nodata=None if is_masked else _held(source.nodatavals[place], dtype),
        scale=source.scales[place],
        offset=source.offsets[place],
        is_masked=is_masked,
        all_valid=not is_masked
        and np.dtype(dtype).kind in "iu"
        and _held(source.nodatavals[place], dtype) is None,
        wavelength=find_wavelength(name, source.tags(number)),
    )


def _held(nodata: float | None, dtype: str) -> float | None:
    """A nodata number if the type can hold it."""
    kind = np.dtype(dtype)
    if nodata is None or kind.kind not in "iu":
        return nodata
    limits = np.iinfo(kind)
    return nodata if float(nodata).is_integer() and limits.min <= nodata <= limits.max else None


def _check_values(name: str, band: Band) -> None:
    if np.dtype(band.dtype).kind == "c":
        raise BuildError(
            f"{name}: band {band.number} holds complex numbers, but values must be real; write "
            "their amplitude into a file first"
        )
    if band.scale == 0 or not np.isfinite([band.scale, band.offset]).all():
        raise BuildError(
            f"{name}: band {band.number} has a scale tag of {band.scale:g} and an offset of "
            f"{band.offset:g}, with which it has no values; mend them, for example with "
            f"`gdal_edit.py -scale 1 -offset 0 {name}`"
        )
