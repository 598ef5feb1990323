"""Patches of images: cutting them, drawing some, and spreading their probabilities on pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import keras, tf


def check_patches(size: int, stride: int) -> None:
    """Refuse patches that leave pixels out or do not fall on one grid.

    Parameters
    ----------
    size, stride : int
        Pixels.

    Raises
    ------
    MethodError
        If the stride does not divide the size, or the patches do not tile the image.
    """
    if not 0 < stride <= size <= WINDOW_SIDE or size % stride or (WINDOW_SIDE - size) % stride:
        raise MethodError(
            f"patches of {size} pixels at stride {stride} do not tile {WINDOW_SIDE} pixels: "
            "the stride must divide both"
        )


def cut_patches(images: Any, size: int, stride: int) -> Any:
    """Cut images into patches.

    Parameters
    ----------
    images : tensor, shape (n, 96, 96, band)
        Score windows of chips, in any unit.
    size, stride : int
        Pixels.

    Returns
    -------
    tensor, shape (n, row, column, size * size * band)
        The numbers of a patch row by row, pixel by pixel.
    """
    bands = images.shape[-1]
    if size == stride:
        count = WINDOW_SIDE // size
        split = keras.ops.reshape(images, (-1, count, size, count, size * bands))
    else:
        count = (WINDOW_SIDE - size) // stride + 1
        pixels = stride * np.arange(count)[:, np.newaxis] + np.arange(size)
        rows = keras.ops.take(images, pixels, axis=1)
        split = keras.ops.take(rows, pixels, axis=3)
        split = keras.ops.reshape(split, (-1, count, size, count, size * bands))
    patches = keras.ops.transpose(split, (0, 1, 3, 2, 4))
    return keras.ops.reshape(patches, (-1, count, count, size * size * bands))


def spread_patches(probabilities: Any, size: int, stride: int) -> Any:
    """Give each block of pixels the mean probabilities of the patches that cover it.

    Parameters
    ----------
    probabilities : tensor, shape (n, row, column, category)
        Of patches.
    size, stride : int
        Of the patches; the stride divides the size, so that blocks of ``stride`` pixels are
        covered by the same patches.

    Returns
    -------
    tensor, shape (n, 96 / stride, 96 / stride, category)
        From 0 to 1; each block's sum to 1.
    """
    reach = size // stride
    if reach == 1:
        return probabilities
    margin = [reach - 1, reach - 1]
    padded = tf.pad(probabilities, [[0, 0], margin, margin, [0, 0]])
    sums = tf.nn.avg_pool2d(padded, reach, 1, "VALID") * reach**2
    covered = np.convolve(np.ones(probabilities.shape[1]), np.ones(reach))
    return sums / np.multiply.outer(covered, covered)[..., np.newaxis].astype(np.float32)


def draw_patches(
    images: NDArray[Any],
    count: int,
    size: int,
    random_state: int,
    scale: Callable[[NDArray[Any]], Any],
) -> NDArray[np.float32]:
    """Draw patches from as many chips as there are, one from each.

    Parameters
    ----------
    images : ndarray, shape (n, 96, 96, band)
        Score windows of chips, as they are stored.
    count : int
        Patches; chips are used again only where there are fewer.
    size : int
        Pixels on a side.
    random_state : int
        Seed of the choice of chips and places.
    scale : callable
        Makes numbers from 0 to 1 of those stored.

    Returns
    -------
    ndarray of float32, shape (count, size * size * band)
        From 0 to 1.
    """
    generator = np.random.default_rng(random_state)
    chips = np.resize(generator.permutation(len(images)), count)
    corners = generator.integers(0, WINDOW_SIDE - size + 1, (2, count, 1))
    rows, columns = corners + np.arange(size)
    drawn = images[chips[:, np.newaxis, np.newaxis], rows[:, :, np.newaxis], columns[:, np.newaxis]]
    scaled: NDArray[np.float32] = np.asarray(scale(drawn), dtype=np.float32)
    return scaled.reshape(count, -1)
