"""What methods that predict with a Keras network share: prediction, weights, cost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches.images import iterate_images
from llpbench.methods.estimate import Estimate, collect
from llpbench.methods.method import Method
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import image_graph, tf
from llpbench_baselines.losses import chip_shares


class KerasNetwork(Method):
    """A network from images to class probabilities, however it is trained.

    Attributes
    ----------
    model_ : keras.Model
        What :meth:`build` made, trained.
    """

    has_pixels = True

    @abstractmethod
    def build(self, categories: int) -> Any:
        """Make the network, for so many class groups.

        It takes images (n, 96, 96, 3) of uint8, scaled to 0..1 by its layer ``scale``, to
        probabilities (n, row, column, category) of cells, or to shares (n, category).
        """

    def initialise(self, images: NDArray[np.uint8]) -> None:
        """Set first weights from data, by default none.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, 96, 96, 3)
            Training chips.
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
        return tf.image.resize(output, (WINDOW_SIDE, WINDOW_SIDE), "nearest")

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
        for chips, images in _batches(ds):
            yield chips, self._read(images)[1].numpy()

    def predict_batches(self, ds: xr.Dataset) -> Iterator[Estimate]:
        """Shares and probabilities of cells from one pass, 32 chips at a time."""
        for _chips, images in _batches(ds):
            shares, *pixels = (part.numpy() for part in self._read(images))
            flat = [part.reshape(len(part), -1, part.shape[-1]) for part in pixels]
            yield Estimate(shares, *flat)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Weights by the path of their layer, and category names."""
        weights = {variable.path: np.asarray(variable) for variable in self.model_.weights}
        return {**weights, "categories": self.categories_}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Build the network and take weights over, by the path of their layer."""
        self._build(weights["categories"])
        for variable in self.model_.weights:
            variable.assign(weights[variable.path])
        return self

    def multiply_adds(self) -> int:
        """Multiply-adds of the network's products, counted on its graph for one chip."""
        from llpbench_baselines.graph_cost import count_multiply_adds

        return count_multiply_adds(self.model_)

    def _build(self, categories: NDArray[np.str_]) -> None:
        """Make the network and the graph that predicts with it."""
        self.categories_ = categories
        self.model_ = self.build(len(categories))

        def read(images: Any) -> Any:
            output = self.model_(images, training=False)
            if len(output.shape) == 2:
                return (output,)
            return self.read_out(output), self.pixels(output)

        self._read = image_graph(read)


def _batches(ds: xr.Dataset) -> Iterator[tuple[NDArray[np.str_], NDArray[np.uint8]]]:
    """Images in batches that stay in a processor's cache."""
    for chips, images in iterate_images(ds):
        for start in range(0, len(chips), 32):
            batch = slice(start, start + 32)
            yield chips[batch], images[batch]
