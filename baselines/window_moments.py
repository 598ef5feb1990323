"""Moments of colour and texture over windows of several sizes."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.chip_features import FeatureSet
from llpbench_baselines.patch_words import DESCRIPTORS, describe_patches

SIZES = (4, 12, 24, 48)
"""Sides of the windows in pixels: 40 m to 480 m."""

_UPPER = np.triu_indices(DESCRIPTORS)


class WindowMoments(FeatureSet):
    """First and second moments of the colour and texture of windows.

    A window is described as a patch is, by the means and the logarithms of the spreads of its
    bands. For each size of windows, the features of a chip are the means over its windows of the
    standardised descriptors and of their products in pairs: 27 numbers.
    """

    name: ClassVar[str] = "moments"

    def learn(self, images: NDArray[np.uint8], generator: np.random.Generator) -> Self:
        """Find mean and standard deviation of each descriptor."""
        described = [describe_patches(images, size).reshape(-1, DESCRIPTORS) for size in SIZES]
        self.arrays = {
            "mean": np.stack([patches.mean(axis=0) for patches in described]),
            "scale": np.stack([np.maximum(patches.std(axis=0), 1e-6) for patches in described]),
        }
        return self

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Average descriptors and their products over the windows of each image."""
        moments = []
        for size, mean, scale in zip(SIZES, self.arrays["mean"], self.arrays["scale"], strict=True):
            windows = (describe_patches(images, size) - mean) / scale
            second = np.matmul(windows.transpose(0, 2, 1), windows) / windows.shape[1]
            moments += [windows.mean(axis=1), second[:, *_UPPER]]
        return np.concatenate(moments, axis=1)

    def multiply_adds(self) -> int:
        """Count the products of descriptors."""
        return sum((WINDOW_SIDE // size) ** 2 * DESCRIPTORS**2 for size in SIZES)
