"""A convolutional regression of shares, without pixels."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import keras
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.publication import PAPER


class ConvRegr(KerasMethod):
    """Three 11x11 convolutions and three dense layers from an image to its class shares.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.
    """

    parameters = 68437
    source = "Ramos-Pollán and González, arXiv 2306.12461"
    paper = PAPER

    has_pixels = False

    def build(self, categories: int) -> Any:
        """Stack convolutions, pooling and dense layers."""
        from llpbench_baselines.layers import ByteDropout

        layers = keras.layers
        images, x = self.scaled_images()
        for number, stride in enumerate((2, 2, 4)):
            name = f"convolution{number}"
            x = layers.Conv2D(16, 11, strides=stride, padding="same", activation="elu", name=name)(
                x
            )
            x = ByteDropout(0.2)(layers.MaxPooling2D()(x))
        x = layers.Dense(16, activation="elu", name="first")(layers.Flatten()(x))
        x = layers.Dense(16, activation="elu", name="second")(x)
        output = layers.Dense(categories, activation="softmax", name="classes")(x)
        return keras.Model(images, output, name="convregr")
