"""A scale on which numbers of any kind are about as large as bytes, learned from training chips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import Coding
from llpbench_baselines.backend import tf

MIDDLE, SPREAD, HIGHEST = 128.0, 32.0, 255.0
"""The mean of a band, its standard deviation, and the largest number; the smallest is 0."""

_CACHED = 2**18
"""Numbers that are worked on at once, so that they stay in the processor's cache."""


@dataclass(frozen=True)
class ByteScale:
    r"""Makes numbers from 0 to 255 of a band's values v, of mean m and standard deviation s.

    .. math:: 128 + 32 (v - m) / s

    What lies four standard deviations away and more is 0 or 255, and what is missing is 128, so
    that neither clouds nor gaps outweigh all else.

    Parameters
    ----------
    coding : Coding
        How stored numbers become values.
    centre, spread : ndarray of float32, shape (band,)
        The numbers m and s; s is 1 for a band that is the same everywhere.
    """

    coding: Coding
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def learn(cls, images: NDArray[Any], coding: Coding) -> Self:
        """Take mean and standard deviation of each band of stored images, (n, ..., band).

        Numbers that are missing or infinite do not count.

        Examples
        --------
        >>> images = np.array([[[2], [-1]], [[4], [6]]], dtype=np.int16)
        >>> scale = ByteScale.learn(images, Coding(scale=0.5, missing=-1))
        >>> scale(images).round().ravel()
        array([ 89., 128., 128., 167.], dtype=float32)
        """
        sums = np.zeros((3, images.shape[-1]))
        flat = images.reshape(-1, images.shape[-1])
        rows = max(1, _CACHED // flat.shape[1])
        for start in range(0, len(flat), rows):
            decoded = coding.decode(flat[start : start + rows])
            known = np.isfinite(decoded)
            values = np.where(known, decoded, 0).astype(np.float64)
            sums += [known.sum(axis=0), values.sum(axis=0), np.square(values).sum(axis=0)]
        count = np.maximum(sums[0], 1)
        mean = sums[1] / count
        variance = sums[2] / count - np.square(mean)
        varies = variance > 1e-12 * (np.square(mean) + 1e-12)
        spread = np.sqrt(np.where(varies, variance, 1))
        return cls(coding, mean.astype(np.float32), spread.astype(np.float32))

    def __call__(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Numbers from 0 to 255 of stored images, (..., band)."""
        flat = images.reshape(-1, images.shape[-1])
        scaled = np.empty(flat.shape, dtype=np.float32)
        rows = max(1, _CACHED // flat.shape[1])
        for start in range(0, len(flat), rows):
            scaled[start : start + rows] = self._scale(flat[start : start + rows])
        return scaled.reshape(images.shape)

    def graph(self, stored: Any) -> Any:
        """The same of a tensor of stored images, for one of float32."""
        numbers = tf.cast(stored, tf.float32)
        is_known = tf.abs(numbers) < np.inf
        if self.coding.missing is not None:
            is_known &= tf.not_equal(numbers, self.coding.missing)
        if stored.dtype.is_floating:  # ONNX chooses by products with 0 and 1, which NaN outlives
            numbers = tf.where(tf.not_equal(numbers, numbers), 0.0, numbers)
        values = numbers * self.coding.scale + self.coding.offset
        if self.coding.power != 1:
            values = tf.sign(values) * tf.abs(values) ** self.coding.power
        scaled = (values - self.centre) * (SPREAD / self.spread) + MIDDLE
        return tf.where(is_known, tf.clip_by_value(scaled, 0.0, HIGHEST), MIDDLE)

    def _scale(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        values = self.coding.decode(stored)
        values[~np.isfinite(values)] = np.nan
        values -= self.centre
        values *= SPREAD / self.spread
        values += MIDDLE
        return np.nan_to_num(np.clip(values, 0, HIGHEST, out=values), copy=False, nan=MIDDLE)
