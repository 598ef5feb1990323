"""Image values of any kind as 0 to 255."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.raster_file import RasterFile, common_scale
from llpbench.data.building.sampling import sample
from llpbench.errors import BuildError

REFLECTANCE = (0.0, 0.3)
"""What became 0 to 255 in the published datasets."""

SENTINEL2 = (0.0, 3000.0)
"""The same in the digital numbers of Sentinel-2, 10,000 times the reflectance."""

_FAR = 3.0
"""How many times its width a number may lie below the range that is stretched."""

_SAMPLE = 512
_MOST_SATURATED = 0.2
_ALL_SATURATED = 0.95
_DARKEST = 0.1
_MOST_UNMARKED = 0.01


@dataclass(frozen=True)
class Stretch:
    """Which stored numbers become 0 and 255; what lies between is spread evenly and rounded."""

    low: float
    high: float

    def __call__(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """Stretch numbers; those beyond the limits become 0 or 255.

        Examples
        --------
        >>> Stretch(0, 3000)(np.array([0, 1500, 9000]))
        array([  0, 128, 255], dtype=uint8)
        """
        if stored.dtype == np.uint8 and (self.low, self.high) == (0, 255):
            return stored
        share = (stored.astype(np.float64) - self.low) / (self.high - self.low)
        return np.rint(255 * np.clip(np.nan_to_num(share), 0, 1)).astype(np.uint8)

    @property
    def dtype(self) -> Literal["uint8"]:
        """Of what is stored."""
        return "uint8"

    def store(self, stored: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Stretch numbers, (band, row, column); missing pixels, (row, column), become 0."""
        self.refuse_far(stored[:, present])
        return self(stored) * present

    def refuse_far(self, stored: NDArray[Any]) -> None:
        """Refuse numbers that can only stand for missing pixels, though no file says so."""
        darkest = stored.min if self.high > self.low else stored.max  # by a negative scale
        number = darkest(initial=self.low)
        if (number - self.low) / (self.high - self.low) < -_FAR:
            raise BuildError(
                f"the image holds {number:g}, far below its other values, and does not say that "
                "this means missing: write it into the file with `gdal_edit.py -a_nodata "
                f"{number:g} FILE`, or name the range of values with --scale"
            )


def choose_stretch(
    files: Sequence[RasterFile], limits: tuple[float, float] | None
) -> tuple[Stretch, list[str]]:
    """Choose a stretch by the type of the files, never by their contents.

    So the same colour means the same in every region, and a trained method can be carried over. The
    remarks tell what was done, and whether the images look wrong with it.

    Parameters
    ----------
    files : sequence of RasterFile
        With bands in use. Where their scale tags differ, values are stretched, else
        stored numbers.
    limits : (float, float) or None
        Values that become 0 and 255; None for 0 and 255 of bytes, 0 and 3000 of other whole
        numbers, 0 and 0.3 of fractions.
    """
    first = files[0]
    check_kinds(files)
    low, high = limits or _usual_limits(first)
    if not -math.inf < low < high < math.inf:
        raise BuildError(f"--scale must be a lower and a higher value, found {low:g} and {high:g}")
    scale, offset = common_scale(files) or (1.0, 0.0)
    stretch = Stretch((low - offset) / scale, (high - offset) / scale)
    if (low, high) == (0, 255) and first.dtype == "uint8" and not first.has_tags:
        return stretch, say_unmarked(first)
    tags = ", by the scale tags of the files" if first.has_tags else ""
    remarks = [f"image values {low:g} to {high:g} became 0 to 255{tags}"]
    remarks += _doubts(first, Stretch(low, high), is_given=limits is not None)
    return stretch, remarks + say_unmarked(first)


def check_kinds(files: Sequence[RasterFile]) -> None:
    """Refuse files that store other kinds of values than the first."""
    first = files[0]
    for file in files:
        kinds = [(other.dtype, other.has_tags) for other in (first, file)]
        if kinds[0] != kinds[1]:
            raise BuildError(
                f"images must store the same kind of values, but {first.path.name} has "
                f"{_kind(first)} and {file.path.name} {_kind(file)}"
            )


def _kind(file: RasterFile) -> str:
    return f"{file.dtype} {'with' if file.has_tags else 'without'} scale tags"


def _usual_limits(file: RasterFile) -> tuple[float, float]:
    if any(band.scale != 1 for band in file.bands) or np.dtype(file.dtype).kind not in "iu":
        return REFLECTANCE
    return (0.0, 255.0) if file.dtype == "uint8" else SENTINEL2


def _doubts(file: RasterFile, stretch: Stretch, *, is_given: bool) -> list[str]:
    """Say it if a sample of pixels is largely white or black; refuse a guess that leaves none."""
    numbers = sample(file, _SAMPLE, scaled=True)
    if not len(numbers):
        return []
    saturated = float((numbers > stretch.high).mean())
    brightest = float(np.quantile(stretch(numbers), 0.99)) / 255
    if saturated > _ALL_SATURATED and not is_given:
        low, high = np.quantile(numbers, [0.01, 0.99])
        raise BuildError(
            f"{file.path.name} has values of {low:.4g} to {high:.4g}, nearly all above the usual "
            f"{stretch.low:g} to {stretch.high:g}, and would be white: name the values that become "
            "0 and 255 with --scale LOW HIGH"
        )
    if saturated <= _MOST_SATURATED and brightest >= _DARKEST:
        return []
    return [
        f"check --scale LOW HIGH: {saturated:.0%} of the values lie above, the brightest hundredth "
        f"begins at {brightest:.0%} of the range"
    ]


def say_unmarked(file: RasterFile) -> list[str]:
    """Say it if many pixels hold what often stands for missing, and the file does not say so."""
    kind = np.dtype(file.dtype)
    numbers = sample(file, _SAMPLE).reshape(len(file.bands), -1)
    often = [0] if kind == np.uint8 or kind.kind == "f" else [0, np.iinfo(kind).max]
    if not numbers.size:
        return []
    parts = {number: float((numbers == number).all(axis=0).mean()) for number in often}
    return [
        f"{part:.0%} of the pixels of {file.path.name} are {number} in all bands, which it does "
        f"not call missing: they are kept; else `gdal_edit.py -a_nodata {number} "
        f"{file.path.name}`"
        for number, part in parts.items()
        if part > _MOST_UNMARKED
    ]
