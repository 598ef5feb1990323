"""Class probabilities of pixels adapted to the shares of their chip."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.methods.estimate import Estimate
from llpbench.methods.postprocessing import PostProcessor
from llpbench_baselines.prior_shift import emq

_CHOICES = [(np.inf, 0.0), *itertools.product((8.0, 4.0, 2.0, 1.0), (1.0, 0.3, 0.1, 0.03, 0.0))]
"""Temperatures and prior masses that are tried; the first changes nothing."""

_PIXELS = 144
"""Pixels of a chip that the choice is made on, at most."""


class EMQ(PostProcessor):
    """Expectation maximisation of the class shares of each chip, tempered.

    It changes the method's own probabilities of pixels, and shares are then their means; the choice
    to change none leaves shares as they are.
    See :func:`~llpbench_baselines.prior_shift.emq`. Temperature and prior mass, here in chips, are
    those with which the means of validation divisions are nearest to their known proportions:
    weighted by area, in the sense of squares.
    """

    needs_pixels = True
    chooses = True

    def fit(self, train: Estimate, val: Estimate, ds: xr.Dataset) -> Self:
        """Choose temperature and prior mass."""
        assert val.pixels is not None
        self.prior_ = train.own_pixels.mean(axis=(0, 1), dtype=np.float64)
        divisions = Divisions.of(ds).known(at_least=2)
        few = replace(val, pixels=val.pixels[:, :: -(-val.pixels.shape[1] // _PIXELS)])

        def loss(choice: tuple[float, float]) -> float:
            self.temperature_, self.mass_ = choice
            errors = divisions.means(self.transform(few).shares) - divisions.proportions
            return float(divisions.areas @ np.square(errors).sum(axis=1))

        self.temperature_, self.mass_ = min(_CHOICES, key=loss)
        return self

    def transform(self, estimate: Estimate) -> Estimate:
        """Adapt each chip's pixels."""
        if np.isinf(self.temperature_):
            return estimate
        own = estimate.own_pixels
        alpha = self.mass_ * own.shape[1]
        adapted = emq(own, self.prior_, alpha=alpha, temperature=self.temperature_)
        return estimate.with_own_pixels(adapted)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """The class shares learned at, temperature and prior mass."""
        chosen = np.array([self.temperature_, self.mass_])
        return {"prior": self.prior_, "chosen": chosen}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take all of them over."""
        self.prior_ = weights["prior"]
        self.temperature_, self.mass_ = weights["chosen"].tolist()
        return self
