"""What methods share that train the network of another, towards something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import xarray as xr
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.methods.registry import make_method
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.llpnet import LLPNet


class BorrowedNetwork(KerasMethod):
    """The network of another method, by default that of ``llpnet``, trained towards an objective.

    So what is compared is not the network. Shares are read out as there, by the exponent from mean
    probabilities to counted cells that fits validation divisions best.

    Parameters
    ----------
    network : str
        The method whose network is trained.
    epochs : int
        At most.
    patience : int, optional
        Stop after so many epochs without a lower validation loss.
    **training
        See :class:`~llpbench_baselines.keras_method.KerasMethod`.
    """

    parameters = LLPNet.parameters
    non_trainable = LLPNet.non_trainable
    design = LLPNet.design
    designed_on = LLPNet.designed_on

    def __init__(
        self,
        *,
        network: str = "llpnet",
        epochs: int = 40,
        learning_rate: float = 3e-3,
        patience: int | None = 8,
        **training: Any,
    ) -> None:
        super().__init__(epochs=epochs, learning_rate=learning_rate, patience=patience, **training)
        self.network = network

    def build(self, categories: int) -> Any:
        """Make the network of the other method."""
        self._other = self._make_other()
        self._other.input_ = self.input_
        self._other.model_ = self._other.build(categories)
        self.marks_integers = self._other.marks_integers
        return self._other.model_

    def find_input(self, train: xr.Dataset) -> ChipInput:
        """See what the other method would."""
        return self._make_other().find_input(train)

    def initialise(self, images: NDArray[Any]) -> None:
        """Set first weights as the other method does."""
        self._other.initialise(images)

    def _make_other(self) -> KerasNetwork:
        other = make_method(self.network, random_state=self.random_state)
        if not isinstance(other, KerasNetwork):
            raise MethodError(f"{self.network!r} has no network: give a Keras method")
        return other

    def pixels(self, output: Any) -> Any:
        """Read pixels as the other method does."""
        return self._other.pixels(output)

    def read_out(self, output: Any) -> Any:
        """Read shares as the other method does."""
        return self._other.read_out(output)

    def read_out_choice(self) -> dict[str, Any]:
        """Choose the exponent of ``llpnet``, which other methods do not have."""
        if not isinstance(self._other, LLPNet):
            return {}
        return {"validate": self._other.choose_sharpness, "read_out": [self._other._sharpness]}

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Weights as of the other method."""
        self._other.categories_ = self.categories_
        return self._other.get_weights()

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Build the network and take weights over; without an exponent, it is 1."""
        super().set_weights(weights)
        if isinstance(self._other, LLPNet) and "sharpness" in weights:
            self._other._sharpness.assign(weights["sharpness"][0])
        return self

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, Any | None]:
        """Shares and classes as the other method finds them."""
        return self._other.graph(images, numbers)
