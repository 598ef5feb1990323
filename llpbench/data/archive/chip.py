"""One chip's pickle, in every layout that occurs, read into one checked form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL
from llpbench.data.archive.unpickling import PickledArray, loads
from llpbench.errors import ArchiveError, examples
from llpbench.protocol import CHIP_SIZE

_IMAGE_KEYS = ("chip", "chipmean")
_DIVISION_KEYS = ("partitions_communes", "partitionscommunes")
_SIZES = (CHIP_SIZE, CHIP_SIZE + 1)


@dataclass(frozen=True)
class ArchivedChip:
    """What an archive says about one chip.

    Parameters
    ----------
    image : ndarray of uint8, shape (100, 100, 3)
        Red, green, blue.
    label : ndarray of uint8, shape (100, 100)
        Class numbers; 255 everywhere where the chip has no label.
    bounds : tuple of float, or None
        West, south, east, north in degrees, from its corners.
    stated_target : ndarray of float64, shape (category,)
        The mix of its communes' proportions the archive states; NaN where it states none, or
        one that sums to 0 (a chip that touches a commune by its edge only).
    """

    chip_id: str
    image: NDArray[np.uint8]
    label: NDArray[np.uint8]
    bounds: tuple[float, float, float, float] | None
    stated_target: NDArray[np.float64]


def read_chip(data: bytes, number_of_classes: int) -> ArchivedChip:
    """Read one chip's pickle without executing anything in it.

    Arrays of 101x101 pixels are cut to their first 100 rows and columns.
    """
    content = loads(data)
    if not isinstance(content, dict):
        raise ArchiveError(f"it holds a {type(content).__name__} instead of a dictionary")
    chip_id = content.get("chip_id")
    if not isinstance(chip_id, str):
        raise ArchiveError("it has no text under 'chip_id'")
    return ArchivedChip(
        chip_id=chip_id,
        image=_image(content),
        label=_label(content, number_of_classes),
        bounds=_bounds(content),
        stated_target=_target(_mapping(content, "label_proportions"), number_of_classes),
    )


def share_vector(shares: Mapping[Any, Any], number_of_classes: int) -> NDArray[np.float64]:
    """Shares by class as a vector; a class that is not named has share 0.

    Examples
    --------
    >>> share_vector({"0": 0.25, "2": 0.75}, 3)
    array([0.25, 0.  , 0.75])
    """
    if len(shares) > number_of_classes:
        raise ArchiveError(f"it states {len(shares)} shares, more than {number_of_classes} classes")
    vector = np.zeros(number_of_classes)
    for key, share in shares.items():
        number = _class_number(key, number_of_classes)
        if not isinstance(share, int | float) or not -1e-9 <= share <= 1 + 1e-3:
            raise ArchiveError(f"the share of class {number} is no number from 0 to 1")
        vector[number] = share
    return vector


def _class_number(key: object, number_of_classes: int) -> int:
    number = key
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 4:
        number = int(key)
    if not isinstance(number, int) or not 0 <= number < number_of_classes:
        raise ArchiveError(
            f"shares name class {examples([key])}, but classes are 0 to {number_of_classes - 1}"
        )
    return number


def _target(shares: Mapping[Any, Any], number_of_classes: int) -> NDArray[np.float64]:
    key = next((key for key in _DIVISION_KEYS if key in shares), "")
    mix = _mapping(shares, key)
    if "proportions" in mix:  # the nested layout
        mix = _mapping(mix, "proportions")
    vector = share_vector(mix, number_of_classes)
    return vector if vector.sum() > 0 else np.full(number_of_classes, np.nan)


def _mapping(content: Mapping[Any, Any], key: str) -> Mapping[Any, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise ArchiveError(f"{key!r} holds a {type(value).__name__} instead of a dictionary")
    return value


def _image(content: Mapping[Any, Any]) -> NDArray[np.uint8]:
    key = next((key for key in _IMAGE_KEYS if key in content), None)
    if key is None:
        raise ArchiveError(f"it has no image under {examples(_IMAGE_KEYS)}")
    image = _array(content, key)
    _check_integers(image, key, 255)
    if image.shape not in [(size, size, 3) for size in _SIZES]:
        raise ArchiveError(f"{key!r} has shape {image.shape} instead of (100, 100, 3)")
    return image[:CHIP_SIZE, :CHIP_SIZE].astype(np.uint8)


def _label(content: Mapping[Any, Any], number_of_classes: int) -> NDArray[np.uint8]:
    if content.get("label") is None:
        return np.full((CHIP_SIZE, CHIP_SIZE), NO_LABEL, dtype=np.uint8)
    label = _array(content, "label")
    if label.shape not in [(size, size) for size in _SIZES]:
        raise ArchiveError(f"'label' has shape {label.shape} instead of (100, 100)")
    _check_integers(label, "label", number_of_classes - 1)
    return label[:CHIP_SIZE, :CHIP_SIZE].astype(np.uint8)


def _check_integers(array: NDArray[Any], key: str, most: int) -> None:
    if array.dtype.kind not in "iu":
        raise ArchiveError(f"{key!r} holds {array.dtype} instead of integers")
    if array.size and (array.min() < 0 or array.max() > most):
        raise ArchiveError(
            f"{key!r} holds numbers from {array.min()} to {array.max()}, outside 0 to {most}"
        )


def _bounds(content: Mapping[Any, Any]) -> tuple[float, float, float, float] | None:
    corners = _mapping(content, "corners") or _mapping(_mapping(content, "metadata"), "corners")
    if not corners:
        return None
    (north, west), (south, east) = (_corner(corners, key) for key in ("nw", "se"))
    return west, south, east, north


def _corner(corners: Mapping[Any, Any], key: str) -> tuple[float, float]:
    value = corners.get(key)
    pair = value.value.tolist() if isinstance(value, PickledArray) else value
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ArchiveError(f"the corner {key!r} is no pair of latitude and longitude")
    latitude, longitude = pair
    if not (_within(latitude, 90) and _within(longitude, 180)):
        raise ArchiveError(f"the corner {key!r} is not on Earth")
    return float(latitude), float(longitude)


def _within(angle: object, most: int) -> TypeGuard[float]:
    return isinstance(angle, int | float) and abs(angle) <= most


def _array(content: Mapping[Any, Any], key: str) -> NDArray[Any]:
    value = content[key]
    if not isinstance(value, PickledArray):
        raise ArchiveError(f"{key!r} holds a {type(value).__name__} instead of an array")
    return value.value
