"""The decoder that the U-Nets on known encoders share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llpbench_baselines.backend import keras

_FILTERS = (256, 128, 64, 32, 16)


def normalised_convolution(
    x: Any, filters: int, name: str, *, size: int = 3, stride: int = 1
) -> Any:
    """Apply a convolution without bias, batch normalisation, ReLU.

    Parameters
    ----------
    name : str
        Of the layers.
    """
    layers = keras.layers
    x = layers.Conv2D(
        filters, size, strides=stride, padding="same", use_bias=False, name=f"{name}_convolution"
    )(x)
    return layers.ReLU()(layers.BatchNormalization(name=f"{name}_normalisation")(x))


def decode(x: Any, seen: Sequence[Any], categories: int) -> Any:
    """Go up from 3x3 cells to the probabilities of each of 96x96 pixels.

    Parameters
    ----------
    x : keras tensor, shape (n, 3, 3, filters)
        The encoder's last output.
    seen : sequence of keras tensor
        Its outputs at 6, 12, 24 and 48 cells a side.
    categories : int
        Number of class groups.

    Returns
    -------
    keras tensor, shape (n, 96, 96, category)
        From 0 to 1; each pixel's sum to 1.
    """
    layers = keras.layers
    for level, (filters, joined) in enumerate(zip(_FILTERS, [*seen, None], strict=True)):
        x = layers.UpSampling2D()(x)
        if joined is not None:
            x = layers.Concatenate()([x, joined])
        x = normalised_convolution(x, filters, f"up{level}_first")
        x = normalised_convolution(x, filters, f"up{level}_second")
    return layers.Conv2D(categories, 3, padding="same", activation="softmax", name="classes")(x)
