"""The paper's smallest convolutional model: one layer of 4x4 patches, then a class for each."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import keras
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.patches import cut_patches
from llpbench_baselines.publication import PAPER


class DownConv(KerasMethod):
    """A 4x4 convolution at stride 4 with 96 filters, ReLU, dropout, and a 1x1 softmax.

    A chip of 96x96 pixels becomes 24x24 cells with class probabilities; their mean is trained to
    match the chip's target. Against the published training, dropout is active, chips are
    shuffled anew every epoch, the last batch is not dropped, weights are averaged over steps,
    and Adam's rate is three times the published 1e-3, at which 60 epochs end far from converged.

    Parameters
    ----------
    kernel_size, stride, filters : int
        Of the first convolution.
    dropout : float
        Share of its activations dropped in training.
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.
    """

    parameters = 4 * 4 * 3 * 96 + 96 + 96 * 5 + 5
    source = "Ramos-Pollán and González, arXiv 2306.12461"
    paper = PAPER
    design = f"The rate was chosen on a semi-real region. {KerasMethod.design}"

    ranges = MappingProxyType({"dropout": (0.0, 0.95), "kernel_size": (1, 96), "stride": (1, 96)})

    def __init__(
        self,
        *,
        kernel_size: int = 4,
        stride: int = 4,
        filters: int = 96,
        dropout: float = 0.1,
        learning_rate: float = 3e-3,
        **training: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **training)
        self.kernel_size = kernel_size
        self.stride = stride
        self.filters = filters
        self.dropout = dropout

    def build(self, categories: int) -> Any:
        """Stack the two convolutions."""
        from llpbench_baselines.layers import ByteDropout

        layers = keras.layers
        images, scaled = self.scaled_images()
        hidden = ByteDropout(self.dropout)(self._convolve(scaled))
        classes = layers.Dense(categories, activation="softmax", name="classes")(hidden)
        side = 1 + (WINDOW_SIDE - self.kernel_size) // self.stride
        output = keras.ops.reshape(classes, (-1, side, side, categories))
        return keras.Model(images, output, name="downconv")

    def _convolve(self, images: Any) -> Any:
        """Apply the first convolution, as one product of two matrices where no patches overlap."""
        size, stride = self.kernel_size, self.stride
        if size == stride and WINDOW_SIDE % size == 0:
            patches = cut_patches(images, size, stride)
            rows = keras.ops.reshape(patches, (-1, patches.shape[-1]))
            return keras.layers.Dense(self.filters, activation="relu", name="patches")(rows)
        return keras.layers.Conv2D(
            self.filters, size, strides=stride, activation="relu", name="patches"
        )(images)
