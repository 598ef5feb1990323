"""The paper's smallest convolutional model: one layer of 4x4 patches, then a class for each."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import load_backend
from llpbench_baselines.keras_method import KerasMethod


class DownConv(KerasMethod):
    """A 4x4 convolution at stride 4 with 96 filters, ReLU, dropout, and a 1x1 softmax.

    A chip of 96x96 pixels becomes 24x24 cells with class probabilities; their mean is trained to
    match the chip's target. Against the published training, dropout is active, chips are
    shuffled anew every epoch, and the last batch is not dropped.

    Parameters
    ----------
    kernel_size, stride, filters : int
        Of the first convolution.
    dropout : float
        Share of its activations dropped in training.
    epochs, learning_rate, batch_size, random_state
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.
    """

    parameters = 4 * 4 * 3 * 96 + 96 + 96 * 5 + 5
    source = "Ramos-Pollán and González, arXiv 2306.12461"

    def __init__(
        self,
        *,
        kernel_size: int = 4,
        stride: int = 4,
        filters: int = 96,
        dropout: float = 0.1,
        epochs: int = 32,
        learning_rate: float = 1e-3,
        batch_size: int = 32,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            random_state=random_state,
        )
        self.kernel_size = kernel_size
        self.stride = stride
        self.filters = filters
        self.dropout = dropout

    def build(self, categories: int) -> Any:
        """Stack the two convolutions."""
        _tensorflow, keras = load_backend()
        layers = keras.layers
        return keras.Sequential(
            [
                layers.Input((96, 96, 3), dtype="uint8"),
                layers.Rescaling(1 / 256, name="scale"),
                layers.Conv2D(
                    self.filters,
                    self.kernel_size,
                    strides=self.stride,
                    activation="relu",
                    bias_initializer="random_normal",
                    name="patches",
                ),
                layers.Dropout(self.dropout),
                layers.Conv2D(categories, 1, activation="softmax", name="classes"),
            ],
            name="downconv",
        )

    def multiply_adds(self) -> int:
        """Each output cell of each convolution takes a product with its whole kernel."""
        cells = ((96 - self.kernel_size) // self.stride + 1) ** 2
        kernel = self.kernel_size**2 * 3 * self.filters
        return int(cells * (kernel + self.filters * len(self.categories_)))
