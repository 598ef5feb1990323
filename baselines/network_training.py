"""How networks are trained on images: batches of chips or bags towards an objective."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from llpbench.data.batches import Batches
from llpbench_baselines.backend import model_graph, tf
from llpbench_baselines.objectives import Objective
from llpbench_baselines.optimisation import Optimisation
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.training import Arrays, Curriculum, Lesson


class NetworkTraining(Curriculum):
    """Every epoch shuffles all chips anew and keeps the last batch; dropout is active.

    (The published training did neither, and dropped the last batch.) What layers add to the loss
    is trained on, too. Orders and draws depend on the seed and the number of the epoch alone.

    Parameters
    ----------
    model : keras.Model
        From images (n, 96, 96, band) as they are stored.
    read : callable
        What the objective sees of the output of the model.
    batch_size : int
        Chips in a step; of bags as many as it holds, at least one.
    learning_rate : float
        Of Adam.
    validate : callable, optional
        Scores the network on ``val`` and chooses its read-out there; by default mean probabilities
        are scored.
    read_out : sequence of variables
        What it chooses, kept with the weights of the network.
    """

    def __init__(
        self,
        model: Any,
        read: Callable[[Any], Any],
        objective: Objective,
        train: SplitData,
        val: SplitData,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
        validate: Callable[[SplitData], dict[str, float]] | None = None,
        read_out: Sequence[Any] = (),
    ) -> None:
        self.model, self.read, self.objective = model, read, objective
        self.train, self.val = train, val
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed
        self.optimisation = Optimisation(model.trainable_variables, learning_rate)
        self.network = model_graph(model, lambda images: model(images, training=False))
        self.state = [*model.variables, *self.optimisation.state]
        self.weights = [*model.weights, *read_out]
        self._validate = validate
        self._made: dict[type[Objective], tuple[Batches, Any]] = {}

    def begin(self, epoch: int) -> Lesson:
        """Compute the targets of the objective that is due, from what the network is now."""
        objective = self.objective.at(epoch, self.epochs)
        with self.averages():
            targets = objective.targets(self.train, self.network)
        kind = type(objective)
        if kind not in self._made:
            self._made[kind] = self._batches(objective), self._step(objective, targets)
        batches, step = self._made[kind]
        return Lesson(_select(batches, epoch, targets), step, batches.chips, "chip")

    def averages(self) -> AbstractContextManager[None]:
        """Put averages in the place of the weights, for a while."""
        return self.optimisation.in_place()

    def validate(self) -> dict[str, float]:
        """Score mean probabilities, or what is read out."""
        if self._validate is not None:
            return self._validate(self.val)
        return self.val.score_network(self.network)

    def _batches(self, objective: Objective) -> Batches:
        """Batches of chips, or of the bags that the objective is about."""
        images, targets = self.train.images, np.empty(0, dtype=np.float32)
        if objective.by == "chip":
            return Batches(images, targets, self.batch_size, seed=self.seed)
        size = objective.get_params()["bag_size"]
        return Batches(
            images,
            targets,
            max(1, self.batch_size // max(size, 1)),
            divisions=self.train.divisions,
            bag_size=size,
            seed=self.seed,
        )

    def _step(self, objective: Objective, targets: Arrays) -> Any:
        def loss(images: Any, *targets: Any) -> Any:
            output = self.read(self.model(images, training=True))
            value = objective.compute_loss(self.train, output, *targets)
            asked = objective.penalise(self.model, images, self._seed())
            return tf.add_n([value + asked, *self.model.losses])

        example = self.train.images.read(np.zeros(1, dtype=np.intp))
        return self.optimisation.make_step(loss, (example, *targets))

    def _seed(self) -> Any:
        """Of what is drawn in a step: the seed of the training, and the number of the step."""
        steps = tf.cast(self.optimisation.optimizer.iterations.value, tf.int32)
        return tf.stack([self.seed % 2**31, steps])


def _select(batches: Batches, epoch: int, targets: Arrays) -> Iterator[tuple[int, Arrays]]:
    """Images of single chips, and the targets of their chips or bags."""
    for images, items in batches.epoch(epoch):
        chips = images.reshape(-1, *images.shape[-3:])
        yield len(chips), (chips, *(target[items] for target in targets))
