"""Imagery: what land cover looks like from above.

Classes share most of their colours (green crops, meadows and young woods; roofs and bare soil;
lakes and dark woods). What tells them apart is texture, shape and surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.synthetic import landcover
from llpbench.synthetic.landcover import LandCover
from llpbench.synthetic.noise import (
    PixelGrid,
    fractal_noise,
    lattice_hash,
    salt,
    smooth_noise,
    uniform,
)
from llpbench.synthetic.parcels import Parcels


@dataclass(frozen=True)
class _Look:
    """What a class looks like.

    Parameters
    ----------
    colours : str
        Hexadecimal colours between which its variants lie.
    grain, clump : float
        Relative deviation of brightness from pixel to pixel, and over some 40 m.
    parcelled : float
        How far a parcel has one colour; the rest varies smoothly.
    """

    colours: str
    grain: float
    clump: float
    parcelled: float


_LOOKS: Final = {
    landcover.INVALID: _Look("4c4c41 5d5a4f", 0.05, 0.05, 0.0),
    landcover.TREE: _Look("1c2721 233124 2a3629 33412d 3e4c30 4d5837", 0.13, 0.14, 0.0),
    landcover.SHRUB: _Look("2a3629 3c492e 535237 665a43", 0.12, 0.12, 0.0),
    landcover.GRASS: _Look("273524 31422b 3c4b32 4a5335 5d5a3e 76684d 897559", 0.07, 0.09, 0.65),
    landcover.CROP: _Look("283624 37472d 414e30 515835 6f6145 867258 76634f 5a4b3e", 0.04, 0.03, 0.85),
    landcover.BUILT: _Look("223025 303c2a 424733 565343 6c6150 827060 9c897a d2c8c0", 0.1, 0.08, 0.0),
    landcover.BARE: _Look("6a5c4a 88765c b4a38a", 0.05, 0.05, 0.6),
    landcover.WATER: _Look("16222a 1a282d 22302f 2b3933 3a443b", 0.03, 0.02, 0.0),
    landcover.WETLAND: _Look("1e2a24 2a3626 384428 4d5037", 0.09, 0.1, 0.0),
}

_VARIANTS: Final = 32
_CLASSES: Final = 12


def _palette() -> NDArray[np.float32]:
    """Red, green and blue of each class's variants, shape (class × variant, 3)."""
    palette = np.zeros((_CLASSES, _VARIANTS, 3), dtype=np.float32)
    for cover, look in _LOOKS.items():
        anchors = np.array([list(bytes.fromhex(colour)) for colour in look.colours.split()])
        at = np.linspace(0, len(anchors) - 1, _VARIANTS)
        for band, values in enumerate(anchors.T):
            palette[cover, :, band] = np.interp(at, np.arange(len(anchors)), values)
    return palette.reshape(-1, 3)


def _table(name: str) -> NDArray[np.float32]:
    """One number of each class's look, by class number."""
    table = np.zeros(_CLASSES, dtype=np.float32)
    for cover, look in _LOOKS.items():
        table[cover] = getattr(look, name)
    return table


_PALETTE: Final = _palette()
_GRAIN: Final = _table("grain")
_CLUMP: Final = _table("clump")
_PARCELLED: Final = _table("parcelled")
_STAND: Final = ((400, 0.6), (60, 0.6), (10, 0.4))
_SUN: Final = ((3000, 0.06), (700, 0.06), (90, 0.07))
_HAZE: Final = ((2500, 3.0), (500, 3.0))
_HAZE_COLOUR: Final = np.array([0.8, 1.0, 1.2], dtype=np.float32)
_AIR = 8


def render(seed: int, grid: PixelGrid, cover: LandCover) -> NDArray[np.uint8]:
    """Image of land cover.

    Parameters
    ----------
    seed : int
        Of the region.
    grid : PixelGrid
        Where; step 1.
    cover : LandCover
        What stands there.

    Returns
    -------
    ndarray of uint8, shape (chip, side, side, 3)
    """
    label = cover.label
    grain = lattice_hash(salt(seed, "grain"), grid.y[:, :, None], grid.x[:, None, :])
    colour = label.astype(np.intp) * _VARIANTS + _variants(seed, grid, cover)
    image = _PALETTE.take(colour, axis=0)
    image *= _brightness(seed, grid, cover, grain)[..., None]
    haze = fractal_noise(salt(seed, "haze"), _HAZE, grid) + _AIR
    for band in range(3):
        image[..., band] += haze * _HAZE_COLOUR[band] + (5 * uniform(grain, 1 + band) - 2.5)
    return np.clip(image, 0, 255).astype(np.uint8)


def _variants(seed: int, grid: PixelGrid, cover: LandCover) -> NDArray[np.uint8]:
    """Number of the colour variant of each pixel."""
    stand = fractal_noise(salt(seed, "stand"), _STAND, grid)
    stand *= np.float32(0.28)
    stand += np.float32(0.5)
    lot = uniform(cover.parcels.bits, 3)
    lot -= stand
    lot *= _PARCELLED[cover.label]
    stand += lot
    variants = np.clip(stand * _VARIANTS, 0, _VARIANTS - 1).astype(np.uint8)
    built = np.flatnonzero(cover.label == landcover.BUILT)
    variants.flat[built] = _houses(seed, cover.parcels, built)
    return variants


def _houses(seed: int, parcels: Parcels, built: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Colour variants of built-up pixels: gardens, roofs and streets in the parcels' direction."""
    along, across = parcels.along.ravel()[built], parcels.across.ravel()[built]
    row, column = np.floor(across / np.float32(2.5)), np.floor(along / 3)
    bits = lattice_hash(salt(seed, "houses"), row.astype(np.int32), column.astype(np.int32))
    variants = (uniform(bits, 0) + uniform(bits, 1)) * 14 + uniform(bits, 2) * 4
    street = across / 10 - np.floor(across / 10) < np.float32(0.15)
    variants[street] = 13
    return variants.astype(np.uint8)


def _brightness(
    seed: int, grid: PixelGrid, cover: LandCover, grain: NDArray[np.uint32]
) -> NDArray[np.float32]:
    """Factor of brightness: grain, clumps, rows of plants, hedges, and the light of the place."""
    label, parcels = cover.label, cover.parcels
    light = uniform(grain, 0) - np.float32(0.5)
    light *= _GRAIN[label] * np.float32(12**0.5)
    light += _CLUMP[label] * smooth_noise(salt(seed, "clump"), 4, grid)
    rows = parcels.across / (2 + (parcels.bits >> 24 & 3).astype(np.float32))
    rows -= np.floor(rows)
    light += np.where(label == landcover.CROP, (rows - 0.5) * np.float32(0.16), 0)
    hedged = (parcels.edge < np.float32(0.8)) & (_PARCELLED[label] > 0)
    light -= np.float32(0.1) * hedged
    light += 1
    light *= 1 + fractal_noise(salt(seed, "sun"), _SUN, grid)
    return light
