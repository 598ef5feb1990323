"""Kernel quantum measurement on patches: classes of the components that a patch resembles."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from llpbench.errors import UnknownNameError, unknown
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines import encoders
from llpbench_baselines.backend import keras
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.patches import check_patches, cut_patches, draw_patches, spread_patches
from llpbench_baselines.publication import PAPER


class QKM(KerasMethod):
    """Compare overlapping patches with learned components, each of which has class shares.

    The shares of a chip are the mean probabilities of its patches; a pixel's probabilities are
    the mean over the patches that cover it. Components start as patches of training chips, and
    the kernel's width as their mean distance.

    Parameters
    ----------
    patch_size, stride : int
        In pixels; the stride divides the patch size, and patches tile 96 pixels.
    components : int
        Number of components.
    encoder : {"none", "deep", "autoencoder"}
        What patches pass before they are compared: nothing; a small network that the components
        pass as well; or the encoding half of an auto-encoder, first trained to reconstruct
        patches, with components among its codes.
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.
    """

    parameters = 64 * (48 + 5 + 1) + 1
    source = "Ramos-Pollán and González, arXiv 2306.12461"
    paper = PAPER

    def __init__(
        self,
        *,
        patch_size: int = 4,
        stride: int = 2,
        components: int = 64,
        encoder: str = "none",
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.patch_size = patch_size
        self.stride = stride
        self.components = components
        self.encoder = encoder

    def build(self, categories: int) -> Any:
        """Cut patches and measure them."""
        from llpbench_baselines.layers import KernelMeasurement

        check_patches(self.patch_size, self.stride)
        images, scaled = self.scaled_images()
        measure = KernelMeasurement(
            self.components,
            categories,
            encoder=self._encoder(),
            encodes_components=self.encoder == "deep",
            name="measurement",
        )
        patches = cut_patches(scaled, self.patch_size, self.stride)
        return keras.Model(images, measure(patches), name="qkm")

    def _encoder(self) -> Any:
        if self.encoder not in encoders.ENCODERS:
            raise UnknownNameError(unknown("encoder", self.encoder, encoders.ENCODERS))
        makers = {"deep": encoders.deep_encoder, "autoencoder": encoders.autoencoder}
        bands = self.input_.shape[-1]
        return makers[self.encoder](self.patch_size, bands) if self.encoder in makers else None

    def initialise(self, images: NDArray[Any]) -> None:
        """Start from patches of the training chips."""
        measurement = self.model_.get_layer("measurement")
        draw = partial(
            draw_patches,
            images,
            size=self.patch_size,
            random_state=self.random_state,
            scale=self.model_.get_layer("scale"),
        )
        codes = patches = draw(self.components)
        if self.encoder == "autoencoder":
            count = min(20_000, len(images) * (WINDOW_SIDE // self.patch_size) ** 2)
            encoders.learn_to_reconstruct(measurement.encoder, draw(count), images.shape[-1])
        if self.encoder != "none":
            codes = np.asarray(measurement.encoder(patches))
        measurement.positions.assign(patches if self.encoder == "deep" else codes)
        measurement.width.assign(pdist(codes).mean())

    def pixels(self, output: Any) -> Any:
        """Average over the patches that cover each block of pixels."""
        return spread_patches(output, self.patch_size, self.stride)
