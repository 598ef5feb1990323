"""Density as buildings times occupancy: its classes, its network, and that it learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_region import small_region

pytest.importorskip("tensorflow", reason="popcorn needs TensorFlow")

from scipy.special import expit
from scipy.stats import logistic

from llpbench.data.info import DatasetInfo
from llpbench.errors import MethodError
from llpbench.protocol import prediction_inputs
from llpbench_baselines.backend import set_seed, tf
from llpbench_baselines.occupancy_head import OccupancyHead, cumulative_logit
from llpbench_baselines.popcorn import Popcorn

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

CUTS = np.array([-1.0, 0.5, 2.0], np.float32)
QUICK = {"rounds": 1, "local_steps": 60, "first_steps": 250}


def _ordered(chips: int, seed: int) -> Any:
    """The small region as if its classes were of density: the higher, the brighter."""
    region = small_region(chips, seed)
    noise = np.random.default_rng(seed).integers(0, 30, region["image"].shape)
    image = (40 * region["label"].to_numpy()[..., np.newaxis] + noise).astype(np.uint8)
    labels = replace(region.llp.label_set, ordered=True)
    attributes = DatasetInfo("small", "small", labels).attributes()
    return region.assign(image=(region["image"].dims, image)).assign_attrs(attributes)


def _probabilities(density: NDArray[Any], scale: float) -> NDArray[Any]:
    given = density[:, np.newaxis].astype(np.float32)
    logarithms = cumulative_logit(tf.constant(given), tf.constant(CUTS), scale)
    return np.exp(logarithms.numpy().astype(np.float64))


def test_classes_are_where_a_logistic_density_falls() -> None:
    """McCullagh's model: log density plus logistic noise of scale s, cut at the thresholds; the
    probabilities are differences of scipy's distribution function in double precision."""
    density, scale = np.linspace(-6, 6, 25), 0.7
    ends = np.concatenate([[-np.inf], CUTS.astype(float), [np.inf]])
    below = logistic.cdf(ends, loc=density[:, np.newaxis], scale=scale)
    found = _probabilities(density, scale)
    np.testing.assert_allclose(found, np.diff(below), rtol=2e-4, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    drawn = density[15] + logistic.rvs(scale=scale, size=100_000, random_state=0)
    shares = np.bincount(np.searchsorted(CUTS, drawn), minlength=4) / len(drawn)
    np.testing.assert_allclose(found[15], shares, atol=0.006)


def test_a_denser_cell_is_in_a_higher_class() -> None:
    """P(class > k) rises with density for each k, also far beyond all thresholds."""
    found = _probabilities(np.linspace(-60, 60, 241), 1.0)
    assert np.isfinite(np.log(found)).all()
    above = found[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    middle = slice(80, 161)  # where single precision tells them apart
    assert (np.diff(above[middle], axis=0) > 0).all()
    assert (np.diff(above, axis=0) > -1e-6).all()


@pytest.mark.parametrize("categories", [2, 3, 5])
def test_a_head_is_a_score_times_an_occupancy(categories: int) -> None:
    """By numpy from its weights; each of them has a gradient."""
    set_seed(0)
    head = OccupancyHead(categories)
    seen = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    head(seen)
    for number, weights in enumerate(head.trainable_weights):
        values = np.random.default_rng(number).normal(0, 0.7, weights.shape)
        weights.assign(values.astype(np.float32))
    own = {variable.path.split("/", 1)[1]: variable.numpy() for variable in head.weights}
    building = expit(seen @ own["building/kernel"] + own["building/bias"])
    occupancy = np.exp(seen @ own["occupancy/kernel"])
    assert ((building > 0) & (building < 1) & (occupancy > 0)).all()
    thresholds = np.cumsum([own["cuts"][0], *np.exp(own["cuts"][1:])])
    above = expit((np.log(building * occupancy) - thresholds) / np.exp(own["log_scale"]))
    expected = -np.diff(np.pad(above, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0))))
    with tf.GradientTape() as tape:
        found = head(seen)
        loss = -tf.reduce_mean(found[:, -1])
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-3, atol=1e-6)
    gradients = tape.gradient(loss, head.trainable_weights)
    assert len(gradients) == 5
    assert all(np.abs(gradient.numpy()).max() > 1e-4 for gradient in gradients)


def test_it_learns_and_is_kept(tmp_path: Any) -> None:
    """Loss falls; better than the mean on other chips of such classes, before and after."""
    train, val = (_ordered(n, s).llp.restrict("division") for n, s in ((48, 0), (8, 2)))
    test = _ordered(8, seed=3)
    method = Popcorn(**QUICK).fit(train, val)
    alone, together = (row["loss"] for row in method.history_)
    assert together < alone
    inputs = prediction_inputs(test, "inductive")
    found = method.predict(inputs)
    shares = test["chip_proportions"].to_numpy()
    null = np.abs(shares - train["target"].to_numpy().mean(axis=0)).mean()
    assert np.abs(found["proportions"].to_numpy() - shares).mean() < 0.75 * null
    right = found["segmentation"].to_numpy().repeat(4, axis=1).repeat(4, axis=2)
    assert (right == test["label"].to_numpy()[:, 2:98, 2:98]).mean() > 0.5
    kept = sum(np.size(values) for values in method.model_.get_weights())
    assert kept == Popcorn.parameters + Popcorn.non_trainable - 1  # the exponent is no layer's
    method.save(tmp_path / "saved")
    again = Popcorn.load(tmp_path / "saved").predict(inputs)
    np.testing.assert_array_equal(again["proportions"], found["proportions"])


def test_classes_without_an_order_are_refused() -> None:
    region = small_region(8).llp.restrict("division")
    with pytest.raises(MethodError, match="those of 'esaworldcover' are not said to have one"):
        Popcorn().fit(region, region)
