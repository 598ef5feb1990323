"""Training the context network on loose cells, first on divisions, then on raked cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.data.imagery import CELLS as CELLS_ACROSS
from llpbench_baselines.backend import keras, model_graph, tf
from llpbench_baselines.cell_arrays import apply, predict_cells
from llpbench_baselines.context_network import ContextNetwork
from llpbench_baselines.optimisation import Optimisation
from llpbench_baselines.portions import Portions
from llpbench_baselines.raking import rake_cells
from llpbench_baselines.spatial_smoothing import smooth
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.training import Arrays, Curriculum, Lesson

DIVISIONS = 32
"""Divisions in a step, at most."""
CELLS_OF_DIVISION = 512
CELLS = 2048
"""Cells in a step that is not about divisions."""
FEWEST_CELLS = 8
"""Of a chip, in the first epoch."""
_BLOCK = 64


class CellTraining(Curriculum):
    """The first epoch teaches the local layers, each later one is a round of the others.

    Chips beyond those that are kept in memory are seen all the same: the first epoch has random
    cells of all of them, each round a portion of whole divisions (:class:`Portions`).

    Rates fall to 0 along a cosine within each epoch, which ends with averages of the weights.
    What is drawn depends on the seed and the number of the epoch alone, and everything else on
    the weights.

    Parameters
    ----------
    settings : mapping
        Of :class:`~llpbench_baselines.llpnet.LLPNet`.
    validate : callable
        Scores the whole network.
    weights : sequence of variables
        Of the whole network and of what :meth:`validate` chooses.
    """

    warmup = 1
    local_rate: ClassVar[float] = 6e-3
    """Of the first step of the first epoch."""

    def __init__(
        self,
        network: ContextNetwork,
        train: SplitData,
        val: SplitData,
        settings: Mapping[str, Any],
        *,
        validate: Callable[[], dict[str, float]],
        weights: Sequence[Any],
    ) -> None:
        self.network, self.train, self.val, self.settings = network, train, val, settings
        self.epochs = 1 + settings["rounds"]
        self._validate = validate
        self._local = network.local_model()
        self.weights = list(weights)
        heads = [weights for layer in network.local_head for weights in layer.weights]
        self.state = [*self.weights, *heads]
        self._portions = Portions(train, settings["chips"], settings["random_state"])
        self._features = self._describe_all()
        self._sees_surroundings = False
        self._epoch = 0

    def begin(self, epoch: int) -> Lesson:
        """Draw cells of divisions at first, then of chips with raked probabilities."""
        self._epoch = epoch
        if epoch == 1:
            return self.learn_locally()
        if not self._portions.is_all:
            self.train = self._portions[epoch - 2]
            self._features = self.network.describe(self.train.images.in_order(_BLOCK), None)
            self._sees_surroundings = False
        return self.refine(epoch - 1)

    def _describe_all(self) -> NDArray[np.float16]:
        """Describe the cells of all chips or, of more chips than are kept, as many cells."""
        part = self.settings["chips"] / len(self.train.images)
        cells = max(FEWEST_CELLS, int(CELLS_ACROSS**2 * min(part, 1)))
        seed = self.settings["random_state"]
        return self.network.describe(self.train.images.in_order(_BLOCK), seed, cells)

    @contextmanager
    def averages(self) -> Iterator[None]:
        """Put averages in the place of the weights, for good."""
        self.optimisation.settle()
        yield

    def validate(self) -> dict[str, float]:
        """Score the local layers alone as long as the others are not trained."""
        if self._epoch > 1:
            return self._validate()
        return self.val.score_network(model_graph(self._local, self._local))

    def learn_locally(self) -> Lesson:
        """Train on each cell alone."""
        layers, steps = self.network.local_layers, self.settings["local_steps"]
        return self.match_divisions(layers, self.alone, steps, self.local_rate)

    def refine(self, number: int) -> Lesson:
        """Train on the probabilities of the round before, raked and made to agree nearby."""
        labels = self.expect(self.before(number))
        steps = self.settings["first_steps"] if number == 1 else self.settings["later_steps"]
        rate = 6e-3 if number == 1 else 4e-3
        return self.match_cells(self.network.context, self.features, labels, steps, rate)

    def expect(self, probabilities: NDArray[np.floating]) -> NDArray[np.float16]:
        """What a round trains on: probabilities raked, and made to agree nearby."""
        raked = self.rake(probabilities)
        if self.settings["coupling"]:
            raked = self.rake(smooth(raked, coupling=self.settings["coupling"]))
        return raked

    def before(self, number: int) -> NDArray[np.float16]:
        """Class probabilities of cells before a round: from the local layers, then from all."""
        if number == 1:
            return predict_cells(self.network.local_layers, self.alone)
        return predict_cells(self.network.context, self.features)

    @property
    def alone(self) -> NDArray[np.float16]:
        """The numbers of each cell alone."""
        return np.ascontiguousarray(self._features[..., : self.network.count])

    @property
    def features(self) -> NDArray[np.float16]:
        """All that the network sees of cells, once the local layers have been trained."""
        if not self._sees_surroundings:
            seed = self.settings["random_state"] if self._epoch <= 2 else None
            self._features = self.network.surround(self._features, seed)
            self._sees_surroundings = True
        return self._features

    def rake(self, probabilities: NDArray[np.floating]) -> NDArray[np.float16]:
        """Multiply the probabilities of cells until divisions hold their proportions."""
        cells = probabilities.reshape(len(probabilities), -1, probabilities.shape[-1])
        return rake_cells(cells, self.train.divisions).reshape(probabilities.shape)

    def match_divisions(
        self,
        layers: Sequence[Any],
        features: NDArray[np.float16],
        steps: int,
        learning_rate: float,
    ) -> Lesson:
        r"""Train layers until the mean probabilities of divisions are their proportions.

        The loss is that of Ardehaly and Culotta (arXiv 1709.04108), the cross-entropy
        :math:`-\sum_d a_d \sum_k p_{dk} \log \bar f_{dk}`. As its means are over cells drawn from
        the whole division, not from a few of its chips, they hardly miss what they estimate.
        """
        divisions = self.train.divisions.known(at_least=1)
        importance = divisions.importance().astype(np.float32)
        proportions = divisions.proportions.astype(np.float32)

        def loss(features: Any, shares: Any, importance: Any) -> Any:
            probabilities = tf.nn.softmax(apply(layers, features))
            size = (-1, CELLS_OF_DIVISION, probabilities.shape[-1])
            means = tf.reduce_mean(tf.reshape(probabilities, size), axis=1)
            entropy = -tf.reduce_sum(shares * tf.math.log(means + 1e-6), axis=-1)
            return tf.reduce_mean(importance * entropy)

        def draw(generator: np.random.Generator) -> Arrays:
            chosen, cells = draw_of_divisions(features, divisions, generator)
            return cells, proportions[chosen], importance[chosen]

        return self.lesson(layers, loss, draw, steps, learning_rate)

    def match_cells(
        self,
        layers: Sequence[Any],
        features: NDArray[np.float16],
        labels: NDArray[np.floating],
        steps: int,
        learning_rate: float,
    ) -> Lesson:
        """Train layers to give cells the class probabilities they should have.

        Parameters
        ----------
        layers : sequence of keras.layers.Layer
            From features to logits.
        features : ndarray of float16, shape (chip, row, column, number)
            Normalised numbers of each cell.
        labels : ndarray, shape (chip, row, column, category)
            Probabilities; the loss is their cross-entropy.
        learning_rate : float
            At the first step; 0 after the last.
        """
        cells, flat = (array.reshape(-1, array.shape[-1]) for array in (features, labels))

        def loss(features: Any, labels: Any) -> Any:
            logits = apply(layers, features)
            return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))

        def draw(generator: np.random.Generator) -> Arrays:
            chosen = generator.integers(0, len(cells), CELLS)
            return cells.take(chosen, axis=0), flat.take(chosen, axis=0)

        return self.lesson(layers, loss, draw, steps, learning_rate)

    def lesson(
        self,
        layers: Sequence[Any],
        loss: Callable[..., Any],
        draw: Callable[[np.random.Generator], Arrays],
        steps: int,
        learning_rate: float,
    ) -> Lesson:
        """Minimise a loss of layers, along a cosine from ``learning_rate`` to 0.

        ``loss`` takes the tensors that ``draw`` draws to one of shape (); the first of them holds
        features of cells.
        """
        generator = np.random.default_rng([self.settings["random_state"], self._epoch])
        example = draw(generator)
        apply(layers, example[0][:1])
        rates = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        variables = [variable for layer in layers for variable in layer.trainable_variables]
        self.optimisation = Optimisation(variables, rates)

        def total(*tensors: Any) -> Any:
            value = loss(*tensors)
            return tf.add_n([value, *(penalty for layer in layers for penalty in layer.losses)])

        step = self.optimisation.make_step(total, example)
        return Lesson(((1, draw(generator)) for _ in range(steps)), step, steps, "step")


def draw_of_divisions(
    features: NDArray[np.float16], divisions: Divisions, generator: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float16]]:
    """Draw cells of divisions, so that each division's mean estimates that of all its cells.

    Parameters
    ----------
    features : ndarray of float16, shape (chip, row, column, number)
        Normalised numbers of each cell.
    divisions : Divisions
        Known ones.

    Returns
    -------
    divisions : ndarray of int, shape (n,)
        Positions, at most as many as fit into a step.
    cells : ndarray of float16, shape (n * CELLS_OF_DIVISION, number)
        Of one division after the other.
    """
    chosen = np.arange(len(divisions))
    if len(chosen) > DIVISIONS:
        chosen = generator.choice(chosen, DIVISIONS, replace=False)
    cells_of_chip = features.shape[1] * features.shape[2]
    chips = divisions.draw(chosen, CELLS_OF_DIVISION, generator).ravel()
    cells = chips * cells_of_chip + generator.integers(0, cells_of_chip, len(chips))
    return chosen, features.reshape(-1, features.shape[-1]).take(cells, axis=0)
