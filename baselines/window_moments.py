"""Moments of colour and texture over windows of several sizes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import tf
from llpbench_baselines.chip_features import FeatureSet
from llpbench_baselines.patch_words import describe_patches, describe_patches_graph

SIZES = (4, 12, 24, 48)
"""Sides of the windows in pixels: 40 m to 480 m."""

_COMPONENTS = 32
"""Numbers of a window whose products are taken, at most."""


class WindowMoments(FeatureSet):
    """First and second moments of the colour and texture of windows.

    A window is described as a patch is, by the means and the logarithms of the spreads of its
    bands. For each size of windows, the features of a chip are the means over its windows of the
    standardised descriptors and of their products in pairs: 27 numbers of three bands. Of more
    than 16 bands the 32 principal components of the descriptors stand for them.
    """

    name: ClassVar[str] = "moments"

    def learn(self, images: NDArray[Any], generator: np.random.Generator) -> Self:
        """Find mean and standard deviation of each descriptor, and components of many."""
        count = 2 * images.shape[-1]
        described = [describe_patches(images, size).reshape(-1, count) for size in SIZES]
        self.arrays = {
            "mean": np.stack([patches.mean(axis=0) for patches in described]),
            "scale": np.stack([np.maximum(patches.std(axis=0), 1e-6) for patches in described]),
        }
        if count > _COMPONENTS:
            scaled = zip(described, self.arrays["mean"], self.arrays["scale"], strict=True)
            bases = [_components((patches - mean) / scale) for patches, mean, scale in scaled]
            self.arrays["basis"] = np.stack(bases)
        return self

    def __call__(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Average descriptors and their products over the windows of each image."""
        moments = []
        for number, size in enumerate(SIZES):
            mean, scale = self.arrays["mean"][number], self.arrays["scale"][number]
            windows = (describe_patches(images, size) - mean) / scale
            if "basis" in self.arrays:
                windows = windows @ self.arrays["basis"][number]
            second = np.matmul(windows.transpose(0, 2, 1), windows) / windows.shape[1]
            upper = np.triu_indices(windows.shape[-1])
            moments += [windows.mean(axis=1), second[:, *upper]]
        return np.concatenate(moments, axis=1)

    def graph(self, images: Any) -> Any:
        """The same: what lies above the diagonal of the products is gathered."""
        moments = []
        for number, size in enumerate(SIZES):
            mean, scale = self.arrays["mean"][number], self.arrays["scale"][number]
            windows = (describe_patches_graph(images, size) - mean) / scale
            if "basis" in self.arrays:
                windows = tf.matmul(windows, self.arrays["basis"][number])
            count, width = windows.shape
            second = tf.matmul(windows, windows, transpose_a=True) / count
            rows, columns = np.triu_indices(width)
            upper = tf.gather(tf.reshape(second, (-1,)), rows * width + columns)
            moments += [tf.reduce_mean(windows, axis=0), upper]
        return tf.concat(moments, axis=0)[tf.newaxis]

    def multiply_adds(self) -> int:
        """Count the products of descriptors."""
        described = self.arrays["mean"].shape[1]
        each = described**2
        if "basis" in self.arrays:
            each = _COMPONENTS * (described + _COMPONENTS)
        return sum((WINDOW_SIDE // size) ** 2 * each for size in SIZES)


def _components(scaled: NDArray[np.float32]) -> NDArray[np.float32]:
    """Principal components, (number, component), of standardised descriptors, strongest last."""
    directions: NDArray[np.float32] = np.linalg.eigh(scaled.T @ scaled)[1][:, -_COMPONENTS:]
    return directions
