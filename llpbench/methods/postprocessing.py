"""What a post-processor is, and finding post-processors by entry point."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import UnknownNameError, unknown

if TYPE_CHECKING:
    import xarray as xr

ENTRY_POINTS = "llpbench.post"
"""The entry-point group in which any package can offer post-processors."""


@dataclass(frozen=True)
class Estimate:
    """What is predicted of some chips.

    Parameters
    ----------
    shares : ndarray of float64, shape (chip, category)
    pixels : ndarray of float32, shape (chip, pixel, category), or None
        Class probabilities, where the method has them.
    are_means : bool
        Whether the shares are the means of the pixels.
    """

    shares: NDArray[np.float64]
    pixels: NDArray[np.float32] | None = None
    are_means: bool = False

    @classmethod
    def of_pixels(cls, pixels: NDArray[np.float32]) -> Estimate:
        """Take the mean probabilities of pixels for the shares.

        Parameters
        ----------
        pixels : ndarray of float32, shape (chip, pixel, category)

        Returns
        -------
        Estimate
        """
        return cls(pixels.mean(axis=1, dtype=np.float64), pixels, True)


Transform: TypeAlias = Callable[[Estimate, slice], Estimate]
"""Takes the predictions of some chips, and which of all chips they are, to better ones."""


class PostProcessor:
    """Something done to the predictions of a fitted method.

    Attributes
    ----------
    track : {"inductive", "disaggregation"}
        What it may see of the chips whose predictions it changes.
    needs_pixels : bool
        Whether it works on the class probabilities of pixels.
    """

    track: ClassVar[str] = "inductive"
    needs_pixels: ClassVar[bool] = False

    def fit(self, train: Estimate, val: Estimate, ds: xr.Dataset) -> Self:
        """Choose parameters, by default none.

        Parameters
        ----------
        train : Estimate
            Predictions of some training chips.
        val : Estimate
            Predictions of all validation chips.
        ds : Dataset
            The validation split, without any label of a chip or pixel.

        Returns
        -------
        PostProcessor
            Itself.
        """
        return self

    def transform(self, estimate: Estimate) -> Estimate:
        """Change the predictions of chips, each on its own.

        Parameters
        ----------
        estimate : Estimate

        Returns
        -------
        Estimate
        """
        raise NotImplementedError

    def prepare(self, estimate: Estimate, ds: xr.Dataset) -> Transform:
        """Look at all chips before the predictions of any are changed; by default, do not look.

        Parameters
        ----------
        estimate : Estimate
            Predictions of all chips, with few pixels; of no chip if the track is inductive.
        ds : Dataset
            What the track may see of these chips.

        Returns
        -------
        callable
            Changes the predictions of some of them, with all their pixels.
        """
        return lambda some, _rows: self.transform(some)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """All that :meth:`fit` chose, as named arrays.

        Returns
        -------
        dict of str to ndarray
        """
        return {}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Become the post-processor that :meth:`get_weights` described.

        Parameters
        ----------
        weights : mapping of str to ndarray

        Returns
        -------
        PostProcessor
            Itself.
        """
        return self


def post_names() -> list[str]:
    """Names of all installed post-processors.

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(point.name for point in importlib.metadata.entry_points(group=ENTRY_POINTS))


def post_class(name: str) -> type[PostProcessor]:
    """Find a post-processor by its name.

    Parameters
    ----------
    name : str
        Such as ``"emq"``.

    Returns
    -------
    type of PostProcessor

    Raises
    ------
    UnknownNameError
        With the nearest names, if no installed package offers it.
    """
    points = importlib.metadata.entry_points(group=ENTRY_POINTS, name=name)
    if not points:
        raise UnknownNameError(unknown("post-processor", name, post_names()))
    found: type[PostProcessor] = next(iter(points)).load()
    return found
