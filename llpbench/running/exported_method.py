"""A file as a method: predicted, checked and scored as what it was made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.batches.images import iterate_images, read_coding
from llpbench.data.imagery import DIMS
from llpbench.errors import MethodError, examples
from llpbench.exported.card import Card
from llpbench.exported.process import FileProcess
from llpbench.methods.estimate import Estimate
from llpbench.methods.method import Method

if TYPE_CHECKING:
    import xarray as xr


class ExportedMethod(Method):
    """An exported file in place of the method that it was made of.

    Parameters
    ----------
    card : Card
        What the file says of itself.
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self.supervision, self.is_reference = card.supervision, card.is_reference
        self.categories_ = np.array(card.classes)

    def begin(self, process: FileProcess, on_chip: Callable[[], object]) -> None:
        """Take the process that has the file open, and what is called after each chip."""
        self._process, self._on_chip = process, on_chip

    def predict_batches(self, ds: xr.Dataset) -> Iterator[Estimate]:
        """Predict chips one by one, as on board."""
        for _chips, images in iterate_images(ds, array=self._card.array):
            shares, classes = zip(*map(self._predict, images), strict=True)
            has_pixels = self._card.grid is not None
            yield Estimate(np.stack(shares), classes=np.stack(classes) if has_pixels else None)

    def _predict(self, image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        found = self._process.answer(image)
        self._on_chip()
        return found


def check_images(card: Card, ds: xr.Dataset) -> None:
    """Refuse chips that are not what a file takes.

    Raises
    ------
    MethodError
        If there is no such array, or its bands or numbers are others.
    """
    coding, dtype = read_coding(ds, card.array)
    dim = DIMS[card.array][-1]
    bands = tuple(ds[dim].to_numpy().astype(str).tolist()) if dim in ds.coords else card.bands
    for what, expected, found in (
        ("bands", card.bands, bands),
        ("numbers", card.dtype, str(dtype)),
        ("coding", card.coding, coding),
        ("sizes", card.shape[2], ds.sizes[dim]),
    ):
        if expected != found:
            raise MethodError(
                f"the file takes the {what} {_shown(expected)}, the {card.array} of the dataset "
                f"has {_shown(found)}: predict a dataset that was built in the same way"
            )


def _shown(value: object) -> str:
    return examples(value) if isinstance(value, tuple) else str(value)
