"""Spectra: the bands of Sentinel-2, and what materials and land cover reflect in them.

A pixel is a mix of six materials. Those of a class lie between two mixes, of its darkest and its
brightest colour. Reflectances are round numbers in the middle of what spectral libraries hold
(leaves: the red edge at 700 nm and the plateau behind it; leaves and soils that are wet: dark at
1,600 and 2,200 nm; water: dark from 700 nm on). Red, green and blue are made elsewhere, see
:mod:`~llpbench.data.synthetic.imagery`.

An image is like the median of a year, in which dates and rain leave little. What varies without
the colours is no more than they could hide: in red, leaves reflect .04 and litter .15, so that an
exchange of .08 of one for the other is half the width of the noise there; and water takes some 6 %
of the light at 2,200 nm, where the light of the sun drifts by 9 %.

References
----------
Plants: Jacquemoud and Baret, PROSPECT, 1990; Immitzer, Vuolo and Atzberger, First experience with
Sentinel-2 data, 2016 (what red edge and short waves tell). Soils: Lobell and Asner, Moisture
effects on soil reflectance, 2002. Roofs and soil: Zha, Gao and Ni, Use of normalized difference
built-up index, 2003. Water: Xu, Modification of normalised difference water index, 2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import RGB, Band, Coding, Imagery
from llpbench.data.sensors import SENTINEL2
from llpbench.data.synthetic import landcover
from llpbench.data.synthetic.imagery import CLASSES, VARIANTS
from llpbench.errors import LLPBenchError


@dataclass(frozen=True)
class Sensing:
    """How a band beyond red, green and blue sees the land.

    Parameters
    ----------
    pixels : int
        Side, in pixels of 10 m, of the squares over which it averages: Sentinel-2's 10 and 20 m,
        and 50 instead of 60 m, which would not divide a chip.
    haze : float
        Light of the air in it, relative to green.
    drying : float
        Part of its light that is lost where leaves and soils are wet.
    reflectances : tuple of float
        Of leaves, litter (dry plants), soil, stone (roofs, streets), water and shade.
    """

    pixels: int
    haze: float
    drying: float
    reflectances: tuple[float, ...]


SENSING: Final = {
    "B1": Sensing(5, 1.5, 0.05, (0.03, 0.08, 0.08, 0.13, 0.05, 0.01)),
    "B5": Sensing(2, 0.6, 0.05, (0.11, 0.22, 0.19, 0.19, 0.025, 0.015)),
    "B6": Sensing(2, 0.5, 0.05, (0.28, 0.25, 0.21, 0.20, 0.016, 0.03)),
    "B7": Sensing(2, 0.45, 0.05, (0.36, 0.28, 0.23, 0.21, 0.014, 0.04)),
    "B8": Sensing(1, 0.4, 0.05, (0.38, 0.30, 0.25, 0.22, 0.012, 0.04)),
    "B8A": Sensing(2, 0.35, 0.05, (0.40, 0.32, 0.27, 0.23, 0.010, 0.04)),
    "B9": Sensing(5, 0.3, 0.15, (0.40, 0.33, 0.28, 0.23, 0.006, 0.04)),
    "B10": Sensing(5, 0.1, 0.0, (0.002, 0.002, 0.002, 0.002, 0.002, 0.002)),  # sees air alone
    "B11": Sensing(2, 0.1, 0.4, (0.18, 0.34, 0.33, 0.26, 0.004, 0.02)),
    "B12": Sensing(2, 0.05, 0.5, (0.08, 0.26, 0.29, 0.25, 0.003, 0.01)),
}

COLOURS: Final = {"B4": 0, "B3": 1, "B2": 2}
"""Bands that are made as red, green and blue, and where they stand among these."""

_ORDER: Final = ["B4", "B3", "B2", "B8", "B11", "B12", "B5", "B6", "B7", "B8A", "B1", "B9", "B10"]
"""Which bands come first where not all are asked for."""


@dataclass(frozen=True)
class _Growth:
    """What a class is made of.

    Parameters
    ----------
    dark, bright : tuple of float
        Parts of leaves, litter, soil, stone, water and shade, where its colour is darkest and
        brightest.
    season : float
        Part that is leaves at one time and place and litter at another, without a change of colour:
        its standard deviation.
    wet : float
        How wet it is, from 0 to 1, with a deviation of :data:`WETTER`; canopies hold most water.
    """

    dark: tuple[float, ...]
    bright: tuple[float, ...]
    season: float
    wet: float


_GROWTH: Final = {
    landcover.INVALID: _Growth((0, 0.1, 0.3, 0.3, 0.1, 0.2), (0, 0.1, 0.4, 0.4, 0.1, 0), 0, 0.2),
    landcover.TREE: _Growth((0.55, 0.05, 0, 0, 0, 0.4), (0.5, 0.3, 0.05, 0, 0, 0.15), 0.03, 0.7),
    landcover.SHRUB: _Growth((0.5, 0.2, 0.05, 0, 0, 0.25), (0.3, 0.4, 0.2, 0, 0, 0.1), 0.05, 0.4),
    landcover.GRASS: _Growth((0.75, 0.1, 0.05, 0, 0, 0.1), (0.35, 0.5, 0.15, 0, 0, 0), 0.07, 0.4),
    landcover.CROP: _Growth((0.8, 0, 0.15, 0, 0, 0.05), (0.05, 0.3, 0.65, 0, 0, 0), 0.08, 0.25),
    landcover.BUILT: _Growth(
        (0.45, 0.1, 0.05, 0.1, 0, 0.3), (0, 0.05, 0.1, 0.85, 0, 0), 0.02, 0.15
    ),
    landcover.BARE: _Growth((0.05, 0.15, 0.7, 0.1, 0, 0), (0, 0.05, 0.7, 0.25, 0, 0), 0, 0.1),
    landcover.WATER: _Growth((0, 0, 0, 0, 0.95, 0.05), (0.03, 0, 0.07, 0, 0.9, 0), 0, 0),
    landcover.WETLAND: _Growth(
        (0.4, 0.1, 0.05, 0, 0.35, 0.1), (0.35, 0.3, 0.1, 0, 0.2, 0.05), 0.04, 0.8
    ),
}

WETTER: Final = 0.1
"""Standard deviation of wetness."""


def describe(bands: int) -> Imagery:
    """Bands of a region's images, and how they are coded.

    Three are the bytes of the published datasets. More are reflectances of Sentinel-2: the first of
    B4, B3, B2, B8, B11, B12, B5, B6, B7, B8A, B1, B9 and B10, in the order of their wavelengths.

    Raises
    ------
    LLPBenchError
        If there are fewer or more.

    Examples
    --------
    >>> describe(4).names
    ['B2', 'B3', 'B4', 'B8']
    >>> describe(13).names == [*SENTINEL2]
    True
    """
    if not len(COLOURS) <= bands <= len(_ORDER):
        raise LLPBenchError(
            f"a synthetic region has images of {len(COLOURS)} to {len(_ORDER)} bands, not {bands}: "
            "choose 3 for red, green and blue, 4, 10 or 13 for those of Sentinel-2"
        )
    if bands == len(COLOURS):
        return RGB
    chosen = tuple(
        Band(name, band.role, band.centre)
        for name, band in SENTINEL2.items()
        if name in _ORDER[:bands]
    )
    return Imagery(chosen, "uint16", Coding(scale=1e-4), "made by llpbench after Sentinel-2")


def palette(name: str) -> NDArray[np.float32]:
    """Reflectance of each colour of each class in a band, shape (class × variant,).

    Rounded to binary fractions, so that it is the same on every machine.
    """
    table = np.zeros((CLASSES, VARIANTS))
    between = np.arange(VARIANTS) / (VARIANTS - 1)
    reflectances = SENSING[name].reflectances
    for cover, growth in _GROWTH.items():
        dark, bright = (
            sum(part * reflectance for part, reflectance in zip(mix, reflectances, strict=True))
            for mix in (growth.dark, growth.bright)
        )
        table[cover] = dark + (bright - dark) * between
    return (np.rint(table * 65536) / 65536).astype(np.float32).ravel()


def by_class(name: Literal["season", "wet"]) -> NDArray[np.float32]:
    """What is said of each class, by class number."""
    table = np.zeros(CLASSES, dtype=np.float32)
    for cover, growth in _GROWTH.items():
        table[cover] = getattr(growth, name)
    return table
