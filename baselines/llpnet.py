"""A small network that learns from divisions first what cells look like, then where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches.images import Images
from llpbench.errors import MethodError
from llpbench.methods.method import Progress
from llpbench_baselines.backend import load_backend
from llpbench_baselines.cell_training import Cells, match_cells, match_divisions
from llpbench_baselines.context_network import CELLS, LOCAL, ContextNetwork, apply
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.raking import apply_factors, log_factors
from llpbench_baselines.spatial_smoothing import smooth
from llpbench_baselines.validation import Validation

_BLOCK = 64
_SAMPLED = 4
"""One in so many cells suffices to find by what all are to be multiplied."""
_ACCURACY = 0.01
"""Chips by which a division's cells may miss its proportions."""
_SHARPNESS = (1.0, 2.0, 4.0, 64.0)


class LLPNet(KerasNetwork):
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
    the lowest squared error of validation divisions.

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
        Training chips at most, drawn at random: their cells are kept in memory.
    random_state : int
        Seed of first weights and of what is drawn.

    Attributes
    ----------
    model_ : keras.Model
    sharpness_ : float
        :math:`\gamma`.

    References
    ----------
    DLLP: Ardehali and Culotta, arXiv 1709.04108. Two stages with raked labels: Liu et al., IJCAI
    2021, arXiv 2105.10635. From local to surrounding features: as two views of co-training (Blum
    and Mitchell, COLT 1998) and auto-context (Tu and Bai, PAMI 2010).
    """

    parameters = 336 + 980 + 5440 + 2080 + 165
    non_trainable = 2 * 24 + 2 * 60 + 1
    source = "this project"
    design = (
        "The network and its training were designed on labels of the synthetic demo regions, all "
        "splits, and on proportions of validation divisions of a semi-real region: on the demo "
        "regions this is no independent result."
    )

    def __init__(
        self,
        *,
        rounds: int = 4,
        coupling: float = 1.5,
        local_steps: int = 600,
        first_steps: int = 600,
        later_steps: int = 300,
        chips: int = 6000,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.coupling = coupling
        self.local_steps = local_steps
        self.first_steps = first_steps
        self.later_steps = later_steps
        self.chips = chips
        self.random_state = random_state

    def build(self, categories: int) -> Any:
        """Make the layers and the network."""
        self._layers = ContextNetwork(categories)
        return self._layers.model()

    def initialise(self, images: NDArray[np.uint8]) -> None:
        """Adapt the normalisations, for those who train the whole network at once."""
        starts = range(0, len(images), _BLOCK)
        self._surroundings(self._moments(images[start : start + _BLOCK] for start in starts))

    def read_out(self, output: Any) -> Any:
        """Average sharpened probabilities."""
        tensorflow, _keras = load_backend()
        sharp = tensorflow.nn.softmax(self._sharpness * tensorflow.math.log(output + 1e-7))
        return tensorflow.reduce_mean(sharp, axis=(1, 2))

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, progress: Progress | None = None) -> Self:
        """Train on divisions, then on raked cells; choose the read-out on validation divisions."""
        _tensorflow, keras = load_backend()
        generator = np.random.default_rng(self.random_state)
        keras.utils.set_random_seed(self.random_state)
        self._build(train["category_name"].to_numpy())
        divisions = KnownDivisions(self._choose(train, generator))
        moments = self._moments(divisions.images.in_order(_BLOCK))
        local = self._learn_locally(moments, divisions, generator, progress)
        features = np.concatenate([moments, self._surroundings(moments)], axis=-1)
        del moments
        self._refine(features, local, divisions, generator, progress)
        self._choose_sharpness(Validation.of(val))
        return self

    def _build(self, categories: NDArray[np.str_]) -> None:
        tensorflow, _keras = load_backend()
        super()._build(categories)
        self._sharpness = tensorflow.Variable(1.0)

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

    def _choose(self, train: xr.Dataset, generator: np.random.Generator) -> xr.Dataset:
        """Training chips with a target, as many as are kept in memory."""
        known = np.flatnonzero(np.isfinite(train["target"].to_numpy()).all(axis=1))
        if not len(known):
            raise MethodError("there is nothing to train on: no chip has a target")
        if len(known) > self.chips:
            known = np.sort(generator.choice(known, self.chips, replace=False))
        return train.isel(chip=known)

    def _moments(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float16]:
        """Normalised descriptions of all cells; adapts the normalisation."""
        tensorflow, _keras = load_backend()
        describe = tensorflow.function(self._layers.moments, autograph=False, reduce_retracing=True)
        found = [describe(batch).numpy().astype(np.float16) for batch in images]
        return _normalise(self._layers.moments_scale, np.concatenate(found))

    def _surroundings(self, moments: NDArray[np.float16]) -> NDArray[np.float16]:
        """Normalised kinds of texture around all cells; adapts the normalisation."""
        found = _in_blocks(self._layers.surroundings, moments)
        return _normalise(self._layers.kinds_scale, found)

    def _learn_locally(
        self,
        moments: NDArray[np.float16],
        divisions: KnownDivisions,
        generator: np.random.Generator,
        progress: Progress | None,
    ) -> NDArray[np.float16]:
        """Train on each cell alone; probabilities of all cells."""
        alone = np.ascontiguousarray(moments[..., :LOCAL])
        layers = [*self._layers.local, *self._layers.local_head]
        match_divisions(
            layers,
            Cells(alone, generator),
            divisions.rows,
            divisions.proportions,
            divisions.areas,
            steps=self.local_steps,
            learning_rate=3e-3,
            progress=progress,
        )
        return predict_cells(layers, alone)

    def _refine(
        self,
        features: NDArray[np.float16],
        probabilities: NDArray[np.float16],
        divisions: KnownDivisions,
        generator: np.random.Generator,
        progress: Progress | None,
    ) -> None:
        """Train on raked probabilities, round after round."""
        cells = Cells(features, generator)
        for number in range(self.rounds):
            raked = divisions.rake(probabilities)
            if self.coupling:
                raked = divisions.rake(smooth(raked, coupling=self.coupling))
            match_cells(
                self._layers.context,
                cells,
                raked,
                steps=self.later_steps if number else self.first_steps,
                learning_rate=2e-3 if number else 3e-3,
                progress=progress,
            )
            probabilities = predict_cells(self._layers.context, features)

    def _choose_sharpness(self, validation: Validation) -> None:
        """Take the exponent whose shares fit validation divisions best."""
        losses = []
        for sharpness in _SHARPNESS:
            self._sharpness.assign(sharpness)
            found = [self._read(batch)[0].numpy() for batch in validation.images.in_order(_BLOCK)]
            losses.append(validation.score(np.concatenate(found))["val_loss"])
        self._sharpness.assign(_SHARPNESS[int(np.argmin(losses))])


class KnownDivisions:
    """Chips, and what is known of the divisions that they lie in.

    Parameters
    ----------
    ds : Dataset
        A split behind the label firewall.

    Attributes
    ----------
    images : Images
    rows : csr_array, shape (division, n)
        The part of each division's overlap area that lies in each chip.
    proportions : ndarray of float32, shape (division, category)
    areas : ndarray of float64, shape (division,)
        Of the overlaps, in km².
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self.images = Images(ds)
        self.rows = ds.llp.bags()
        self.proportions = ds["division_proportions"].to_numpy().astype(np.float32)
        areas = ds.llp.overlaps().groupby("division")["area_km2"].sum()
        self.areas = areas.reindex(ds["division"].to_numpy(), fill_value=0.0).to_numpy()

    def rake(self, probabilities: NDArray[np.floating]) -> NDArray[np.float16]:
        """Multiply the probabilities of cells until divisions hold their proportions.

        Parameters
        ----------
        probabilities : ndarray, shape (n, row, column, category)

        Returns
        -------
        ndarray of float16
            Of the same shape.
        """
        cells = probabilities.reshape(len(probabilities), -1, probabilities.shape[-1])
        factors = log_factors(cells[:, ::_SAMPLED], self.rows, self.proportions, accuracy=_ACCURACY)
        raked = np.empty(cells.shape, dtype=np.float16)
        for start in range(0, len(cells), _BLOCK):
            block = slice(start, start + _BLOCK)
            raked[block] = apply_factors(cells[block], factors[block])
        return raked.reshape(probabilities.shape)


def predict_cells(layers: list[Any], features: NDArray[np.float16]) -> NDArray[np.float16]:
    """Predict the class probabilities of cells.

    Parameters
    ----------
    layers : list of keras.layers.Layer
    features : ndarray of float16, shape (n, ..., feature)

    Returns
    -------
    ndarray of float16, shape (n, ..., category)
    """
    _tensorflow, keras = load_backend()
    return _in_blocks(lambda values: keras.ops.softmax(apply(layers, values)), features)


def _in_blocks(function: Any, values: NDArray[np.float16]) -> NDArray[np.float16]:
    """Results of a function of tensors for all chips, in half precision."""
    tensorflow, _keras = load_backend()

    graph = tensorflow.function(function, autograph=False, reduce_retracing=True)
    blocks = [
        graph(values[start : start + _BLOCK].astype(np.float32)).numpy().astype(np.float16)
        for start in range(0, len(values), _BLOCK)
    ]
    return np.concatenate(blocks)


def _normalise(layer: Any, values: NDArray[np.float16]) -> NDArray[np.float16]:
    """Adapt a normalisation to values, and apply it."""
    every = max(1, len(values) * CELLS**2 // 200_000)
    sample = values.reshape(-1, values.shape[-1])[::every].astype(np.float32)
    layer.adapt(sample)
    return _in_blocks(layer, values)
