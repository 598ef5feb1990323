"""A U-Net on VGG16, the paper's largest model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llpbench.errors import MethodError
from llpbench_baselines.backend import keras
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.publication import PAPER
from llpbench_baselines.unet_decoder import decode, normalised_convolution

_CACHED = "models/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


class VGG16UNet(KerasMethod):
    """VGG16 down to 3x3 cells, two convolutions there, and up again to each pixel.

    Parameters
    ----------
    weights : str, optional
        Start VGG16 from ImageNet: a ``.h5`` file of Keras' weights without the top, or
        ``"imagenet"`` for the one in Keras' own cache. Nothing is downloaded. Images are then
        prepared as VGG16 knew them.
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.

    References
    ----------
    Simonyan and Zisserman, arXiv 1409.1556; Ronneberger, Fischer and Brox, MICCAI 2015.
    """

    parameters = 23748821
    non_trainable = 4032
    source = "Ramos-Pollán and González, arXiv 2306.12461"
    paper = PAPER

    def __init__(
        self,
        *,
        weights: str | None = None,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.weights = weights

    def build(self, categories: int) -> Any:
        """Take VGG16 from Keras and put the decoder on it."""
        images, scaled = self.scaled_images()
        if self.weights is not None:
            if self.input_ != ChipInput():
                raise MethodError(
                    "ImageNet weights are for red, green and blue bytes, found an "
                    f"{self.input_}: leave weights out, or build the dataset with "
                    "--bands red,green,blue"
                )
            scaled = keras.applications.vgg16.preprocess_input(256 * scaled)
        encoder = keras.applications.VGG16(
            include_top=False, weights=None, input_tensor=scaled, name="vgg16"
        )
        layers = ("block5_conv3", "block4_conv3", "block3_conv3", "block2_conv2")
        x = normalised_convolution(encoder.output, 512, "bottom_first")
        x = normalised_convolution(x, 512, "bottom_second")
        output = decode(x, [encoder.get_layer(name).output for name in layers], categories)
        return keras.Model(images, output, name="vgg16unet")

    def initialise(self, images: Any) -> None:
        """Load ImageNet weights where they are asked for."""
        if self.weights is None:
            return
        path = Path(self.weights)
        if self.weights == "imagenet":
            path = Path(keras.config.keras_home()) / _CACHED
        if not path.is_file():
            raise MethodError(f"no VGG16 weights are at {path}: put them there or leave them out")
        encoder = keras.Model(self.model_.input, self.model_.get_layer("block5_pool").output)
        try:
            encoder.load_weights(path)
        except (OSError, ValueError) as error:
            raise MethodError(
                f"{path} does not hold VGG16's weights without the top ({error})"
            ) from error
