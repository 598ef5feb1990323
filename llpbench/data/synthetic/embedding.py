"""Embeddings of cells: what a model could have made of the land around each, of no model at all.

Numbers are coded as those of AlphaEarth. What goes in is the land cover of 8 x 8 pixels around a
cell, how dark or bright it looks, how near a town is, and fields that have nothing to do with it,
as seasons and views drift from place to place. It passes a folded random projection, the same for
every region, and is put on the unit sphere with noise. So a straight line through features finds
much of the land cover, but not all.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import CELL, CELLS, Band, Coding, Imagery
from llpbench.data.synthetic import landcover
from llpbench.data.synthetic.imagery import VARIANTS, Surface
from llpbench.data.synthetic.landcover import LandCover
from llpbench.data.synthetic.noise import PixelGrid, fractal_noise, lattice_hash, salt, uniform
from llpbench.errors import LLPBenchError

_MOST: Final = 1024
"""Features at most."""

_CLASSES: Final = (
    *(landcover.INVALID, landcover.TREE, landcover.SHRUB, landcover.GRASS, landcover.CROP),
    *(landcover.BUILT, landcover.BARE, landcover.WATER, landcover.WETLAND),
)
_DRIFTS: Final = ((2500, 0.35), (300, 0.25))
"""Octaves of each drift: cell in pixels, standard deviation."""

_NUISANCES: Final = 4
_HIDDEN: Final = 96
_NOISE: Final = 6.0
"""Standard deviation of the noise of a feature, a little more than what differs between places."""

_MODEL: Final = 0
"""Seed of the projection."""


def describe_embedding(features: int) -> Imagery:
    """Features of an embedding, and how they are coded.

    Raises
    ------
    LLPBenchError
        If there are fewer than two or too many.

    Examples
    --------
    >>> describe_embedding(64).names[-1]
    'A63'
    """
    if not 2 <= features <= _MOST:
        raise LLPBenchError(
            f"an embedding of a synthetic region has 2 to {_MOST:,} features, not {features:,}: "
            "choose 64 for as many as AlphaEarth has"
        )
    bands = tuple(Band(f"A{number:02}") for number in range(features))
    coding = Coding(scale=1 / 127.5, power=2, missing=-128)
    return Imagery(bands, "int8", coding, "made by llpbench after AlphaEarth")


def embed(
    imagery: Imagery, seed: int, grid: PixelGrid, cover: LandCover, surface: Surface
) -> NDArray[np.int8]:
    """Embeddings of the cells of chips, on a grid of step 1.

    All numbers up to the norm are binary fractions that fit float64 exactly, see
    :mod:`~llpbench.data.synthetic.noise`.

    Returns
    -------
    ndarray of int8, shape (chip, 24, 24, feature)
        Vectors of length 1, coded.
    """
    features = len(imagery.bands)
    inward, bias, outward = _model(features)
    hidden = np.abs(_inputs(seed, grid, cover, surface) @ inward + bias)
    vectors = hidden @ outward
    vectors += _noise(seed, grid, features)
    vectors = np.rint(vectors * 1024) / 1024
    norms = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    return imagery.coding.encode(vectors / norms, imagery.dtype)


def _inputs(seed: int, grid: PixelGrid, cover: LandCover, surface: Surface) -> NDArray[np.float64]:
    """What is known of each cell, in steps of 1/64: (chip, 24, 24, input)."""
    shares = [_around(cover.label == number) / 64 for number in _CLASSES]
    brightness = np.rint(_around(surface.variant) / VARIANTS) / 64
    middle = slice(2 + CELL // 2, -2, CELL)
    fields = [np.clip(cover.town[:, middle, middle], 0, 2)]
    fields += [
        fractal_noise(salt(seed, f"drift {number}"), _DRIFTS, grid)[:, middle, middle]
        for number in range(_NUISANCES)
    ]
    rounded = [np.rint(field.astype(np.float64) * 64) / 64 for field in fields]
    return np.stack([*shares, brightness, *rounded], axis=-1)


def _around(values: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Sums of 8 x 8 pixels, of which a cell is the middle: (chip, 24, 24)."""
    side = CELLS + 1
    sums = values.reshape(-1, side, CELL, side, CELL).sum(axis=(2, 4), dtype=np.int64)
    return sums[:, :-1, :-1] + sums[:, 1:, :-1] + sums[:, :-1, 1:] + sums[:, 1:, 1:]


@cache
def _model(features: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weights in steps of 1/64: (input, hidden), (hidden,), (hidden, feature)."""
    inputs = len(_CLASSES) + 2 + _NUISANCES
    return (
        4 * _weights("inward", inputs, _HIDDEN),
        2 * _weights("bias", 1, _HIDDEN)[0],
        2 * _weights("outward", _HIDDEN, features),
    )


def _weights(name: str, rows: int, columns: int) -> NDArray[np.float64]:
    """Random numbers in [-.5, .5)."""
    numbers = np.arange(rows)[:, None], np.arange(columns)[None]
    bits = lattice_hash(salt(_MODEL, f"embedding, {name}"), *numbers)
    return uniform(bits, 0).astype(np.float64) - 0.5


def _noise(seed: int, grid: PixelGrid, features: int) -> NDArray[np.float64]:
    """Noise of each feature of each cell, about normal: the sum of the bytes of a hash."""
    row, column = grid.places.T[:, :, None] * CELLS + np.arange(CELLS)
    along = column[:, :, None] * features + np.arange(features)
    bits = lattice_hash(salt(seed, "embedding"), row[:, :, None, None], along[:, None])
    total = uniform(bits, 0) + uniform(bits, 1) + uniform(bits, 2) + uniform(bits, 3) - 2
    return total.astype(np.float64) * (_NOISE * 3**0.5)
