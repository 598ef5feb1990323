"""What methods that predict with a Keras network share: prediction, weights, cost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches.images import Images, iterate_images
from llpbench.errors import MethodError
from llpbench.methods.estimate import Estimate, collect
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import keras, model_graph, tf
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.exporting.exportable import Exportable, most_probable
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.losses import chip_shares


class KerasNetwork(Exportable):
    """A network from images to class probabilities, however it is trained.

    Attributes
    ----------
    model_ : keras.Model
        What :meth:`build` made, trained.
    input_ : ChipInput
        What it sees of chips: by default red, green and blue bytes.
    softness : float
        By how much :meth:`pixels` softens probabilities, see
        :class:`~llpbench.methods.estimate.Estimate`; 1 by default.
    """

    has_pixels = True
    input_: ChipInput = ChipInput()
    softness = 1.0

    @abstractmethod
    def build(self, categories: int) -> Any:
        """Make the network, for so many class groups.

        It takes images as :attr:`input_` describes them, see :meth:`scaled_images`, to
        probabilities (n, row, column, category) of cells, or to shares (n, category). One that
        takes images (n, 96, 96, 3) of uint8 whatever the dataset is for red, green and blue alone.
        """

    def scaled_images(self) -> tuple[Any, Any]:
        """Make the input of the network, and its numbers from 0 to 1.

        Bytes are divided by 256 by a layer ``scale``; other numbers are decoded and standardised
        there, by weights that are learned before any others.

        Returns
        -------
        stored, scaled : keras tensor, shape (n, 96, 96, band)
            Numbers as they are stored, and from 0 to 1.
        """
        from llpbench_baselines.layers import UnitScale

        stored = keras.layers.Input(self.input_.shape, dtype=self.input_.dtype)
        if self.input_.is_bytes:
            return stored, keras.layers.Rescaling(1 / 256, name="scale")(stored)
        return stored, UnitScale(self.input_.coding, name="scale")(stored)

    def find_input(self, train: xr.Dataset) -> ChipInput:
        """Say what the network will see of chips: by default their image."""
        return ChipInput.of(train)

    def initialise(self, images: NDArray[Any]) -> None:
        """Set first weights from data, by default none.

        Parameters
        ----------
        images : ndarray, shape (n, 96, 96, band)
            Training chips, as they are stored.
        """

    def pixels(self, output: Any) -> Any:
        """Class probabilities of a grid over the image, from the network's output.

        Parameters
        ----------
        output : tensor, shape (n, row, column, category)
            Probabilities of the cells that the network sees, from 0 to 1.

        Returns
        -------
        tensor, shape (n, row, column, category)
            On a square grid whose side divides 96; by default the output itself, enlarged to 96
            by nearest neighbour where its side does not, as the original's scoring does.
        """
        if WINDOW_SIDE % output.shape[1] == 0:
            return output
        middles = np.arange(1, 2 * WINDOW_SIDE, 2)
        nearest = middles * output.shape[1] // (2 * WINDOW_SIDE)
        return tf.gather(tf.gather(output, nearest, axis=1), nearest, axis=2)

    def read_out(self, output: Any) -> Any:
        """Shares of chips, (n, category), from the output: mean probabilities, by default.

        That is probabilities of cells (n, row, column, category), or already shares.
        """
        return chip_shares(output)

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict the shares of chips and, where the network sees cells, a segmentation."""
        return collect(self.predict_batches(ds), ds["chip"].to_numpy(), self.categories_)

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        """Class probabilities of the grid that the network sees, 32 chips at a time."""
        for chips, images in self._batches(ds):
            yield chips, self._read(images)[1].numpy()

    def predict_batches(self, ds: xr.Dataset) -> Iterator[Estimate]:
        """Shares and probabilities of cells from one pass, 32 chips at a time."""
        for _chips, images in self._batches(ds):
            shares, *pixels = (part.numpy() for part in self._read(images))
            flat = pixels[0].reshape(len(shares), -1, shares.shape[-1]) if pixels else None
            yield Estimate(shares, flat, follow=bool(pixels), softness=self.softness)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Weights by the path of their layer, category names, and what it sees of chips."""
        weights = {variable.path: np.asarray(variable) for variable in self.model_.weights}
        return {**weights, "categories": self.categories_, **self.input_.to_weights()}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Build the network and take weights over, by the path of their layer."""
        self.input_ = ChipInput.of_weights(weights)
        self._build(weights["categories"])
        for variable in self.model_.weights:
            variable.assign(weights[variable.path])
        return self

    def multiply_adds(self) -> int:
        """Multiply-adds of the network's products, counted on its graph for one chip."""
        from llpbench_baselines.graph_cost import count_multiply_adds

        return count_multiply_adds(self.model_)

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, Any | None]:
        """Shares and classes by the network as it is."""
        shares, *pixels = self._estimate(images)
        return shares, most_probable(pixels[0]) if pixels else None

    def _build(self, categories: NDArray[np.str_]) -> None:
        """Make the network and the graph that predicts with it."""
        self.categories_ = categories
        self.array = self.input_.array
        self.model_ = self.build(len(categories))
        taken = self.model_.input
        if (tuple(taken.shape[1:]), taken.dtype) != (self.input_.shape, self.input_.dtype):
            raise MethodError(
                f"{type(self).__name__} takes images {tuple(taken.shape[1:])} of {taken.dtype}, "
                f"found an {self.input_}: build the dataset with other bands, or the network with "
                "scaled_images()"
            )

        self._read = model_graph(self.model_, self._estimate)

    def _estimate(self, images: Any) -> tuple[Any, ...]:
        """Shares of chips and, where the network sees cells, probabilities of pixels."""
        output = self.model_(images, training=False)
        if len(output.shape) == 2:
            return (output,)
        return self.read_out(output), self.pixels(output)

    def _adapt_scale(self, images: Images) -> None:
        """Learn the scale of numbers that are no bytes, from training chips."""
        if not self.input_.is_bytes:
            self.model_.get_layer("scale").adapt(images.sample(self.settings["random_state"]))

    def _batches(self, ds: xr.Dataset) -> Iterator[tuple[NDArray[np.str_], NDArray[Any]]]:
        """Images in batches that stay in a processor's cache."""
        self.input_.check(ds)
        for chips, images in iterate_images(ds, array=self.input_.array):
            for start in range(0, len(chips), 32):
                batch = slice(start, start + 32)
                yield chips[batch], images[batch]
