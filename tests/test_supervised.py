"""Bounds: networks trained on labels that no method of the ranking sees, read out as theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_region import small_region

from llpbench.data.divisions import Divisions
from llpbench.protocol import prediction_inputs
from llpbench_baselines.supervised import ChipSupervised, PixelSupervised

GROUP_WEIGHTS = np.array([group.weight for group in small_region(4).llp.label_set.groups])


def test_the_read_out_is_chosen_on_validation_divisions(tmp_path: Path) -> None:
    """Against the shares and errors of each exponent, worked out here with numpy."""
    val = small_region(8, seed=2)
    method = ChipSupervised(epochs=2, batch_size=8, random_state=2)
    method.fit(*(ds.llp.restrict(method.supervision) for ds in (small_region(24), val)))
    inputs = prediction_inputs(val, "inductive")
    ((_chips, probabilities),) = method.predict_proba(inputs)
    powers = {gamma: probabilities.astype(np.float64) ** gamma for gamma in (1, 2, 4, 64)}
    shares = {
        gamma: (power / power.sum(axis=-1, keepdims=True)).mean(axis=(1, 2))
        for gamma, power in powers.items()
    }
    known = Divisions.of(val)
    errors = {
        gamma: float(((known.means(read) - known.proportions) ** 2 @ GROUP_WEIGHTS).mean())
        for gamma, read in shares.items()
    }
    best = min(errors, key=lambda gamma: errors[gamma])
    assert best == 2, "of these weights neither mean probabilities nor counted cells fit best"
    predicted = method.predict(inputs)["proportions"]
    np.testing.assert_allclose(predicted, shares[best], atol=1e-4)
    assert min(row["val_loss"] for row in method.history_) == pytest.approx(errors[best], rel=1e-3)
    method.save(tmp_path)
    again = ChipSupervised.load(tmp_path).predict(inputs)["proportions"]
    np.testing.assert_array_equal(again, predicted)


def test_training_ends_when_validation_no_longer_improves() -> None:
    """At no learning rate nothing improves on the first epoch."""
    region = small_region(8).llp.restrict("pixel")
    method = PixelSupervised(learning_rate=0.0)
    method.fit(region, region)
    assert len(method.history_) == 1 + method.settings["patience"] < method.settings["epochs"]
