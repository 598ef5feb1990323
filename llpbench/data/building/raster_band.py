"""What a raster file says of its bands, and which pixels hold values by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.band_names import COLOURS, find_role, find_wavelength
from llpbench.errors import BuildError, printable

_LONGEST_NAME = 100
_LARGEST = 1e20
"""Beyond it lie no values, but what programs write for missing, such as 3.4e38."""

_TOGETHER = 0.75
"""Part of the bands that say so where a pixel is missing: all of three; elevation beside three that
are missing does not show it, and water that is black in some of ten bands is no hole."""


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


def inspect_bands(source: Any) -> tuple[Band, ...]:
    """What a file says of each of its bands; rasterio puts each tuple together when it is asked."""
    said = zip(
        source.indexes,
        source.descriptions,
        source.colorinterp,
        source.dtypes,
        source.nodatavals,
        source.scales,
        source.offsets,
        source.mask_flag_enums,
        strict=True,
    )
    return tuple(_band(source.tags(number), number, *facts) for number, *facts in said)


def _band(
    tags: Mapping[str, str],
    number: int,
    description: str | None,
    colour: Any,
    dtype: str,
    nodata: float | None,
    scale: float,
    offset: float,
    flags: Sequence[Any],
) -> Band:
    from rasterio.enums import MaskFlags

    is_masked = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
    name, role = find_role(description or "", tags)
    held = _held(nodata, dtype)
    return Band(
        number=number,
        name=printable(name)[:_LONGEST_NAME],
        role=role,
        colour=colour.name,
        dtype=dtype,
        nodata=None if is_masked else held,
        scale=scale,
        offset=offset,
        is_masked=is_masked,
        all_valid=not is_masked and np.dtype(dtype).kind in "iu" and held is None,
        wavelength=find_wavelength(name, tags),
    )


def _held(nodata: float | None, dtype: str) -> float | None:
    """A nodata number if the type can hold it."""
    kind = np.dtype(dtype)
    if nodata is None or kind.kind not in "iu":
        return nodata
    limits = np.iinfo(kind)
    return nodata if float(nodata).is_integer() and limits.min <= nodata <= limits.max else None


def check_values(name: str, band: Band) -> None:
    """Refuse a band of a file that holds no values."""
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
