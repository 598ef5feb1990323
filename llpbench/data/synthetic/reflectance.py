"""Reflectances: the bands that land cover is seen in besides red, green and blue.

What they tell apart is what colours cannot: leaves from dark water and from shade, roofs from
soil, wet from dry. Two fields that no colour shows keep a class from having one spectrum: how much
of its plants is green, and how wet the ground is. Light, haze and noise are those of the colours.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.synthetic.imagery import VARIANTS, Surface
from llpbench.data.synthetic.landcover import LandCover
from llpbench.data.synthetic.noise import PixelGrid, fractal_noise, lattice_hash, salt, uniform
from llpbench.data.synthetic.spectra import COLOURS, SENSING, WETTER, by_class, palette

_GREENNESS: Final = ((900, 0.5), (70, 0.5), (3, 0.4))
_WETNESS: Final = ((1500, 0.7), (200, 0.6), (20, 0.4))
"""Octaves of both fields: cell in pixels, standard deviation."""

_SEASON: Final = by_class("season")
_WET: Final = by_class("wet")

_BRIGHTEST: Final = 3000
"""Reflectance, in steps of .0001, that a colour of 255 stands for."""

_BYTE: Final = np.float32(_BRIGHTEST / 255 / 10_000)
"""Reflectance that a step of a colour stands for."""

_NOISE: Final = 18
"""Width of the uniform noise, in steps of a colour: that of the colours."""


def render_bands(
    names: list[str],
    seed: int,
    grid: PixelGrid,
    cover: LandCover,
    surface: Surface,
    rgb: NDArray[np.uint8],
) -> NDArray[np.uint16]:
    """Image in bands of Sentinel-2, on a grid of step 1.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (chip, side, side, 3)
        Its red, green and blue as bytes; 255 is a reflectance of .3.

    Returns
    -------
    ndarray of uint16, shape (chip, side, side, band)
        Reflectances in steps of .0001.
    """
    image = np.empty((*cover.label.shape, len(names)), dtype=np.uint16)
    colour = cover.label.astype(np.intp) * VARIANTS + surface.variant
    green = fractal_noise(salt(seed, "greenness"), _GREENNESS, grid)
    green += 2 * (uniform(cover.parcels.bits, 2) - np.float32(0.5))  # a field has its own date
    green *= _SEASON[cover.label]
    wet = fractal_noise(salt(seed, "wetness"), _WETNESS, grid)
    wet = np.clip(_WET[cover.label] + np.float32(WETTER) * wet, 0, 1)
    for number, name in enumerate(names):
        if name in COLOURS:
            byte = rgb[..., COLOURS[name]].astype(np.int32)
            image[..., number] = (byte * (2 * _BRIGHTEST) + 255) // (2 * 255)
            continue
        band = SENSING[name]
        leaf, litter = band.reflectances[:2]
        seen = palette(name).take(colour)
        seen += green * np.float32(leaf - litter)
        seen *= 1 - np.float32(band.drying) * wet
        seen *= surface.light
        seen += surface.haze * (_BYTE * np.float32(band.haze))
        bits = lattice_hash(salt(seed, name), grid.y[:, :, None], grid.x[:, None, :])
        seen += (uniform(bits, 0) - np.float32(0.5)) * (_NOISE * _BYTE)
        image[..., number] = np.rint(np.clip(_averaged(seen, band.pixels), 0, 2) * 10_000)
    return image


def _averaged(values: NDArray[np.float32], pixels: int) -> NDArray[np.float32]:
    """Means of squares of some pixels a side, each in all of its pixels.

    They are added one after another: a machine's own way of adding could round otherwise.
    """
    if pixels == 1:
        return values
    total = np.zeros_like(values[:, ::pixels, ::pixels])
    for row in range(pixels):
        for column in range(pixels):
            total += values[:, row::pixels, column::pixels]
    total /= np.float32(pixels**2)
    return total.repeat(pixels, axis=1).repeat(pixels, axis=2)
