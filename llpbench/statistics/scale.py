"""The scale on which a bounded score has about the same variance everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llpbench.metrics.arrays import FloatArray


@dataclass(frozen=True)
class Scale:
    """Square root of the distance from a bound; the arcsine of it between two; else none.

    Mean errors over skewed divisions are skewed themselves and the surer the smaller they are; on
    this scale both are less so, and limits never lie beyond a bound.

    Notes
    -----
    Source: Bartlett (1947), Biometrics 3, 39-52.

    Examples
    --------
    >>> scale = Scale(0, np.inf)
    >>> scale.back(scale.of(np.array([0.25])) - 0.1).round(6)
    array([0.16])
    """

    least: float = -np.inf
    most: float = np.inf

    def of(self, values: FloatArray) -> FloatArray:
        """Values on the scale, which rises with them."""
        inside = np.clip(values, self.least, self.most)
        if np.isfinite([self.least, self.most]).all():
            return np.arcsin(np.sqrt((inside - self.least) / (self.most - self.least)))
        if np.isfinite(self.least):
            return np.sqrt(inside - self.least)
        if np.isfinite(self.most):
            return -np.sqrt(self.most - inside)
        return inside

    def back(self, scaled: FloatArray) -> FloatArray:
        """From the scale; what lies beyond its ends becomes the bound."""
        if np.isfinite([self.least, self.most]).all():
            part = np.square(np.sin(np.clip(scaled, 0, np.pi / 2)))
            return self.least + (self.most - self.least) * part
        if np.isfinite(self.least):
            return self.least + np.square(np.maximum(scaled, 0))
        if np.isfinite(self.most):
            return self.most - np.square(np.minimum(scaled, 0))
        return scaled
