"""What a method is, and finding methods by entry point."""

from __future__ import annotations

import inspect
import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from llpbench.errors import MethodError
from llpbench.predictions.table import make_predictions

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.methods.journal import Journal

Progress: TypeAlias = Callable[..., Any]
"""Makes a progress bar, around an iterable or not, as :class:`tqdm.tqdm` does."""

_METHOD_FILE = "method.json"
_WEIGHTS_FILE = "weights.npz"


class Method(BaseEstimator):  # type: ignore[misc]
    """A method of learning from label proportions, in scikit-learn's conventions.

    Subclasses take keyword parameters only (``random_state`` among them), set attributes that
    end in ``_`` in :meth:`fit`, and fill in the class attributes.

    Attributes
    ----------
    supervision : {"division", "chip", "pixel"}
        What it may see of the chips it is trained on.
    track : {"inductive", "disaggregation"}
        What it may see of the chips it predicts.
    is_reference : bool
        Whether it is a floor or a ceiling for others, outside any ranking.
    parameters, non_trainable : int or None
        Weights at 5 classes; None where there is no fixed number.
    source : str
        Where it is described.
    """

    supervision: ClassVar[str] = "division"
    track: ClassVar[str] = "inductive"
    is_reference: ClassVar[bool] = False
    parameters: ClassVar[int | None] = None
    non_trainable: ClassVar[int] = 0
    source: ClassVar[str] = ""

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Names in the constructors of this class and of those it passes the rest on to."""
        bases = [base for base in cls.__mro__ if issubclass(base, Method)]
        signatures = [inspect.signature(base.__init__) for base in bases]
        names = {
            parameter.name
            for signature in signatures
            for parameter in signature.parameters.values()
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

        Returns
        -------
        Method
            Itself.
        """
        raise NotImplementedError

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict the class shares of chips.

        By default from :meth:`predict_proba`: shares are the mean probabilities of a chip's
        pixels, and the segmentation is the most probable class of each.

        Parameters
        ----------
        ds : Dataset
            What this method's track may see, see :func:`llpbench.protocol.prediction_inputs`.

        Returns
        -------
        Dataset
            Predictions, in the order of ``ds``.
        """
        check_is_fitted(self)
        shares, classes = [], []
        for _chips, probabilities in self.predict_proba(ds):
            shares.append(probabilities.mean(axis=(1, 2), dtype=np.float64))
            classes.append(probabilities.argmax(axis=-1).astype(np.uint8))
        return make_predictions(
            ds["chip"].to_numpy(),
            self.categories_,
            np.concatenate(shares),
            np.concatenate(classes),
        )

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
        probabilities : ndarray of float32, shape (n, row, column, category)
        """
        raise NotImplementedError

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """All that :meth:`fit` learned, as named arrays.

        Returns
        -------
        dict of str to ndarray
        """
        raise NotImplementedError

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Become the method that :meth:`get_weights` described.

        Parameters
        ----------
        weights : mapping of str to ndarray

        Returns
        -------
        Method
            Itself.
        """
        raise NotImplementedError

    def footprint(self) -> dict[str, int | None]:
        """How small the fitted method is.

        Returns
        -------
        dict
            ``parameters`` and ``non_trainable`` (numbers), ``multiply_adds`` (a chip, None where
            not counted), ``bytes_float32``, ``bytes_float16``, ``bytes_int8`` (of all weights).
        """
        check_is_fitted(self)
        weights = self.get_weights()
        numbers = sum(array.size for name, array in weights.items() if name != "categories")
        return {
            "parameters": numbers - self.non_trainable,
            "non_trainable": self.non_trainable,
            "multiply_adds": self.multiply_adds(),
            "bytes_float32": 4 * numbers,
            "bytes_float16": 2 * numbers,
            "bytes_int8": numbers,
        }

    def multiply_adds(self) -> int | None:
        """Multiply-adds to predict one chip, None where they are not counted."""
        return None

    def save(self, folder: Path) -> None:
        """Write the fitted method into a folder.

        Parameters
        ----------
        folder : Path
            Receives ``method.json`` and ``weights.npz``.
        """
        check_is_fitted(self)
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"class": type(self).__name__, "parameters": self.get_params()}, indent=1)
        (folder / _METHOD_FILE).write_text(text, encoding="utf-8")
        np.savez(folder / _WEIGHTS_FILE, allow_pickle=False, **self.get_weights())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a fitted method from a folder that :meth:`save` wrote.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        Method

        Raises
        ------
        MethodError
            If there is none, or it is of another class.
        """
        try:
            described = json.loads((folder / _METHOD_FILE).read_text(encoding="utf-8"))
            with np.load(folder / _WEIGHTS_FILE, allow_pickle=False) as file:
                weights = dict(file)
        except (OSError, ValueError) as error:
            raise MethodError(f"{folder} holds no saved method ({error})") from error
        if described["class"] != cls.__name__:
            raise MethodError(f"{folder} holds a {described['class']}, not a {cls.__name__}")
        return cls(**described["parameters"]).set_weights(weights)


class IterativeMethod(Method):
    """A method trained in epochs, which can stop after any batch and go on after any epoch."""

    @abstractmethod
    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        journal: Journal | None = None,
    ) -> Self:
        """Train on one split, choose on another.

        Parameters
        ----------
        train, val : Dataset
            Grouped splits behind the label firewall of this method's supervision.
        progress : callable, optional
            Such as :class:`tqdm.tqdm`.
        journal : Journal, optional
            Receives every epoch, and says where to go on and when to stop.

        Returns
        -------
        Method
            Itself.
        """
