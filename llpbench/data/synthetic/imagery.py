"""Imagery: what land cover looks like from above, in red, green and blue.

Classes share most of their colours (green crops, meadows and young woods; roofs and bare soil;
lakes and dark woods). What tells them apart is texture, shape and surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.synthetic import landcover
from llpbench.data.synthetic.landcover import LandCover
from llpbench.data.synthetic.noise import (
    PixelGrid,
    fractal_noise,
    lattice_hash,
    salt,
    smooth_noise,
    uniform,
)
from llpbench.data.synthetic.parcels import Parcels


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
    landcover.INVALID: _Look("49463c 595349", 0.05, 0.05, 0.0),
    landcover.TREE: _Look("18221d 1f2a1f 263224 2f3c25 3a4628 48522d", 0.17, 0.15, 0.0),
    landcover.SHRUB: _Look("283225 3c4428 514d32 62553d", 0.15, 0.13, 0.0),
    landcover.GRASS: _Look("21321f 2c4025 384c2a 425631 505a33 60603a 70694a", 0.18, 0.1, 0.65),
    landcover.CROP: _Look(
        "28351f 44482a 60583a 78644a 866e4f 8e7858 73604b 5c4f44", 0.16, 0.04, 0.85
    ),
    landcover.BUILT: _Look(
        "1f2a25 2f3b30 45453b 58514a 6c6257 81756a 988b81 c4b9b4", 0.2, 0.1, 0.0
    ),
    landcover.BARE: _Look("665544 836d55 ad967f", 0.08, 0.05, 0.6),
    landcover.WATER: _Look("0d1a27 11212a 192830 233235 2e3937", 0.07, 0.02, 0.0),
    landcover.WETLAND: _Look("1b2723 263225 343d25 474832", 0.13, 0.11, 0.0),
}

VARIANTS: Final = 32
"""Colours of a class."""
CLASSES: Final = 12
"""Numbers that a class may have."""


def _palette() -> NDArray[np.float32]:
    """Red, green and blue of each class's variants, shape (class × variant, 3)."""
    palette = np.zeros((CLASSES, VARIANTS, 3), dtype=np.float32)
    for cover, look in _LOOKS.items():
        anchors = np.array([list(bytes.fromhex(colour)) for colour in look.colours.split()])
        at = np.linspace(0, len(anchors) - 1, VARIANTS)
        for band, values in enumerate(anchors.T):
            palette[cover, :, band] = np.interp(at, np.arange(len(anchors)), values)
    return palette.reshape(-1, 3)


def _table(name: str) -> NDArray[np.float32]:
    """One number of each class's look, by class number."""
    table = np.zeros(CLASSES, dtype=np.float32)
    for cover, look in _LOOKS.items():
        table[cover] = getattr(look, name)
    return table


_PALETTE: Final = _palette()
_GRAIN: Final = _table("grain")
_CLUMP: Final = _table("clump")
_PARCELLED: Final = _table("parcelled")
_STAND: Final = ((400, 0.6), (60, 0.6), (10, 0.4))
"""Octaves along which colours vary: cell in pixels, standard deviation."""

_SUN: Final = ((3000, 0.05), (700, 0.05), (90, 0.06))
"""Octaves of relative brightness: what drifts between places."""

_HAZE: Final = ((2500, 2.5), (500, 2.0))
"""Octaves of added light, around :data:`_AIR`."""

_AIR: Final = 10
_HAZE_COLOUR: Final = np.array([0.8, 1.0, 1.2], dtype=np.float32)
_STREET: Final = 13
"""Colour variant of streets in built-up land."""

_NOISE: Final = 18
"""Width of the uniform noise of each band."""


@dataclass(frozen=True)
class Surface:
    """How pixels look, in whatever band; all arrays have shape (chip, side, side).

    Parameters
    ----------
    variant : ndarray of uint8
        The colour of its class, 0 (dark) to 31.
    light : ndarray of float32
        Factor of brightness, around 1.
    haze : ndarray of float32
        Light of the air, in steps of the green byte.
    grain : ndarray of uint32
        Random bits of each pixel.
    """

    variant: NDArray[np.uint8]
    light: NDArray[np.float32]
    haze: NDArray[np.float32]
    grain: NDArray[np.uint32]


def find_surface(seed: int, grid: PixelGrid, cover: LandCover) -> Surface:
    """How land cover looks, on a grid of step 1."""
    grain = lattice_hash(salt(seed, "grain"), grid.y[:, :, None], grid.x[:, None, :])
    return Surface(
        _variants(seed, grid, cover),
        _brightness(seed, grid, cover, grain),
        fractal_noise(salt(seed, "haze"), _HAZE, grid) + _AIR,
        grain,
    )


def render(cover: LandCover, surface: Surface) -> NDArray[np.uint8]:
    """Image in red, green and blue, shape (chip, side, side, 3)."""
    colour = cover.label.astype(np.intp) * VARIANTS + surface.variant
    image = _PALETTE.take(colour, axis=0)
    image *= surface.light[..., None]
    for band in range(3):
        image[..., band] += surface.haze * _HAZE_COLOUR[band] + _NOISE * (
            uniform(surface.grain, 1 + band) - np.float32(0.5)
        )
    return np.clip(image, 0, 255).astype(np.uint8)


def _variants(seed: int, grid: PixelGrid, cover: LandCover) -> NDArray[np.uint8]:
    """Choose the colour variant of each pixel."""
    stand = fractal_noise(salt(seed, "stand"), _STAND, grid)
    stand *= np.float32(0.28)
    stand += np.float32(0.5)
    lot = uniform(cover.parcels.bits, 3)
    lot -= stand
    lot *= _PARCELLED[cover.label]
    stand += lot
    variants = np.clip(stand * VARIANTS, 0, VARIANTS - 1).astype(np.uint8)
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
    variants[street] = _STREET
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
