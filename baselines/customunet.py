"""The paper's own small U-Net."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import keras
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.publication import PAPER

_LEVELS = ((16, 0.1), (32, 0.1), (64, 0.2), (128, 0.2))
"""Filters and dropout of each level, from the full resolution down."""


class CustomUNet(KerasMethod):
    """Four levels of paired 3x3 convolutions down to 12x12 cells, and up again to each pixel.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.

    References
    ----------
    Ronneberger, Fischer and Brox, U-Net, MICCAI 2015; in this form Ramos-Pollán and González,
    arXiv 2306.12461.
    """

    parameters = 482101
    source = "Ramos-Pollán and González, arXiv 2306.12461"
    paper = PAPER

    def build(self, categories: int) -> Any:
        """Go down, then up with what the way down saw at each level."""
        layers = keras.layers
        images, x = self.scaled_images()
        seen = []
        for level, (filters, dropout) in enumerate(_LEVELS):
            x = _pair(layers.MaxPooling2D()(x) if level else x, filters, dropout, f"down{level}")
            seen.append(x)
        for level, (filters, dropout) in reversed(list(enumerate(_LEVELS[:-1]))):
            x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"up{level}_enlarge")(x)
            x = layers.Concatenate()([x, seen[level]])
            x = _pair(x, filters, dropout, f"up{level}")
        output = layers.Conv2D(categories, 1, activation="softmax", name="classes")(x)
        return keras.Model(images, output, name="customunet")


def _pair(x: Any, filters: int, dropout: float, name: str) -> Any:
    """Two convolutions with dropout between them."""
    from llpbench_baselines.layers import ByteDropout

    def convolution(which: str) -> Any:
        return keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"{name}_{which}",
        )

    return convolution("second")(ByteDropout(dropout)(convolution("first")(x)))
