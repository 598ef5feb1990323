"""What closed-form methods share: features of chips, their means over divisions, weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.errors import MethodError, UnknownNameError, unknown
from llpbench.methods.method import Progress
from llpbench.predictions.table import make_predictions
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.chip_features import ChipFeatures, FeatureSet
from llpbench_baselines.exporting.exportable import Exportable
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.patch_fourier import PatchFourier
from llpbench_baselines.patch_words import PatchWords
from llpbench_baselines.window_moments import WindowMoments


class DivisionRegression(Exportable):
    """A method that fits features of divisions and predicts from the features of chips.

    Features are standardised for the fit, and what is fitted then expressed in the raw ones,
    so that it costs one matrix product with a chip's features. Subclasses name their own
    parameters, and pass on the rest.

    Parameters
    ----------
    features : str
        Any of ``words``, ``fourier`` and ``moments``, separated by commas.
    words : int
        Number of patch words.
    patch_size : int
        Side of a word's patch in pixels; divides 96.
    sample : int
        Patches that the words are learned from.
    cosines : int
        Number of random Fourier features.
    random_state : int
        Seed of the features.

    Attributes
    ----------
    extractor_ : ChipFeatures
        What describes chips, learned from the training images.
    coefficients_ : ndarray of float64, shape (feature, score)
        What a unit of each raw feature adds to each score.
    intercept_ : ndarray of float64, shape (score,)
        Scores of a chip whose raw features are all 0.
    """

    is_deterministic = True
    marks_integers = True
    design = (
        "How features describe patches was chosen by proportions of validation divisions of a "
        "semi-real region (another dataset), with its test scores in sight."
    )
    designed_on: tuple[str, ...] = ("semi-esa",)
    ranges = MappingProxyType({"patch_size": (1, WINDOW_SIDE)})
    fitted: ClassVar[tuple[str, ...]] = ()
    """Names of what :meth:`fit_divisions` keeps itself, without the underscore at their ends."""

    def __init__(
        self,
        *,
        features: str = "words",
        words: int = 256,
        patch_size: int = 4,
        sample: int = 100_000,
        cosines: int = 256,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.words = words
        self.patch_size = patch_size
        self.sample = sample
        self.cosines = cosines
        self.random_state = random_state

    @abstractmethod
    def fit_divisions(
        self, features: NDArray[np.float64], divisions: Divisions
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Learn from standardised features.

        Parameters
        ----------
        features : ndarray of float64, shape (chip, feature)
            Of mean 0; squares of all features of a chip sum to 1 on average.
        divisions : Divisions
            At least two, with chips and proportions.

        Returns
        -------
        coefficients : ndarray of float64, shape (feature, score)
            What a unit of each standardised feature adds to each score.
        intercept : ndarray of float64, shape (score,)
            Scores of a chip are its features times the coefficients, plus the intercept.
        """

    @abstractmethod
    def link(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn scores into class shares, both (chip, number); rows sum to 1."""

    def link_graph(self, scores: Any) -> Any:
        """The same of a tensor (1, score)."""
        raise MethodError(
            f"{type(self).__name__} cannot be exported: how its scores become shares is written "
            "in numpy"
        )

    def learn_features(self, train: xr.Dataset) -> None:
        """Learn from the images of training chips what describes a chip."""
        self.extractor_ = self._extractor().learn(train, self.random_state)
        self.array = self.extractor_.input.array

    def describe(self, ds: xr.Dataset, progress: Progress | None = None) -> NDArray[np.float64]:
        """Describe chips, shape (chip, feature), by what was learned."""
        return self.extractor_.compute(ds, progress)

    def fit_scaled(
        self,
        features: NDArray[np.float64],
        centre: NDArray[np.float64],
        deviation: NDArray[np.float64],
        divisions: Divisions,
    ) -> Self:
        """Standardise features in place by mean and deviation over chips, and fit to them."""
        self.centre_ = centre
        self.spread_ = np.maximum(deviation, 1e-6) * np.sqrt(features.shape[1])
        features -= self.centre_
        features /= self.spread_
        coefficients, intercept = self.fit_divisions(features, divisions)
        self.coefficients_ = coefficients / self.spread_[:, np.newaxis]
        self.intercept_ = intercept - self.centre_ @ self.coefficients_
        return self

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict the shares of each chip from its own features."""
        scores = self.describe(ds) @ self.coefficients_ + self.intercept_
        return make_predictions(ds["chip"].to_numpy(), self.categories_, self.link(scores))

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, None]:
        """Shares of one chip from its own features."""
        scores = self.extractor_.graph(images, self.coefficients_, self.intercept_)
        return self.link_graph(scores), None

    def multiply_adds(self) -> int:
        """Count those of the features, and the product with the coefficients."""
        return int(self.extractor_.multiply_adds() + self.coefficients_.size)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Features, what was fitted to them, and category names."""
        own = {name: np.asarray(getattr(self, f"{name}_")) for name in self._kept()}
        return {**self.extractor_.get_weights(), **own}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take over all that was learned."""
        self.extractor_ = self._extractor().set_weights(weights)
        self.array = self.extractor_.input.array
        for name in self._kept():
            setattr(self, f"{name}_", weights[name])
        return self

    def _kept(self) -> tuple[str, ...]:
        return ("coefficients", "intercept", "categories", *self.fitted)

    def _extractor(self) -> ChipFeatures:
        if WINDOW_SIDE % self.patch_size:
            raise MethodError(f"patch_size must divide {WINDOW_SIDE}, found {self.patch_size}")
        known: dict[str, FeatureSet] = {
            "words": PatchWords(count=self.words, size=self.patch_size, sample=self.sample),
            "fourier": PatchFourier(count=self.cosines),
            "moments": WindowMoments(),
        }
        names = [name.strip() for name in self.features.split(",")]
        for name in names:
            if name not in known:
                raise UnknownNameError(unknown("set of features", name, known))
        return ChipFeatures([known[name] for name in dict.fromkeys(names)])
