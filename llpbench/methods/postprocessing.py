"""What a post-processor is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from numpy.typing import NDArray

from llpbench.methods.estimate import Estimate

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.methods.method import Method

Transform: TypeAlias = Callable[[Estimate, slice], Estimate]
"""Takes the predictions of some chips, and which of all chips they are, to better ones."""


class PostProcessor:
    """Something done to the predictions of a fitted method.

    Attributes
    ----------
    track : {"inductive", "disaggregation"}
        What it may see of the chips whose predictions it changes. One of the disaggregation track
        looks at all of them before it changes any.
    needs_pixels : bool
        Whether it works on the class probabilities of pixels.
    chooses : bool
        Whether it chooses parameters by the divisions of the val split.
    makes_intervals : bool
        Whether it says between what shares are likely to be. It changes no shares and stands last;
        before any other, intervals are left out, because they are of shares as they were.
    design : str
        What is to be known of how it came to be as it is.
    designed_on : tuple of str
        Names of datasets on whose labels it was designed or tuned.
    """

    track: str = "inductive"
    needs_pixels: bool = False
    chooses: bool = False
    makes_intervals: bool = False
    design: str = ""
    designed_on: tuple[str, ...] = ()

    def fit(self, train: Estimate, val: Estimate, ds: xr.Dataset) -> Self:
        """Choose parameters, by default none.

        Parameters
        ----------
        train : Estimate
            Predictions of at most 1,000 training chips.
        val : Estimate
            Predictions of all validation chips. For one that makes intervals: of training chips, by
            methods that did not see their divisions.
        ds : Dataset
            The chips of ``val`` as division supervision shows them, whatever that of the method,
            and for one that makes intervals their places.
        """
        return self

    def transform(self, estimate: Estimate) -> Estimate:
        """Change the predictions of chips, each on its own."""
        raise NotImplementedError

    def prepare(self, estimate: Estimate, ds: xr.Dataset) -> Transform:
        """Look at all chips before the predictions of any are changed; by default, do not look.

        Parameters
        ----------
        estimate : Estimate
            Predictions of all chips, with few pixels; of no chip if the track of all
            post-processors is inductive.
        ds : Dataset
            What the track may see of these chips.

        Returns
        -------
        callable
            Changes the predictions of some of them, with all their pixels.
        """
        return lambda some, _rows: self.transform(some)

    def exported(self, method: Method) -> Method | None:
        """What is exported where it follows a method: one whose shares it has changed.

        None where no file can hold it: those see one chip at a time and no division.
        """
        return None

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """All that :meth:`fit` chose, as named arrays."""
        return {}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Become the post-processor whose :meth:`get_weights` gave these."""
        return self
