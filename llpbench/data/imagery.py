"""What arrays of pixels and cells of chips hold: their bands, and how stored numbers become values.

A dataset has an ``image`` of pixels, an ``embedding`` of cells of 4 x 4 pixels in the score window,
or both. Numbers stay as small as they are stored; :meth:`Coding.decode` makes values of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, FiniteFloat, PositiveFloat

from llpbench.brief import Brief
from llpbench.catalog import check_printable
from llpbench.errors import LLPBenchError, UnknownNameError, unknown
from llpbench.protocol import CHIP_SIZE, CODING_ATTRIBUTES, WINDOW_SIDE

if TYPE_CHECKING:
    import xarray as xr

CELL = 4
"""Pixels along the side of a cell."""
CELLS = WINDOW_SIDE // CELL
"""Cells along the side of a chip's score window."""

IMAGE, EMBEDDING, EMBEDDING_SCALE = "image", "embedding", "embedding_scale"
DIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        IMAGE: ("chip", "y", "x", "band"),
        EMBEDDING: ("chip", "cell_y", "cell_x", "feature"),
        EMBEDDING_SCALE: ("chip", "cell_y", "cell_x"),
    }
)
"""Dimensions of each array; the last of the first two names bands or features."""
SIDES: Mapping[str, int] = MappingProxyType({IMAGE: CHIP_SIZE, EMBEDDING: CELLS})

_MISSING, _FACTOR, _OFFSET, _METHOD, _SCALE, _POWER, _ARRAY = CODING_ATTRIBUTES

MOST_BANDS = 4096
_MOST_SHOWN = 13
"""Bands that are named one by one: all of Sentinel-2."""

_Text = Annotated[str, Field(max_length=200), AfterValidator(check_printable)]
_Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_printable)]


@dataclass(frozen=True)
class Band:
    """A band of an image or a feature of an embedding.

    Parameters
    ----------
    name : str
        Its own in the dataset, such as ``B8``.
    role : str
        What it shows, such as ``red`` or ``nir``; empty where that is not known.
    wavelength : float or None
        The middle of what it sees, in nanometres.
    description : str
        What else its source says of it.
    """

    name: _Name
    role: _Text = ""
    wavelength: PositiveFloat | None = None
    description: _Text = ""


@dataclass(frozen=True)
class Coding:
    r"""How stored numbers become values.

    A number n means :math:`\mathrm{sign}(m) |m|^p` with :math:`m = s n + o`, times the scale of its
    cell where cells have one.

    Parameters
    ----------
    scale, offset : float
        The s and o above.
    power : float
        The p above; AlphaEarth has 2, with a scale of 1 / 127.5.
    missing : float or None
        The number that stands for a missing value; NaN always does.
    by_cell : bool
        Whether each cell has a scale of its own, as in TESSERA: the array ``embedding_scale``.
    """

    scale: FiniteFloat = 1.0
    offset: FiniteFloat = 0.0
    power: PositiveFloat = 1.0
    missing: FiniteFloat | None = None
    by_cell: bool = False

    def decode(
        self, stored: NDArray[Any], cell_scale: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Values of stored numbers, (..., band), NaN where they are missing.

        ``cell_scale`` has the shape (...).

        Examples
        --------
        >>> alphaearth = Coding(scale=1 / 127.5, power=2, missing=-128)
        >>> alphaearth.decode(np.array([-128, -127, 0, 64], dtype=np.int8)).round(3)
        array([   nan, -0.992,  0.   ,  0.252], dtype=float32)
        """
        is_short = stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2
        values = _tabulate(self, stored.dtype)[stored] if is_short else self._compute(stored)
        if self.by_cell:
            assert cell_scale is not None
            values = values * cell_scale[..., np.newaxis]
        return values

    def _compute(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Values of stored numbers without the scales of cells."""
        values = stored.astype(np.float32)
        if (self.scale, self.offset) != (1, 0):
            values = (values * np.float64(self.scale) + self.offset).astype(np.float32)
        if self.power != 1:
            values = np.sign(values) * np.abs(values) ** np.float32(self.power)
        if self.missing is not None:
            values[stored == self.missing] = np.nan
        return values

    def encode(self, values: NDArray[np.floating], dtype: str) -> NDArray[Any]:
        """Round values to stored numbers; those that are missing need a number that stands for it.

        Scales of cells are divided out before.

        Examples
        --------
        >>> alphaearth = Coding(scale=1 / 127.5, power=2, missing=-128)
        >>> alphaearth.encode(np.array([np.nan, -1.0, 0.25]), "int8")
        array([-128, -127,   64], dtype=int8)
        """
        kind = np.dtype(dtype)
        powered = np.sign(values) * np.abs(values) ** (1 / self.power)
        numbers = (powered.astype(np.float64) - self.offset) / self.scale
        if kind.kind == "f":
            return numbers.astype(kind)
        limits = np.iinfo(kind)
        low = limits.min + (self.missing == limits.min)
        high = limits.max - (self.missing == limits.max)
        missing = np.isnan(numbers)
        numbers = np.clip(np.rint(np.where(missing, low, numbers)), low, high)
        if missing.any():
            assert self.missing is not None
            numbers[missing] = self.missing
        return numbers.astype(kind)

    def attributes(self) -> dict[str, Any]:
        """What is said of it in an array's attributes.

        Linear ones are as in the CF conventions (section 8.1), which xarray and others apply;
        others have no word there, so methods are called as in the geo-embeddings Zarr convention.
        """
        said: dict[str, Any] = {} if self.missing is None else {_MISSING: self.missing}
        if self.by_cell:
            return said | {_METHOD: "per_pixel_scale", _ARRAY: EMBEDDING_SCALE}
        if self.power != 1:
            return said | {_METHOD: "signed_power", _SCALE: self.scale, _POWER: self.power}
        is_plain = (self.scale, self.offset) == (1, 0)
        return said if is_plain else said | {_FACTOR: self.scale, _OFFSET: self.offset}

    @classmethod
    def of_attributes(cls, attributes: Mapping[Any, Any]) -> Self:
        """Read what :meth:`attributes` wrote."""
        missing = attributes.get(_MISSING)
        return cls(
            scale=float(attributes.get(_SCALE, attributes.get(_FACTOR, 1.0))),
            offset=float(attributes.get(_OFFSET, 0.0)),
            power=float(attributes.get(_POWER, 1.0)),
            missing=None if missing is None else float(missing),
            by_cell=attributes.get(_ARRAY) is not None,
        )


@lru_cache(maxsize=16)
def _tabulate(coding: Coding, dtype: np.dtype[Any]) -> NDArray[np.float32]:
    """Values of all numbers of a short integer type; negative ones count from the end."""
    numbers = np.arange(2 ** (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}")
    return coding._compute(numbers.astype(dtype))


@dataclass(frozen=True, repr=False)
class Imagery(Brief):
    """What an array of pixels or cells holds.

    Parameters
    ----------
    bands : tuple of Band
        In their order, no name twice.
    dtype : str
        Of stored numbers.
    coding : Coding
        How they become values.
    source : str
        What made it: a sensor or product, or the model of an embedding with its version.
    """

    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=MOST_BANDS)]
    dtype: Literal["uint8", "int8", "uint16", "int16", "float32"]
    coding: Coding = Coding()
    source: _Text = ""

    def select(self, array: xr.DataArray) -> Imagery:
        """What an array holds that was made of this one: its bands, its type, its coding."""
        own = {band.name: band for band in self.bands}
        names = array[array.dims[-1]].to_numpy().tolist()
        coding, dtype = Coding.of_attributes(array.attrs), cast("Any", str(array.dtype))
        if (names, dtype, coding) == (self.names, self.dtype, self.coding):
            return self
        bands = tuple(own.get(name, Band(str(name))) for name in names)
        return replace(self, bands=bands, dtype=dtype, coding=coding)

    @property
    def names(self) -> list[str]:
        """What bands are called."""
        return [band.name for band in self.bands]

    @property
    def roles(self) -> list[str]:
        """What bands show; empty texts where that is not known."""
        return [band.role for band in self.bands]

    def __str__(self) -> str:
        """Its bands and its source, as people read them; of many bands the first and the last.

        Examples
        --------
        >>> print(Imagery(tuple(Band(f"A{n:02}") for n in range(64)), "int8", source="AlphaEarth"))
        A00, A01, A02, ..., A63 (64) of AlphaEarth
        """
        names = self.names
        if len(names) > _MOST_SHOWN:
            names = [*names[:3], "...", f"{names[-1]} ({len(names)})"]
        return ", ".join(names) + (f" of {self.source}" if self.source else "")

    def chip_bytes(self, array: str) -> int:
        """Bytes of a chip, in the array of that name."""
        return SIDES[array] ** 2 * len(self.bands) * np.dtype(self.dtype).itemsize


RGB = Imagery(tuple(Band(colour, colour) for colour in ("red", "green", "blue")), "uint8")
"""The images of the published datasets: red, green and blue from 0 to 255."""

RGB_ONLY: Mapping[str, Imagery] = {IMAGE: RGB}


def require_bands(ds: xr.Dataset) -> None:
    """Refuse arrays that have lost their last dimension, as of one band that was selected."""
    for array in SIDES:
        last = DIMS[array][-1]
        if array in ds and (ds[array].dims[-1:] != (last,) or not ds.sizes[last]):
            raise LLPBenchError(
                f"{array} must have {last} as its last dimension, of one at least, found "
                f"{dict(ds[array].sizes)}: select a list, as in ds.isel({last}=[0]), or transpose "
                "it"
            )


def decode_array(ds: xr.Dataset, array: str) -> xr.DataArray:
    """Values of an array of a dataset, ``image`` or ``embedding``; NaN where they are missing.

    Raises
    ------
    UnknownNameError
        If it has no such array.
    """
    import xarray as xr

    present = [name for name in SIDES if name in ds]
    if array not in present:
        raise UnknownNameError(unknown("array of pixels or cells", array, present))
    stored = ds[array]
    coding = Coding.of_attributes(stored.attrs)
    inputs = [stored, ds[EMBEDDING_SCALE]] if coding.by_cell else [stored]
    within = [[DIMS[array][-1]], []][: len(inputs)]
    values: xr.DataArray = xr.apply_ufunc(
        coding.decode,
        *inputs,
        input_core_dims=within,
        output_core_dims=[within[0]],
        dask="parallelized",
        keep_attrs=False,
        output_dtypes=[np.float32],
    )
    return values
