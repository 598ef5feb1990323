"""Bag-of-words features of a chip: how often each of some typical patches occurs in it.

A patch is described by the mean and the spread of its three bands, so that words stand for
colours together with their texture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from llpbench.images import iterate_images
from llpbench.method import Progress

DESCRIPTORS = 6
"""Numbers that describe a patch: three means, three logarithms of standard deviations."""


def describe_patches(images: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Colour and texture of the patches of each image.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 96, 96, 3)
    size : int
        Side of a patch in pixels; divides 96.

    Returns
    -------
    ndarray of float32, shape (n, (96 / size)**2, 6)
        Mean of each band (0 to 255), then ``log(1 + standard deviation)`` of each.
    """
    total = _sum_patches(images, size).astype(np.float32)
    squares = _sum_patches(np.square(images, dtype=np.uint16), size).astype(np.float32)
    mean, mean_square = total / size**2, squares / size**2
    spread = np.log1p(np.sqrt(np.maximum(mean_square - np.square(mean), 0)))
    return np.concatenate([mean, spread], axis=-1)


def _sum_patches(values: NDArray[Any], size: int) -> NDArray[np.uint32]:
    """Sums over patches: rows first, which are contiguous in memory, then columns."""
    count, side = len(values), values.shape[1] // size
    rows = values.reshape(count * side, size, -1).sum(axis=1, dtype=np.uint32)
    patches: NDArray[np.uint32] = rows.reshape(count, side * side, size, 3).sum(
        axis=2, dtype=np.uint32
    )
    return patches


def learn_words(
    ds: xr.Dataset, *, words: int, size: int, sample: int, random_state: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cluster patches of random chips.

    Parameters
    ----------
    ds : Dataset
        Training chips with ``image``.
    words : int
        Number of clusters.
    size : int
        Side of a patch in pixels.
    sample : int
        Patches to cluster, about.
    random_state : int
        Seed of the choice of patches and of the clustering.

    Returns
    -------
    centres : ndarray of float32, shape (words, 6)
        Cluster centres, each descriptor divided by its scale.
    scale : ndarray of float32, shape (6,)
        Standard deviation of each descriptor.
    """
    generator = np.random.default_rng(random_state)
    each = (96 // size) ** 2
    chips = min(ds.sizes["chip"], max(1, 8 * sample // each))
    chosen = np.sort(generator.choice(ds.sizes["chip"], chips, replace=False))
    per_chip = min(each, max(1, sample // chips))
    patches = [
        describe_patches(images, size)[:, generator.choice(each, per_chip, replace=False)]
        for _ids, images in iterate_images(ds.isel(chip=chosen))
    ]
    flat = np.concatenate(patches).reshape(-1, DESCRIPTORS)
    scale = np.maximum(flat.std(axis=0), 1e-6)
    model = MiniBatchKMeans(
        min(words, len(flat)), random_state=random_state, batch_size=4096, n_init=1
    )
    return model.fit(flat / scale).cluster_centers_, scale


def count_words(
    ds: xr.Dataset,
    centres: NDArray[np.float32],
    scale: NDArray[np.float32],
    *,
    size: int,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Share of each word among a chip's patches.

    Parameters
    ----------
    ds : Dataset
        Chips with ``image``.
    centres, scale : ndarray of float32
        From :func:`learn_words`.
    size : int
        Side of a patch in pixels.
    progress : callable, optional
        Wraps the batches.

    Returns
    -------
    ndarray of float64, shape (chip, words)
        Rows sum to 1.
    """
    batches: Any = iterate_images(ds, batch_size=256)
    if progress is not None:
        batches = progress(batches, total=-(-ds.sizes["chip"] // 256), desc="counting words")
    counts = [
        _histogram(describe_patches(images, size) / scale, centres) for _ids, images in batches
    ]
    return np.concatenate(counts) / (96 // size) ** 2


def _histogram(patches: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    count, words = len(patches), len(centres)
    flat = patches.reshape(-1, DESCRIPTORS)
    nearest = (flat @ centres.T - 0.5 * np.square(centres).sum(axis=1)).argmax(axis=1)
    codes = nearest.reshape(count, -1) + words * np.arange(count)[:, np.newaxis]
    return np.bincount(codes.ravel(), minlength=count * words).reshape(count, words)
