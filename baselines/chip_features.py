"""Features of chips for closed-form methods, from one or several sets of features.

A set is learned from training images and then turns each image into a row of numbers; images
pass by in blocks, so that memory holds the rows alone. Bytes are taken as they are; of all other
numbers, and of the cells of embeddings, a scale makes numbers as large as bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches.images import iterate_images, load_images
from llpbench.errors import MethodError
from llpbench.methods.method import Progress
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import tf
from llpbench_baselines.byte_scale import ByteScale
from llpbench_baselines.chip_input import ChipInput

LEARNED_FROM = 1400
"""Chips whose images a set is learned from, at most."""
_LEARNED_BYTES = 2**28
"""Bytes of these as float32, at most: chips of many bands are fewer."""

_BLOCK, _BLOCK_BYTES = 256, 2**25


class FeatureSet(ABC):
    """A way to describe a chip by numbers.

    Attributes
    ----------
    arrays : dict of str to ndarray
        All that :meth:`learn` learned.
    """

    name: ClassVar[str]
    arrays: dict[str, NDArray[Any]]

    @abstractmethod
    def learn(self, images: NDArray[Any], generator: np.random.Generator) -> Self:
        """Learn the set from the images of random chips."""

    @abstractmethod
    def __call__(self, images: NDArray[Any]) -> NDArray[np.floating]:
        """Describe score windows by rows (n, feature), not standardised.

        ``images`` are (n, 96, 96, band), or cells (n, 24, 24, feature): uint8, or float32 from 0
        to 255.
        """

    @abstractmethod
    def multiply_adds(self) -> int:
        """Count the multiply-adds to describe one chip."""

    def graph(self, images: Any) -> Any:
        """Describe one score window, (1, 96, 96, band) or cells, by a tensor (1, feature)."""
        raise MethodError(f"features {self.name!r} cannot be exported: they are written in numpy")

    def score_graph(
        self, images: Any, coefficients: NDArray[np.float32]
    ) -> tuple[Any, NDArray[np.float32]]:
        """What the features of one score window add to scores.

        Parameters
        ----------
        images : tensor
            As for :meth:`graph`.
        coefficients : ndarray of float32, shape (feature, score)
            Those of this set, then those of others.

        Returns
        -------
        scores : tensor, shape (1, score)
            Products of the features with their coefficients.
        coefficients : ndarray of float32, shape (feature, score)
            Those of others.
        """
        features = self.graph(images)
        count = features.shape[1]
        return tf.matmul(features, coefficients[:count]), coefficients[count:]


class ChipFeatures:
    """Several sets of features side by side.

    Parameters
    ----------
    sets : sequence of FeatureSet
        In the order of what they give.
    array : {"image", "embedding"}, optional
        What they describe; by default the image, or the embedding where there is no image.

    Attributes
    ----------
    input : ChipInput
        What they were learned from.
    scale : ByteScale or None
        What its numbers pass through; None for bytes.
    """

    def __init__(self, sets: Sequence[FeatureSet], array: str | None = None) -> None:
        self.sets, self._array = sets, array
        self.input = ChipInput()
        self.scale: ByteScale | None = None

    def learn(self, train: xr.Dataset, random_state: int) -> Self:
        """Learn every set from the images of random chips.

        Parameters
        ----------
        train : Dataset
            With ``image`` or ``embedding``.
        random_state : int
            Seed of the choice of chips, and of all that the sets draw.
        """
        self.input = (
            ChipInput.any_of(train) if self._array is None else ChipInput.of(train, self._array)
        )
        generator = np.random.default_rng(random_state)
        count = min(train.sizes["chip"], LEARNED_FROM, self._fitting(_LEARNED_BYTES))
        chosen = np.sort(generator.choice(train.sizes["chip"], count, replace=False))
        images = load_images(train.isel(chip=chosen), self.input.array)
        if not self.input.is_bytes:
            self.scale = ByteScale.learn(images, self.input.coding)
            images = self.scale(images)
        for features in self.sets:
            features.learn(images, generator)
        return self

    def compute(self, ds: xr.Dataset, progress: Progress | None = None) -> NDArray[np.float64]:
        """Describe every chip of a dataset: float64 (chip, feature), the sets side by side.

        Features are not standardised.
        """
        size = min(_BLOCK, self._fitting(_BLOCK_BYTES))
        blocks: Any = self.read(ds, size)
        if progress is not None:
            blocks = progress(blocks, total=-(-ds.sizes["chip"] // size), desc="describing chips")
        rows = [
            np.concatenate([features(images) for features in self.sets], axis=1, dtype=np.float64)
            for _chips, images in blocks
        ]
        return np.concatenate(rows)

    def read(
        self, ds: xr.Dataset, batch_size: int | None = None
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[Any]]]:
        """Read ids and images of chips, in order, as sets describe them.

        Raises
        ------
        MethodError
            If they are of another kind than those learned from.
        """
        self.input.check(ds)
        for chips, images in iterate_images(ds, batch_size, self.input.array):
            yield chips, images if self.scale is None else self.scale(images)

    def graph(
        self, images: Any, coefficients: NDArray[np.float64], intercept: NDArray[np.float64]
    ) -> Any:
        """Scores of one stored chip, (1, score): its features times coefficients, and more."""
        scaled, rows = self.scaled(images), coefficients.astype(np.float32)
        scores = intercept.astype(np.float32)
        for features in self.sets:
            added, rows = features.score_graph(scaled, rows)
            scores = added + scores
        return scores

    def scaled(self, images: Any) -> Any:
        """What sets see of stored chips, as a tensor."""
        return images if self.scale is None else self.scale.graph(images)

    def multiply_adds(self) -> int:
        """Count the multiply-adds to describe one chip."""
        return sum(features.multiply_adds() for features in self.sets)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """All that was learned, by set and name."""
        scale = {}
        if self.scale is not None:
            scale = {"scale/centre": self.scale.centre, "scale/spread": self.scale.spread}
        return {
            **self.input.to_weights(),
            **scale,
            **{
                f"{features.name}/{key}": array
                for features in self.sets
                for key, array in features.arrays.items()
            },
        }

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take over the arrays of :meth:`get_weights`; other names are ignored."""
        self.input = ChipInput.of_weights(weights)
        if not self.input.is_bytes:
            learned = (weights[f"scale/{name}"] for name in ("centre", "spread"))
            self.scale = ByteScale(self.input.coding, *learned)
        for features in self.sets:
            start = f"{features.name}/"
            features.arrays = {
                key.removeprefix(start): array
                for key, array in weights.items()
                if key.startswith(start)
            }
        return self

    def _fitting(self, most_bytes: int) -> int:
        """Chips whose numbers take so many bytes as float32, one at least."""
        return int(max(1, most_bytes // (4 * prod(self.input.shape))))


def numbers_along(images: NDArray[Any], size: int) -> int:
    """How many numbers of images, which may be cells, lie along so many pixels.

    Raises
    ------
    MethodError
        If cells would be cut.

    Examples
    --------
    >>> numbers_along(np.zeros((1, 96, 96, 3)), 8), numbers_along(np.zeros((1, 24, 24, 64)), 8)
    (8, 2)
    """
    pixels = WINDOW_SIDE // images.shape[1]
    if size % pixels:
        raise MethodError(
            f"patches of an embedding are of whole cells of {pixels} pixels, so their size must be "
            f"a multiple of that, found {size}"
        )
    return size // pixels
