"""Gaussian-mixture prototypes: a density of patches whose parts have class shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import keras
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.patches import check_patches, cut_patches, draw_patches, spread_patches


class GMM(KerasMethod):
    """A mixture of Gaussians over patches, trained on their likelihood and on chip targets.

    Each prototype has a mean, one variance and class probabilities; a patch gets those of the
    prototypes it may come from. The loss is the mean negative log-likelihood of the patches plus
    the loss of the shares; the best weights are those of the best validation shares alone.

    Parameters
    ----------
    patch_size, stride : int
        In pixels; the stride divides the patch size, and patches tile 96 pixels.
    prototypes : int
        Number of Gaussians.
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.
    """

    parameters = 64 * (48 + 1 + 5)
    source = "the probabilistic per-chip estimator of Ramos-Pollán and González's published code"

    def __init__(
        self,
        *,
        patch_size: int = 4,
        stride: int = 4,
        prototypes: int = 64,
        learning_rate: float = 1e-3,
        **training: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **training)
        self.patch_size = patch_size
        self.stride = stride
        self.prototypes = prototypes

    def build(self, categories: int) -> Any:
        """Cut patches and weigh the prototypes they may come from."""
        from llpbench_baselines.layers import GaussianPrototypes

        check_patches(self.patch_size, self.stride)
        images, scaled = self.scaled_images()
        patches = cut_patches(scaled, self.patch_size, self.stride)
        weigh = GaussianPrototypes(self.prototypes, categories, name="prototypes")
        return keras.Model(images, weigh(patches), name="gmm")

    def initialise(self, images: NDArray[Any]) -> None:
        """Start with means at patches of the training chips, and the variance among them."""
        scale = self.model_.get_layer("scale")
        patches = draw_patches(
            images, self.prototypes, self.patch_size, self.random_state, scale=scale
        )
        prototypes = self.model_.get_layer("prototypes")
        prototypes.means.assign(patches)
        variance = max(float(patches.var(axis=0).mean()), 1e-4)
        prototypes.log_variances.assign(np.full(self.prototypes, np.log(variance)))

    def pixels(self, output: Any) -> Any:
        """Average over the patches that cover each block of pixels."""
        return spread_patches(output, self.patch_size, self.stride)
