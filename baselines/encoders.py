"""Small networks that turn patches into codes before they are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import keras

ENCODERS = ("none", "deep", "autoencoder")


def deep_encoder(size: int, bands: int = 3) -> Any:
    """Convolve and pool twice, then two dense layers: patches (n, size * size * band) to 84."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((size * size * bands,)),
            layers.Reshape((size, size, bands)),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="first"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="second"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu", name="third"),
            layers.Dense(84, activation="relu", name="fourth"),
        ],
        name="deep",
    )


def autoencoder(size: int, bands: int = 3) -> Any:
    """The encoding half of an auto-encoder: patches (n, size * size * band) to codes (n, 64).

    Patches are enlarged to 16x16 pixels.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((size * size * bands,)),
            layers.Reshape((size, size, bands)),
            layers.Resizing(16, 16),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="first"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", name="second"),
            layers.Conv2D(128, 3, strides=2, padding="same", activation="relu", name="third"),
            layers.Flatten(),
            layers.Dense(64, name="code"),
        ],
        name="autoencoder",
    )


def learn_to_reconstruct(
    encoder: Any, patches: NDArray[np.float32], bands: int = 3, *, epochs: int = 5
) -> None:
    """Train an encoder so that a decoder, then thrown away, can redraw patches from codes.

    Patches are float32 (n, size * size * band), from 0 to 1.
    """
    layers = keras.layers
    decoder = keras.Sequential(
        [
            layers.Input((64,)),
            layers.Dense(512, activation="relu"),
            layers.Reshape((2, 2, 128)),
            layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(bands, 3, strides=2, padding="same", activation="sigmoid"),
        ]
    )
    size = round((patches.shape[1] / bands) ** 0.5)
    images = patches.reshape(-1, size, size, bands)
    flat = layers.Input(patches.shape[1:])
    model = keras.Model(flat, layers.Resizing(size, size)(decoder(encoder(flat))))
    model.compile("adam", "mse", jit_compile=False)
    model.fit(patches, images, batch_size=256, epochs=epochs, verbose=0)
