"""Closed-form methods on embeddings: a linear probe that learns from proportions of divisions."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import EMBEDDING
from llpbench.methods.method import Method
from llpbench_baselines.aggregated_multinomial import AggregatedMultinomial
from llpbench_baselines.backend import tf
from llpbench_baselines.bag_ridge import BagRidge
from llpbench_baselines.chip_features import ChipFeatures, FeatureSet
from llpbench_baselines.division_regression import DivisionRegression


class CellMeans(FeatureSet):
    """The mean of each feature over a chip's cells."""

    name: ClassVar[str] = "means"

    def learn(self, images: NDArray[Any], generator: np.random.Generator) -> Self:
        """Nothing is learned."""
        self.arrays = {}
        return self

    def __call__(self, images: NDArray[Any]) -> NDArray[np.floating]:
        """Average over cells, (n, feature)."""
        means: NDArray[np.floating] = images.mean(axis=(1, 2))
        return means

    def graph(self, images: Any) -> Any:
        """The same."""
        return tf.reduce_mean(tf.cast(images, tf.float32), axis=(1, 2))

    def multiply_adds(self) -> int:
        """Averages have no weights."""
        return 0


class OnEmbedding(DivisionRegression):
    """A method that sees the mean embedding of a chip, and has no settings of patches.

    What is linear in a cell's embedding has, for a chip, the same value on the mean over its cells:
    this is a linear probe on cells whose answers are averaged. Missing cells count as the mean of
    all training cells.
    """

    design = "Nothing was chosen on data: the mean is what a linear probe on cells comes to."
    designed_on = ()

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Names in the constructor of this class alone."""
        return sorted(super(Method, cls)._get_param_names())

    def _extractor(self) -> ChipFeatures:
        return ChipFeatures([CellMeans()], EMBEDDING)


class EmbeddingRidge(OnEmbedding, BagRidge):
    """Bag ridge on the mean embeddings of chips, the linear probe of label proportions.

    Parameters
    ----------
    area_exponent : float
        See :class:`~llpbench_baselines.bag_ridge.BagRidge`.
    random_state : int
        Of no consequence: nothing is drawn.
    """

    parameters = None
    source = (
        "a linear probe on precomputed embeddings, with the bag ridge of Flaxman et al., KDD 2015"
    )

    def __init__(self, *, area_exponent: float = 1.0, random_state: int = 0) -> None:
        super().__init__(area_exponent=area_exponent, random_state=random_state)


class EmbeddingMultinomial(OnEmbedding, AggregatedMultinomial):
    """Aggregated multinomial regression on the mean embeddings of chips.

    Parameters
    ----------
    random_state : int
        Seed of the folds that the penalty is chosen by.
    """

    parameters = None
    source = (
        "a linear probe on precomputed embeddings, with the loss of Ardehaly and Culotta, arXiv "
        "1709.04108"
    )

    def __init__(self, *, random_state: int = 0) -> None:
        super().__init__(random_state=random_state)
