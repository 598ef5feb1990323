"""Changes of images that leave their class shares as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def turn_images(images: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
    """Turn each image by none to three quarters and flip half of them.

    Parameters
    ----------
    images : ndarray, shape (..., side, side, band)
        Of chips or bags; they stay as they are, turned ones are copies.
    """
    flat = images.reshape(-1, *images.shape[-3:])
    turned = np.empty_like(flat)
    which = generator.integers(8, size=len(flat))
    for number in range(8):
        chosen = np.rot90(flat[which == number], number % 4, axes=(1, 2))
        turned[which == number] = chosen[:, :, ::-1] if number >= 4 else chosen
    return turned.reshape(images.shape)
