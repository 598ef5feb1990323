"""Bag-of-words features of a chip: how often each of some typical patches occurs in it.

A patch is described by the mean and the spread of its bands, so that words stand for colours
together with their texture; a single cell of an embedding by its own numbers. Bands of many say
nearly the same, and what tells land cover apart may be small beside what they share, so that
directions are made more equal before distances are taken.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import tf
from llpbench_baselines.chip_features import FeatureSet, numbers_along

_FEW = 3
"""Bands up to which descriptors are left as they are."""

_EXACT = 2**24
"""Up to which float32 holds all whole numbers."""

_SMALLEST = 1e-3
"""Eigenvalue, of a mean of 1, below which directions are no longer stretched."""


def describe_patches(images: NDArray[Any], size: int) -> NDArray[np.float32]:
    """Colour and texture of the patches of each image.

    Parameters
    ----------
    images : ndarray of uint8 or float32, shape (n, 96, 96, band) or (n, 24, 24, feature)
        Score windows of chips, from 0 to 255.
    size : int
        Side of a patch in pixels; divides 96.

    Returns
    -------
    ndarray of float32, shape (n, (96 / size)**2, 2 * band)
        Mean of each band (0 to 255), then ``log(1 + standard deviation)`` of each.
    """
    size = numbers_along(images, size)
    total = _sum_patches(images, size).astype(np.float32)
    kind = "uint16" if images.dtype == np.uint8 else "float32"
    squares = _sum_patches(np.square(images, dtype=np.dtype(kind)), size).astype(np.float32)
    mean, mean_square = total / size**2, squares / size**2
    spread = np.log1p(np.sqrt(np.maximum(mean_square - np.square(mean), 0)))
    return np.concatenate([mean, spread], axis=-1)


def _sum_patches(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Sums over patches: rows first, which are contiguous in memory, then columns."""
    count, side, bands = len(values), values.shape[1] // size, values.shape[-1]
    kind = np.float32 if values.dtype.kind == "f" else np.uint32
    rows = values.reshape(count * side, size, -1).sum(axis=1, dtype=kind)
    patches: NDArray[Any] = rows.reshape(count, side * side, size, bands).sum(axis=2, dtype=kind)
    return patches


def describe_patches_graph(images: Any, size: int) -> Any:
    """The same of a tensor of one chip, (1, 96, 96, band) or cells, for one (patch, 2 * band).

    Sums of bytes are exact, as they are there: in float32 as long as it holds them.
    """
    size = numbers_along(images, size)
    is_large = images.dtype == tf.uint8 and (255 * size) ** 2 > _EXACT
    numbers = tf.cast(images, tf.int32 if is_large else tf.float32)
    sums = (_sum_patches_graph(values, size) for values in (numbers, numbers * numbers))
    mean, mean_square = (tf.cast(total, tf.float32) / size**2 for total in sums)
    spread = tf.math.log(1 + tf.sqrt(tf.maximum(mean_square - mean * mean, 0)))
    return tf.concat([mean, spread], axis=-1)


def _sum_patches_graph(values: Any, size: int) -> Any:
    """Sums over patches, (patch, band), of a tensor of one chip."""
    _one, rows, columns, bands = values.shape
    strips = tf.reduce_sum(tf.reshape(values, (rows // size, size, columns * bands)), axis=1)
    return tf.reduce_sum(tf.reshape(strips, (-1, size, bands)), axis=1)


class PatchWords(FeatureSet):
    r"""The share of each word among a chip's patches.

    Descriptors of more than three bands, each divided by its standard deviation, are multiplied by
    :math:`V \Lambda^{-1/4}`, with eigenvectors and eigenvalues of their correlations: half way from
    these distances to those of Mahalanobis, for which noise counts as much as all else. Mukundan et
    al. call it attenuated whitening (Understanding and improving kernel local descriptors, 2019).

    Parameters
    ----------
    count : int
        Number of words.
    size : int
        Side of a patch in pixels; divides 96.
    sample : int
        Patches that the words are clustered from, about.
    """

    name: ClassVar[str] = "words"

    def __init__(self, *, count: int = 256, size: int = 4, sample: int = 100_000) -> None:
        self.count, self.size, self.sample = count, size, sample

    def learn(self, images: NDArray[Any], generator: np.random.Generator) -> Self:
        """Cluster random patches."""
        each = min((WINDOW_SIDE // self.size) ** 2, max(1, self.sample // len(images)))
        patches = [
            generator.choice(self._describe(block), each, replace=False, axis=1)
            for block in np.array_split(images, -(-len(images) // 256))
        ]
        flat = np.concatenate(patches).reshape(-1, patches[0].shape[-1])
        scale = np.maximum(flat.std(axis=0), 1e-6)
        self.arrays = {"scale": scale}
        if images.shape[-1] > _FEW:
            self.arrays["whitening"] = _attenuated(flat / scale)
        model = MiniBatchKMeans(
            min(self.count, len(flat)),
            random_state=int(generator.integers(2**31)),
            batch_size=4096,
            n_init=1,
        )
        with threadpool_limits(1):  # of small batches threads would mostly wait for each other
            centres = model.fit(self._scaled(flat)).cluster_centers_
        self.arrays = {"centres": centres, **self.arrays}
        return self

    def nearest(self, images: NDArray[Any]) -> NDArray[np.intp]:
        """Find the word of each patch, row by row: (n, patches), from score windows."""
        middle, apart, offset = self._words()
        patches = self._scaled(self._describe(images)) - middle
        nearness = patches.reshape(-1, patches.shape[-1]) @ apart.T - offset
        return nearness.argmax(axis=1).reshape(len(images), -1)

    def __call__(self, images: NDArray[Any]) -> NDArray[np.float64]:
        """Count the nearest word of each patch."""
        count, words = len(images), len(self.arrays["centres"])
        codes = self.nearest(images) + words * np.arange(count)[:, np.newaxis]
        counts = np.bincount(codes.ravel(), minlength=count * words).reshape(count, words)
        return counts / (WINDOW_SIDE // self.size) ** 2

    def score_graph(
        self, images: Any, coefficients: NDArray[np.float32]
    ) -> tuple[Any, NDArray[np.float32]]:
        """Average the coefficients of the patches' words: no counts are made."""
        count = len(self.arrays["centres"])
        added = tf.gather(coefficients[:count], self.nearest_graph(images))
        return tf.reduce_mean(added, axis=0, keepdims=True), coefficients[count:]

    def nearest_graph(self, images: Any) -> Any:
        """The word of each patch of one score window: a tensor of int32, (patch,)."""
        described = describe_patches_graph(images, self.size)
        if numbers_along(images, self.size) == 1:
            described = described[:, : images.shape[-1]]
        patches = described / self.arrays["scale"]
        if "whitening" in self.arrays:
            patches = tf.matmul(patches, self.arrays["whitening"])
        middle, apart, offset = self._words()
        nearness = tf.matmul(patches - middle, apart.T) - offset
        return tf.argmax(nearness, axis=1, output_type=tf.int32)

    def multiply_adds(self) -> int:
        """Count the distances of each patch to all words, and its whitening."""
        products = sum(array.size for name, array in self.arrays.items() if name != "scale")
        return int((WINDOW_SIDE // self.size) ** 2 * products)

    def _words(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Mean of all words, how far each is from it, and half the squares of that.

        Distances are taken about the mean, so that products are small: few digits are lost in
        float32, and few where products are rounded to bytes.
        """
        centres = self.arrays["centres"]
        middle = centres.mean(axis=0)
        apart = centres - middle
        return middle, apart, 0.5 * np.square(apart).sum(axis=1)

    def _scaled(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Descriptors in the space where words are nearest."""
        scaled = patches / self.arrays["scale"]
        return scaled @ self.arrays["whitening"] if "whitening" in self.arrays else scaled

    def _describe(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Describe patches; a single cell has no texture."""
        described = describe_patches(images, self.size)
        is_cell = numbers_along(images, self.size) == 1
        return described[..., : images.shape[-1]] if is_cell else described


def _attenuated(scaled: NDArray[np.float32]) -> NDArray[np.float32]:
    """Attenuated whitening of descriptors of unit variance, (number, number)."""
    values, vectors = np.linalg.eigh(np.cov(scaled.T, dtype=np.float64))
    whitening = vectors * np.maximum(values, _SMALLEST) ** -0.25
    return whitening.astype(np.float32)
