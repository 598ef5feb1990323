"""What the Keras methods share: targets from a dataset, training, prediction, weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.batches import iterate_images, load_images
from llpbench.catalog import unknown
from llpbench.errors import MethodError, UnknownNameError
from llpbench.journal import Journal
from llpbench.method import IterativeMethod, Progress
from llpbench.predictions import make_predictions
from llpbench_baselines.backend import load_backend
from llpbench_baselines.losses import SHARE_LOSSES, Loss, chip_shares
from llpbench_baselines.training import Examples, train_model
from llpbench_baselines.validation import Validation


class KerasMethod(IterativeMethod):
    """A network from images to class probabilities, trained on chip targets.

    Subclasses pass on what their constructors do not name.

    Parameters
    ----------
    epochs : int
        Passes over the training chips.
    learning_rate : float
        Of Adam.
    batch_size : int
        Chips in a step.
    random_state : int
        Seed of the first weights, of dropout and of the order of chips.
    loss : {"squared", "cross-entropy", "divergence", "super-resolution"}
        Of the shares, see :mod:`llpbench_baselines.losses`.
    patience : int, optional
        Stop after so many epochs without a lower validation loss.
    deterministic : bool
        Whether the same seed gives the same bits on one machine, at some cost of speed. Once
        asked for, it holds for the whole process.

    Attributes
    ----------
    model_ : keras.Model
    history_ : list of dict
        Training loss, validation loss and validation MAE by epoch.
    """

    losses: ClassVar[Mapping[str, Callable[[NDArray[np.float32]], Loss]]] = SHARE_LOSSES

    def __init__(
        self,
        *,
        epochs: int = 32,
        learning_rate: float = 1e-4,
        batch_size: int = 32,
        random_state: int = 0,
        loss: str = "squared",
        patience: int | None = None,
        deterministic: bool = False,
    ) -> None:
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state
        self.loss = loss
        self.patience = patience
        self.deterministic = deterministic

    @abstractmethod
    def build(self, categories: int) -> Any:
        """Make the network.

        Parameters
        ----------
        categories : int
            Number of class groups.

        Returns
        -------
        keras.Model
            Images (n, 96, 96, 3) of uint8, scaled to 0..1 by its layer ``scale``, to
            probabilities (n, row, column, category) of cells, or to shares (n, category).
        """

    def initialise(self, images: NDArray[np.uint8]) -> None:
        """Set first weights from data, by default none.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, 96, 96, 3)
            Training chips.
        """

    def targets(self, ds: xr.Dataset) -> NDArray[Any]:
        """Say what the network is to be trained on.

        Parameters
        ----------
        ds : Dataset
            A split behind the label firewall of this method's supervision.

        Returns
        -------
        ndarray, shape (n, ...)
            By default ``target``; NaN where a chip has none.
        """
        targets: NDArray[Any] = ds["target"].to_numpy()
        return targets

    def make_loss(self, class_weights: NDArray[np.float32]) -> Loss:
        """Say how far the network's output is from the targets.

        Parameters
        ----------
        class_weights : ndarray of float32, shape (category,)

        Returns
        -------
        callable
            By default the paper's, see :func:`~llpbench_baselines.losses.squared_shares`.

        Raises
        ------
        UnknownNameError
            If this method has no such loss.
        """
        if self.loss not in self.losses:
            raise UnknownNameError(unknown("loss", self.loss, self.losses))
        return self.losses[self.loss](class_weights)

    def pixels(self, output: Any) -> Any:
        """Class probabilities of a grid over the image, from the network's output.

        Parameters
        ----------
        output : tensor, shape (n, row, column, category)

        Returns
        -------
        tensor, shape (n, row, column, category)
            On a square grid whose side divides 96; by default the output itself, enlarged to 96
            by nearest neighbour where its side does not, as the original's scoring does.
        """
        tensorflow, _keras = load_backend()
        if 96 % output.shape[1] == 0:
            return output
        return tensorflow.image.resize(output, (96, 96), "nearest")

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        journal: Journal | None = None,
    ) -> Self:
        """Train on the chips that have a target; chips outside every division have none."""
        tensorflow, keras = load_backend()
        if self.patience is not None and self.patience < 1:
            raise MethodError(f"patience is a number of epochs from 1 on, found {self.patience}")
        if self.deterministic:
            tensorflow.config.experimental.enable_op_determinism()
        groups = train.llp.label_set.groups
        loss = self.make_loss(np.array([group.weight for group in groups], dtype=np.float32))
        keras.utils.set_random_seed(self.random_state)
        self._build(train["category_name"].to_numpy())
        examples = self._examples(train)
        self.initialise(examples.images)
        self.history_ = train_model(
            self.model_,
            examples,
            Validation.of(val),
            loss=loss,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            random_state=self.random_state,
            patience=self.patience,
            journal=journal,
            progress=progress,
        )
        return self

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict the shares of chips and, where the network sees cells, a segmentation."""
        found = [self._read(images) for _chips, images in _batches(ds)]
        shares, *classes = (np.concatenate(part) for part in zip(*found, strict=True))
        return make_predictions(ds["chip"].to_numpy(), self.categories_, shares, *classes)

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        """Class probabilities of the grid that the network sees, 32 chips at a time."""
        for chips, images in _batches(ds):
            yield chips, self._probabilities(images).numpy()

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
        """Make the network and the graphs that predict with it."""
        tensorflow, _keras = load_backend()
        self.categories_ = categories
        self.model_ = self.build(len(categories))
        images = tensorflow.TensorSpec([None, 96, 96, 3], tensorflow.uint8)

        def probabilities(images: Any) -> Any:
            return self.pixels(self.model_(images, training=False))

        def read(images: Any) -> Any:
            output = self.model_(images, training=False)
            if len(output.shape) == 2:
                return (output,)
            classes = tensorflow.argmax(self.pixels(output), axis=-1)
            return chip_shares(output), tensorflow.cast(classes, tensorflow.uint8)

        self._probabilities = tensorflow.function(probabilities, [images], autograph=False)
        self._read = tensorflow.function(read, [images], autograph=False)

    def _examples(self, ds: xr.Dataset) -> Examples:
        """Images and targets of the chips that have a target."""
        targets = self.targets(ds)
        known = np.isfinite(targets).reshape(len(targets), -1).all(axis=1)
        return Examples(load_images(ds.isel(chip=known)), targets[known])


def _batches(ds: xr.Dataset) -> Iterator[tuple[NDArray[np.str_], NDArray[np.uint8]]]:
    """Images in batches that stay in a processor's cache."""
    for chips, images in iterate_images(ds):
        for start in range(0, len(chips), 32):
            batch = slice(start, start + 32)
            yield chips[batch], images[batch]
