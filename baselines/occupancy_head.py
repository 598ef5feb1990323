"""The layer of ``popcorn``; TensorFlow is imported with this module, so methods import it late."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import keras, tf


class OccupancyHead(keras.layers.Layer):  # type: ignore[misc]
    r"""Logarithms of the probabilities of ordered classes, from what is seen of a cell.

    A building score :math:`b = \sigma(v^\top z + c)` and an occupancy :math:`r = e^{w^\top z}` make
    a density :math:`b r`, which thresholds cut into classes, see :func:`cumulative_logit`. An
    intercept of the occupancy would shift all thresholds, and is not there.

    Parameters
    ----------
    categories : int
        Number of classes, at least 2.
    regularizer : keras.Regularizer, optional
        Of v and w.
    """

    def __init__(self, categories: int, regularizer: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.categories = categories
        given = {"units": 1, "kernel_regularizer": regularizer}
        self.building = keras.layers.Dense(**given, name="building")
        self.occupancy = keras.layers.Dense(**given, use_bias=False, name="occupancy")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights: thresholds are at first 0, 1 and so on, their scale 1."""
        self.building.build(input_shape)
        self.occupancy.build(input_shape)
        self.cuts = self.add_weight(shape=(self.categories - 1,), initializer="zeros", name="cuts")
        self.log_scale = self.add_weight(shape=(), initializer="zeros", name="log_scale")

    @property
    def thresholds(self) -> Any:
        """Ascending, (category - 1,): the first cut, and from each to the next its exponential."""
        return tf.cumsum(tf.concat([self.cuts[:1], tf.exp(self.cuts[1:])], axis=0))

    def call(self, seen: Any) -> Any:
        """From numbers (..., number) to (..., category)."""
        density = tf.math.log_sigmoid(self.building(seen)) + self.occupancy(seen)
        return cumulative_logit(density, self.thresholds, tf.exp(self.log_scale))


def cumulative_logit(density: Any, thresholds: Any, scale: Any) -> Any:
    r"""Compute the logarithms of the probabilities of ordered classes.

    With ascending thresholds :math:`t_1` to :math:`t_{K-1}` and
    :math:`u_k = (\eta - t_k) / s`, :math:`P(\text{class} > k) = \sigma(u_k)`, classes counted
    from 1. So the first has :math:`\sigma(-u_1)`, the last :math:`\sigma(u_{K-1})`, and one between

    .. math:: \sigma(u_{k-1}) - \sigma(u_k) =
              \sigma(u_{k-1}) \, \sigma(-u_k) \, (1 - e^{u_k - u_{k-1}}),

    whose logarithm, unlike that of a difference, is exact where the class is unlikely.

    Parameters
    ----------
    density : tensor, shape (..., 1)
        :math:`\eta`, the logarithm of a density.
    thresholds : tensor, shape (K - 1,)
        Ascending, in the unit of ``density``.
    scale : tensor, shape ()
        Positive, s: how far from a threshold the logit is 1.

    Returns
    -------
    tensor, shape (..., K)
        Logarithms; their exponentials sum to 1.

    References
    ----------
    McCullagh, Regression models for ordinal data, Journal of the Royal Statistical Society B
    42(2), 109-142, 1980.
    """
    logits = (density - thresholds) / scale
    above, below = tf.math.log_sigmoid(logits), tf.math.log_sigmoid(-logits)
    gaps = (thresholds[1:] - thresholds[:-1]) / scale
    between = above[..., :-1] + below[..., 1:] + tf.math.log(-tf.math.expm1(-gaps))
    return tf.concat([below[..., :1], between, above[..., -1:]], axis=-1)
