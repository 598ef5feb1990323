"""Changes of images that leave their class shares as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

WAYS = 8
"""Ways to turn and flip a square."""


def turn_images(images: NDArray[Any], which: NDArray[np.integer]) -> NDArray[Any]:
    """Turn each image by none to three quarters, and flip it or not.

    Parameters
    ----------
    images : ndarray, shape (..., side, side, band)
        Of chips or bags; they stay as they are, turned ones are copies.
    which : ndarray of int, shape (image,)
        The way of each, from 0 to 7.
    """
    flat = images.reshape(-1, *images.shape[-3:])
    turned = np.empty_like(flat)
    for number in range(WAYS):
        chosen = np.rot90(flat[which == number], number % 4, axes=(1, 2))
        turned[which == number] = chosen[:, :, ::-1] if number >= 4 else chosen
    return turned.reshape(images.shape)
