"""Land cover: which class stands where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.synthetic.noise import PixelGrid, fractal_noise, salt, uniform
from llpbench.data.synthetic.parcels import Parcels, find_parcels

INVALID, TREE, SHRUB, GRASS, CROP, BUILT, BARE, WATER, WETLAND = 0, 1, 2, 3, 4, 5, 6, 8, 9

_FIELDS: Final = {
    "tree": ((1800, 0.2), (520, 0.8), (160, 0.5), (40, 0.4), (12, 0.2)),
    "town": ((1800, 0.2), (520, 0.85), (120, 0.5), (35, 0.35)),
    "hamlet": ((9, 1.0),),
    "river": ((500, 1.0), (60, 0.12)),
    "wet": ((1800, 0.2), (520, 0.95)),
    "lake": ((140, 0.7), (25, 0.2)),
    "marsh": ((60, 0.6), (13, 0.5)),
    "crop": ((1800, 0.25), (520, 1.0), (120, 0.35)),
    "heath": ((600, 0.7), (50, 0.5), (15, 0.4)),
    "gap": ((25, 1.0),),
}
"""Octaves of each field: cell in pixels of 10 m, standard deviation."""


@dataclass(frozen=True)
class LandCover:
    """Land cover of some pixels; all arrays have shape (chip, side, side).

    Parameters
    ----------
    label : ndarray of uint8
        ESA WorldCover class numbers.
    town : ndarray of float32
        How near to a town's centre; towns begin at 1.58.
    """

    label: NDArray[np.uint8]
    town: NDArray[np.float32]
    parcels: Parcels


def find_land_cover(seed: int, grid: PixelGrid) -> LandCover:
    """Land cover of pixels.

    Fields and meadows fill parcels; heath, marsh, woods, towns and water are laid over them.
    """
    field = {
        name: fractal_noise(salt(seed, name), octaves, grid) for name, octaves in _FIELDS.items()
    }
    parcels = find_parcels(seed, grid)
    lot = [uniform(parcels.bits, byte) - 0.5 for byte in range(3)]
    town = field["town"] + 0.5 * lot[0]
    river, wet = np.abs(field["river"]), field["wet"]
    lake = field["lake"] + 0.6 * wet

    # What comes later covers what came before; the thresholds set how much there is of each.
    label = np.where(lot[1] < 0.32 * field["crop"] + 0.03, np.uint8(CROP), np.uint8(GRASS))
    label[(lot[2] > 0.485) & (label == CROP)] = BARE
    label[field["heath"] > 1.3] = SHRUB
    marshy = (river < 0.14 * (0.4 + wet)) | (lake > 1.2)
    label[marshy & (field["marsh"] > 0)] = WETLAND
    label[field["tree"] + 0.5 * lot[2] > 0.58] = TREE
    label[(town > 1.58) | (field["hamlet"] + 0.5 * town > 1.7)] = BUILT
    label[(river < 0.02 * (1.2 + wet)) | (lake > 1.55)] = WATER
    label[field["gap"] > 3] = INVALID
    return LandCover(label, town, parcels)
