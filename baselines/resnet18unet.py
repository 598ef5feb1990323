"""A U-Net on ResNet-18."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import keras
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.publication import PAPER
from llpbench_baselines.unet_decoder import decode, normalised_convolution

_STAGES = (64, 128, 256, 512)


class ResNet18UNet(KerasMethod):
    """ResNet-18 down to 3x3 cells and up again to each pixel.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.

    References
    ----------
    He, Zhang, Ren and Sun, arXiv 1512.03385, table 1; Ronneberger, Fischer and Brox, MICCAI 2015.
    """

    parameters = 14328789
    non_trainable = 11584
    source = "Ramos-Pollán and González, arXiv 2306.12461; encoder He et al., arXiv 1512.03385"
    paper = PAPER

    def build(self, categories: int) -> Any:
        """Stack four stages of two residual blocks, then the decoder."""
        layers = keras.layers
        images, x = self.scaled_images()
        x = normalised_convolution(x, 64, "stem", size=7, stride=2)
        seen = [x]
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        for stage, filters in enumerate(_STAGES):
            x = _residual(x, filters, f"stage{stage}_first", stride=2 if stage else 1)
            x = _residual(x, filters, f"stage{stage}_second")
            seen.append(x)
        output = decode(x, seen[-2::-1], categories)
        return keras.Model(images, output, name="resnet18unet")


def _residual(x: Any, filters: int, name: str, *, stride: int = 1) -> Any:
    """Two convolutions around which the input is passed, projected where its shape changes."""
    layers = keras.layers

    def plain(x: Any, size: int, stride: int, name: str) -> Any:
        convolution = layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="same",
            use_bias=False,
            name=f"{name}_convolution",
        )
        return layers.BatchNormalization(name=f"{name}_normalisation")(convolution(x))

    past = plain(x, 1, stride, f"{name}_past") if stride > 1 else x
    x = normalised_convolution(x, filters, f"{name}_a", stride=stride)
    return layers.ReLU()(layers.Add()([past, plain(x, 3, 1, f"{name}_b")]))
