"""Random Fourier features of a chip's patches: their mean embeds the distribution of patches."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import tf
from llpbench_baselines.chip_features import FeatureSet, numbers_along

_BLOCK = 16
_PER_CHIP = 20


class PatchFourier(FeatureSet):
    r"""Mean over a chip's patches of cosines of random directions in their principal components.

    Patches overlap by half. With principal components :math:`z` of a patch, of unit variance on
    average, a feature is :math:`\cos(\omega^T z + b)` with :math:`\omega` normal, of a standard
    deviation that is the reciprocal of the median distance between patches, and b uniform. Inner
    products of the means then approximate those of the distributions' embeddings in the space of
    a Gaussian kernel (Rahimi and Recht, Random features for large-scale kernel machines, 2007).

    Parameters
    ----------
    count : int
        Number of cosines.
    size : int
        Side of a patch in pixels; even.
    components : int
        Principal components kept, at most.
    """

    name: ClassVar[str] = "fourier"

    def __init__(self, *, count: int = 256, size: int = 8, components: int = 16) -> None:
        self.count, self.size, self.components = count, size, components

    def learn(self, images: NDArray[Any], generator: np.random.Generator) -> Self:
        """Find principal components of random patches, and draw directions."""
        patches = [
            generator.choice(self._patches(block), _PER_CHIP, replace=False, axis=1)
            for block in np.array_split(images, -(-len(images) // _BLOCK))
        ]
        flat = np.concatenate(patches).reshape(-1, patches[0].shape[-1])
        model = PCA(min(self.components, len(flat))).fit(flat)
        projection = model.components_ / np.sqrt(model.explained_variance_.mean())
        some = generator.choice(flat, min(1000, len(flat)), replace=False) @ projection.T
        width = max(float(np.median(pdist(some))), 1e-6)
        directions = generator.normal(size=(len(projection), self.count)) / width
        phases = (
            generator.uniform(0, 2 * np.pi, self.count) - model.mean_ @ projection.T @ directions
        )
        self.arrays = {
            "projection": projection.T.astype(np.float32),
            "directions": directions.astype(np.float32),
            "phases": phases.astype(np.float32),
        }
        return self

    def __call__(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Average the cosines over the patches of each image."""
        directions, phases = self.arrays["directions"], self.arrays["phases"]
        rows = []
        for start in range(0, len(images), _BLOCK):
            components = self._patches(images[start : start + _BLOCK]) @ self.arrays["projection"]
            rows.append(np.cos(components @ directions + phases).mean(axis=1))
        return np.concatenate(rows)

    def graph(self, images: Any) -> Any:
        """The same: components of patches are a convolution."""
        size, bands = numbers_along(images, self.size), images.shape[-1]
        kernel = self.arrays["projection"].reshape(bands, size, size, -1).transpose(1, 2, 0, 3)
        components = tf.nn.conv2d(tf.cast(images, tf.float32), kernel, size // 2, "VALID")
        flat = tf.reshape(components, (-1, kernel.shape[-1]))
        angles = tf.matmul(flat, self.arrays["directions"])
        return tf.reduce_mean(tf.cos(angles + self.arrays["phases"]), axis=0, keepdims=True)

    def multiply_adds(self) -> int:
        """Count the products with components and directions."""
        patches = (WINDOW_SIDE // (self.size // 2) - 1) ** 2
        return int(patches * (self.arrays["projection"].size + self.arrays["directions"].size))

    def _patches(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Patches that overlap by half, shape (n, patch, band * size * size)."""
        size = numbers_along(images, self.size)
        views = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
        patches = views[:, :: size // 2, :: size // 2].astype(np.float32)
        return patches.reshape(len(images), -1, images.shape[-1] * size**2)
