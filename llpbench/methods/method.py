"""What a method is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.methods.estimate import Estimate, collect
from llpbench.methods.estimator import check_fitted
from llpbench.methods.saved_estimator import SavedEstimator

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.exported.card import Card

Progress: TypeAlias = Callable[..., Any]
"""Makes a progress bar, around an iterable or not, as :class:`tqdm.tqdm` does."""


class Method(SavedEstimator):
    """A method of learning from label proportions, in scikit-learn's conventions.

    Subclasses take keyword parameters only (``random_state`` among them), set attributes that
    end in ``_`` in :meth:`fit`, and fill in the class attributes.

    Attributes
    ----------
    supervision : {"division", "chip", "pixel"}
        What it may see of the chips it is trained on.
    track : {"inductive", "disaggregation"}
        What it may see of the chips it predicts. An inductive method predicts each chip from its
        image alone, so that others may be predicted elsewhere.
    has_pixels : bool
        Whether it predicts class probabilities of pixels.
    is_iterative : bool
        Whether it is trained in epochs, can be interrupted and goes on from a checkpoint.
    is_one_pass : bool
        Whether it needs each training chip once, which is work that others can share.
    is_deterministic : bool
        Whether the same seed gives the same bits on one machine without being asked to.
    is_reference : bool
        Whether it is a floor or a ceiling for others, outside any ranking.
    array : {"image", "embedding"}
        What it sees of chips; set in :meth:`fit` where that follows from the dataset.
    inputs : tuple of str
        Names of further variables, added to a dataset over ``chip``, that it sees of all chips.
    learns_intervals : bool
        Whether a last post-processor learns intervals, for which it sees where training chips lie.
    parameters, non_trainable : int or None
        Weights at 5 classes; None where there is no fixed number.
    source : str
        Where it is described.
    paper : dict of str to str
        ``title`` and ``url`` of the publication it is from; empty where there is none.
    design : str
        What is to be known of how it came to be as it is: a sentence for those who compare it.
    designed_on : tuple of str
        Datasets on whose labels it was designed or tuned, or whose test scores were in sight.
    categories_ : ndarray of str, shape (category,)
        Names of the class groups, in the order of what it predicts; set in :meth:`fit`.
    """

    supervision: str = "division"
    track: str = "inductive"
    has_pixels: bool = False
    is_iterative: bool = False
    is_one_pass: bool = False
    is_deterministic: bool = False
    is_reference: bool = False
    array: str = "image"
    inputs: tuple[str, ...] = ()
    learns_intervals: bool = False
    parameters: int | None = None
    non_trainable: int = 0
    source: str = ""
    paper: Mapping[str, str] = MappingProxyType({})
    design: str = ""
    designed_on: tuple[str, ...] = ()

    categories_: NDArray[np.str_]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle what a folder would keep, once there is any: graphs are made anew elsewhere."""
        if not hasattr(self, "categories_"):
            return super().__reduce_ex__(protocol)
        return _made_again, (type(self), self.settings, self.get_weights())

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Names in the constructors of this class and of those it passes the rest on to."""
        names = {
            parameter.name
            for base in cls.__mro__
            if issubclass(base, Method)
            for parameter in inspect.signature(base.__init__).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        }
        return sorted(names)

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, progress: Progress | None = None) -> Self:
        """Train on one split, choose on another.

        Parameters
        ----------
        train, val : Dataset
            Grouped splits behind the label firewall of this method's supervision.
        progress : callable, optional
            Such as :class:`tqdm.tqdm`.
        """
        raise NotImplementedError

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict the class shares of chips, and a segmentation where there are pixels.

        A method implements this, or :meth:`predict_proba` and ``has_pixels = True``: shares are
        then the mean probabilities of a chip's pixels, and the segmentation is the most probable
        class of each.

        Parameters
        ----------
        ds : Dataset
            What this method's track may see, see :func:`llpbench.protocol.prediction_inputs`.

        Returns
        -------
        Dataset
            Predictions, in the order of ``ds``, see
            :func:`~llpbench.predictions.table.make_predictions`.
        """
        if not self.has_pixels:
            raise NotImplementedError(
                f"{type(self).__name__} must define predict, or predict_proba and has_pixels = True"
            )
        check_fitted(self)
        return collect(self.predict_batches(ds), ds["chip"].to_numpy(), self.categories_)

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        """Predict class probabilities of pixels, batch by batch.

        Parameters
        ----------
        ds : Dataset
            As for :meth:`predict`.

        Yields
        ------
        chips : ndarray of str, shape (n,)
            Their ids.
        probabilities : ndarray of float32, shape (n, row, column, category)
            On a square grid over the score window whose side divides 96.
        """
        raise NotImplementedError

    def predict_batches(self, ds: xr.Dataset) -> Iterator[Estimate]:
        """Predict shares and pixels in one pass; what runs and post-processors are made from.

        By default from :meth:`predict_proba` where there are pixels, else from :meth:`predict`.

        Parameters
        ----------
        ds : Dataset
            As for :meth:`predict`.

        Yields
        ------
        Estimate
            Of some chips, all in the order of ``ds``.
        """
        if self.has_pixels:
            for _chips, probabilities in self.predict_proba(ds):
                yield Estimate.of_pixels(probabilities)
        else:
            yield Estimate.of_predictions(self.predict(ds))

    def chip_predictor(self, ds: xr.Dataset) -> Callable[[int], Estimate]:
        """What predicts single chips, as on board: for measuring how long one takes.

        Parameters
        ----------
        ds : Dataset
            What this method's track may see of some chips, in memory.

        Returns
        -------
        callable
            Takes the position of a chip; what can be prepared for all chips has been done.
        """
        chips = [ds.isel(chip=[number]) for number in range(ds.sizes["chip"])]
        return lambda number: Estimate.join(list(self.predict_batches(chips[number])))

    def footprint(self) -> dict[str, int | None]:
        """How small the fitted method is.

        Returns
        -------
        dict
            ``parameters`` and ``non_trainable`` (numbers), ``multiply_adds`` (a chip, None where
            not counted). Bytes are those of a file that works, see
            :class:`~llpbench.exported.footprint.ExportFootprint`.
        """
        check_fitted(self)
        weights = self.get_weights()
        numbers = sum(array.size for array in weights.values() if array.dtype.kind != "U")
        return {
            "parameters": numbers - self.non_trainable,
            "non_trainable": self.non_trainable,
            "multiply_adds": self.multiply_adds(),
        }

    def multiply_adds(self) -> int | None:
        """Multiply-adds to predict one chip, None where they are not counted."""
        return None

    def training_bytes(self, train: xr.Dataset, chip: int) -> int:
        """Bytes of memory that each chip takes while the method is trained.

        Parameters
        ----------
        train : Dataset
            As for :meth:`fit`.
        chip : int
            Bytes of what is stored of a chip: it is held as such and, by default, as it is read.
        """
        return 2 * chip

    def export(self, path: Path, card: Card, calibration: NDArray[Any] | None) -> None:
        """Write the fitted method as a file that runs without it.

        Parameters
        ----------
        path : Path
            A new file, or a new folder for a format of folders.
        card : Card
            What the file says of itself, its format and numbers among it.
        calibration : ndarray, shape (n, row, column, band), or None
            Images of training chips as they are stored, where ranges of numbers must be known.

        Raises
        ------
        MethodError
            If it cannot be written so.
        """
        raise MethodError(f"{type(self).__name__} cannot be exported: it is not written as a graph")


def _made_again(
    kind: type[Method], settings: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]
) -> Method:
    return kind.from_settings(settings, strict=False).set_weights(weights)


class IterativeMethod(Method):
    """A method trained in epochs, which can stop after any batch and go on after any epoch.

    Its :meth:`~Method.fit` has one more keyword, ``journal``: a
    :class:`~llpbench.methods.journal.Journal`, which receives every epoch and says where to go on
    and when to stop, or None.
    """

    is_iterative = True
