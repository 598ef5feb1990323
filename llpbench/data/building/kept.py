"""Image numbers kept as they are, and the number that stands for a missing pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.bands import describe_bands
from llpbench.data.building.raster_file import RasterFile, common_scale
from llpbench.data.building.sampling import sample
from llpbench.data.building.stack import BandStack
from llpbench.data.building.stretch import Stretch, check_kinds, choose_stretch, say_unmarked
from llpbench.data.imagery import RGB, Coding, Imagery
from llpbench.errors import BuildError

Number = Literal["uint8", "int8", "uint16", "int16", "float32"]
"""Types that are stored; others become the last."""

_STORED = get_args(Number)
_SAMPLE = 512
_MOST_SAMPLED = 16
"""Files in which a number is looked for that no pixel holds."""


@dataclass(frozen=True)
class Kept:
    """Numbers that stay as they are.

    Parameters
    ----------
    dtype : str
        Of what is stored.
    missing : float or None
        The number that stands for a missing pixel; None for NaN, or where none is missing.
    is_free : bool
        Whether no pixel may hold that number, as it means missing in no file.
    """

    dtype: Number
    missing: float | None = None
    is_free: bool = False

    def store(self, stored: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any]:
        """Mark missing pixels, (row, column), of numbers, (band, row, column).

        Examples
        --------
        >>> Kept("int16", -32768).store(np.array([[[5, 7]]]), np.array([[True, False]]))
        array([[[     5, -32768]]], dtype=int16)
        """
        if self.is_free and (stored[:, present] == self.missing).any():
            raise BuildError(
                f"the image holds {self.missing:g}, the only number of its type that a sample left "
                "for missing pixels; write another into the files with `gdal_edit.py -a_nodata`, "
                "allow no missing pixels with --max-missing 0, or make bytes with --scale"
            )
        kept = stored.astype(self.dtype)
        nothing = np.nan if np.dtype(self.dtype).kind == "f" else self.missing
        if not present.all():
            kept[:, ~present] = nothing
        return kept


def choose_numbers(
    stack: BandStack, limits: tuple[float, float] | None
) -> tuple[Stretch | Kept, list[str]]:
    """Choose how numbers of images are stored: as bytes, or as they are.

    Bytes are made of red, green and blue, and of any bands where ``limits`` say which values
    become 0 and 255.
    """
    if stack.is_rgb or limits is not None:
        return choose_stretch(stack.files, limits)
    for sheet in stack.sheets:
        check_kinds(sheet)
    is_scaled = common_scale(stack.files) is None
    is_kept = stack.dtype in _STORED and not is_scaled
    kept = Kept(cast("Number", stack.dtype) if is_kept else "float32")
    remarks = []
    if is_scaled:
        remarks.append(
            "scale and offset differ between bands or files, so values are stored, as float32"
        )
    elif kept.dtype != stack.dtype:
        remarks.append(f"numbers of type {stack.dtype} are stored as float32, to seven digits")
    return kept, remarks + say_unmarked(stack.files[0])


def mark_missing(kept: Kept, files: Sequence[RasterFile], *, some: bool) -> Kept:
    """Choose the number that stands for missing pixels.

    Parameters
    ----------
    some : bool
        Whether pixels of chips are missing.
    """
    if np.dtype(kept.dtype).kind == "f":
        return kept
    named = {band.nodata for file in files for band in file.bands}
    if len(named) == 1 and None not in named:
        return replace(kept, missing=named.pop())
    if not some:
        return kept
    limits = np.iinfo(kept.dtype)
    candidates = [limits.min] if limits.min < 0 else [limits.min, limits.max]
    held = {float(n) for file in files[:_MOST_SAMPLED] for n in np.unique(sample(file, _SAMPLE))}
    free = [number for number in candidates if number not in held]
    if not free:
        raise BuildError(
            f"pixels are missing, but the image uses all numbers of its type ({kept.dtype}), so "
            "none is left that could stand for missing ones: allow none with --max-missing 0, or "
            "make bytes with --scale"
        )
    return replace(kept, missing=float(free[0]), is_free=True)


def describe_image(stack: BandStack, numbers: Stretch | Kept) -> Imagery:
    """Say what a dataset's image holds."""
    if stack.is_rgb:
        return RGB
    scale, offset = common_scale(stack.files) or (1.0, 0.0)
    missing = None
    if isinstance(numbers, Stretch):
        step = (numbers.high - numbers.low) / 255
        scale, offset = step * scale, numbers.low * scale + offset
        scale, offset = (float(f"{number:.12g}") for number in (scale, offset))
    else:
        missing = numbers.missing
    coding = Coding(scale=scale, offset=offset, missing=missing)
    return Imagery(describe_bands(stack.bands), numbers.dtype, coding, stack.sensor)
