"""A small network that learns from divisions first what cells look like, then where they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.imagery import CELLS
from llpbench.errors import MethodError
from llpbench.methods.journal import Journal
from llpbench.methods.method import IterativeMethod, Progress
from llpbench_baselines.backend import model_graph, set_seed, tf
from llpbench_baselines.cell_training import CellTraining
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.context_network import ContextNetwork
from llpbench_baselines.exporting.exportable import most_probable
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.training import train_network

_BLOCK = 64
_SHARPNESS = (1.0, 2.0, 4.0, 64.0)


class LLPNet(KerasNetwork, IterativeMethod):
    r"""Learn cells from divisions, surroundings from cells.

    A network that sees far around each cell can match the proportions of its training divisions
    without learning what a cell is. So a small one that sees a cell of 40 m alone is trained on
    them (DLLP, over cells drawn from whole divisions). Its probabilities, raked until each division
    holds its proportions and made to agree with the cells nearby, are then what a network that
    also sees the kinds of texture within 600 m is trained to say (cross-entropy); its own
    probabilities are raked in turn, and so on: expectation and maximisation, begun where
    proportions suffice to tell the classes apart.

    The shares of a chip are the means of its cells' probabilities :math:`s_u^\gamma`, normalised;
    the exponent :math:`\gamma`, from 1 (mean probabilities) to 64 (counted cells), is the one with
    the lowest squared error of validation divisions. So is the round whose weights are kept.

    A network that is taught its own labels grows too sure of them. Probabilities of pixels are
    therefore :math:`s_u^{1/T}`, normalised (temperature scaling), with T = 2 for all datasets:
    between the temperatures with the least calibration error on labels of the demo regions' val
    splits, 1.7 of land cover and 2.3 of population. Divisions do not tell T: their shares are as
    well matched by surer cells.

    Parameters
    ----------
    rounds : int
        Expectation steps.
    coupling : float
        How much cells agree with those nearby in the expectation step, see
        :func:`~llpbench_baselines.spatial_smoothing.smooth`.
    local_steps, first_steps, later_steps : int
        Steps of gradient descent: on divisions, in the first round, in each later one.
    chips : int
        Training chips at most whose cells are kept in memory. Of more, the local layers see random
        cells of each, and every round sees other divisions, whole ones.
    random_state : int
        Seed of first weights and of what is drawn.
    deterministic : bool
        Whether the same seed gives the same bits on one machine, at some cost of speed. Once
        asked for, it holds for the whole process.

    Attributes
    ----------
    model_ : keras.Model
        The whole network, trained: images to class probabilities of cells.
    sharpness_ : float
        :math:`\gamma`.
    history_ : list of dict
        Training loss, validation loss and validation MAE of the local network, then of each
        round.

    References
    ----------
    DLLP: Ardehaly and Culotta, arXiv 1709.04108. Two stages with raked labels: Liu et al., IJCAI
    2021, arXiv 2105.10635. From local to surrounding features: as two views of co-training (Blum
    and Mitchell, COLT 1998) and auto-context (Tu and Bai, PAMI 2010). Temperature scaling: Guo et
    al., ICML 2017, arXiv 1706.04599.
    """

    parameters = 224 + 1056 + 6534 + 1760 + 165
    non_trainable = 2 * 24 + 2 * 96 + 1
    source = "this project"
    design = (
        "The network and its training were designed on labels of the synthetic demo regions, all "
        "splits, and of the val splits of three semi-real regions: on the demo regions this is no "
        "independent result."
    )
    designed_on = (
        *("demo-esaworldcover", "demo-humanpop"),
        *("semi-esa", "semi-esa-hazy", "semi-pop"),
    )
    marks_integers = True
    curriculum: ClassVar[type[CellTraining]] = CellTraining
    temperature: ClassVar[float] = 2.0

    def __init__(
        self,
        *,
        rounds: int = 4,
        coupling: float = 1.5,
        local_steps: int = 1200,
        first_steps: int = 2400,
        later_steps: int = 1200,
        chips: int = 6000,
        random_state: int = 0,
        deterministic: bool = False,
    ) -> None:
        self.rounds = rounds
        self.coupling = coupling
        self.local_steps = local_steps
        self.first_steps = first_steps
        self.later_steps = later_steps
        self.chips = chips
        self.random_state = random_state
        self.deterministic = deterministic

    def build(self, categories: int) -> Any:
        """Make the layers and the network."""
        self._layers = ContextNetwork(categories, self.input_)
        return self._layers.model()

    def find_input(self, train: xr.Dataset) -> ChipInput:
        """See the image of chips or, where there is none, the cells of their embedding."""
        return ChipInput.any_of(train)

    def initialise(self, images: NDArray[Any]) -> None:
        """Adapt the normalisations, for those who train the whole network at once."""
        starts = range(0, len(images), _BLOCK)
        batches = (images[start : start + _BLOCK] for start in starts)
        self._layers.surround(self._layers.describe(batches, self.random_state), self.random_state)

    def read_out(self, output: Any) -> Any:
        """Average sharpened probabilities."""
        return _sharpen(output, self._sharpness)

    def pixels(self, output: Any) -> Any:
        """Soften probabilities, which training leaves too sure."""
        return super().pixels(_power(output, 1 / self.softness))

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, Any | None]:
        """Shares and classes with products and concatenations of bytes, where numbers are rounded.

        Moments of cells, averages of kinds, their normalisations and the mean over cells stay
        float32: variances cancel in 8 bits, and averages over windows are slow.
        """
        with tf.init_scope():
            sharpness = self.sharpness_
        logits = self._layers.logits(images, numbers, sharpness)
        return tf.reduce_mean(tf.nn.softmax(logits), axis=(1, 2)), most_probable(logits)

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        journal: Journal | None = None,
    ) -> Self:
        """Train on divisions, then on raked cells; choose round and read-out on validation."""
        set_seed(self.random_state, deterministic=self.deterministic)
        self.input_ = self.find_input(train)
        self._build(train["category_name"].to_numpy())
        validation = SplitData.for_validation(val, array=self.input_.array)
        chips = self.training_chips(train)
        self._adapt_scale(chips.images)
        curriculum = self.curriculum(
            self._layers,
            chips,
            validation,
            self.settings,
            validate=lambda: self.choose_sharpness(validation),
            weights=[*self.model_.weights, self._sharpness],
        )
        self.history_ = train_network(curriculum, journal=journal, progress=progress)
        return self

    def training_bytes(self, train: xr.Dataset, chip: int) -> int:
        """Those of the chip, and of half-precision numbers and probabilities of its cells."""
        categories = train.sizes["category"]
        network = ContextNetwork(categories, self.find_input(train))
        probabilities = 16 * categories  # of two rounds in half, and one in single precision
        return 2 * chip + CELLS**2 * (network.cell_bytes + probabilities)

    def training_chips(self, train: xr.Dataset) -> SplitData:
        """Take all chips with a target; images are kept of no more than ``chips``."""
        known = np.flatnonzero(np.isfinite(train["target"].to_numpy()).all(axis=1))
        if not len(known):
            raise MethodError("there is nothing to train on: no chip has a target")
        seen = self.input_
        memory = self.chips * math.prod(seen.shape) * np.dtype(seen.dtype).itemsize
        targets = self.targets(train)
        return SplitData.of(train, known, targets=targets, memory=memory, array=seen.array)

    def targets(self, ds: xr.Dataset) -> NDArray[Any]:
        """Read targets of single chips; divisions alone are used by default."""
        targets: NDArray[np.float32] = ds["target"].to_numpy()
        return targets

    def choose_sharpness(self, validation: SplitData) -> dict[str, float]:
        """Take the exponent whose shares fit validation divisions best, and give its scores."""
        network = model_graph(
            self.model_, lambda images: _sharpen_all(self.model_(images, training=False))
        )
        parts = [network(batch).numpy() for batch in validation.images.in_order(_BLOCK)]
        scores = [validation.score(shares) for shares in np.concatenate(parts, axis=1)]
        best = int(np.argmin([score["val_loss"] for score in scores]))
        self._sharpness.assign(_SHARPNESS[best])
        return scores[best]

    @property
    def sharpness_(self) -> float:
        """The exponent of the read-out."""
        return float(self._sharpness.numpy())

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Weights of the network, the exponent of the read-out, and category names."""
        return {**super().get_weights(), "sharpness": np.array([self.sharpness_], np.float32)}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Build the network and take weights over."""
        super().set_weights(weights)
        self._sharpness.assign(weights["sharpness"][0])
        return self

    def _build(self, categories: NDArray[np.str_]) -> None:
        self._sharpness.assign(1.0)
        self.softness = self.temperature  # not where another method trains the network
        super()._build(categories)

    @cached_property
    def _sharpness(self) -> Any:
        """The exponent of the read-out; 1 where another method trains the network."""
        return tf.Variable(1.0)


def _power(output: Any, exponent: Any) -> Any:
    """Raise probabilities to a power, and make them sum to 1 again."""
    return tf.nn.softmax(exponent * tf.math.log(output + 1e-7))


def _sharpen(output: Any, sharpness: Any) -> Any:
    """Mean probabilities of chips, each cell's raised to a power."""
    return tf.reduce_mean(_power(output, sharpness), axis=(1, 2))


def _sharpen_all(output: Any) -> Any:
    return tf.stack([_sharpen(output, sharpness) for sharpness in _SHARPNESS])
