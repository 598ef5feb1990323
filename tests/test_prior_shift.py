"""Class probabilities adapted to the shares of each chip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from llpbench.errors import MethodError
from llpbench_baselines.prior_shift import emq


def _seen(seed: int, chips: int = 3, pixels: int = 40, categories: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.dirichlet(np.full(categories, 0.5), (chips, pixels)).astype(np.float32)


def test_it_maximises_the_likelihood_of_the_shares() -> None:
    """Without prior mass or temperature, against a general optimiser of the likelihood.

    A pixel's likelihood under class k is its probability over the prior, up to a factor.
    """
    seen, prior = _seen(0, chips=2, categories=2), np.array([0.3, 0.7])
    adapted = emq(seen, prior, iterations=10_000, tolerance=1e-9).mean(axis=1)
    for pixels, shares in zip(seen.astype(float), adapted, strict=True):
        found = minimize_scalar(
            lambda x, pixels=pixels: -np.log(pixels / prior @ [x, 1 - x]).sum(),
            bounds=(0, 1),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert shares[0] == pytest.approx(found.x, abs=1e-4)


def test_it_undoes_a_shift_of_the_class_shares() -> None:
    """Exact posteriors of two normal classes learned at equal shares, met at 9 to 1."""
    random = np.random.default_rng(1)
    truth = random.random((1, 20_000)) < 0.1
    value = random.normal(np.where(truth, 1.0, -1.0))
    second = 1 / (1 + np.exp(-2 * value))  # the ratio of the two densities is exp(2 value)
    seen = np.stack([1 - second, second], axis=-1)
    assert seen.mean(axis=1)[0, 1] > 0.2
    assert emq(seen, [0.5, 0.5]).mean(axis=1)[0, 1] == pytest.approx(truth.mean(), abs=0.01)


@given(st.integers(0, 10**6), st.floats(0, 100), st.floats(1, 50))
def test_probabilities_stay_on_the_simplex(seed: int, alpha: float, temperature: float) -> None:
    adapted = emq(_seen(seed), [0.2, 0.3, 0.5], alpha=alpha, temperature=temperature)
    assert (adapted >= 0).all()
    np.testing.assert_allclose(adapted.sum(axis=-1), 1, rtol=1e-5)


def test_heat_and_prior_mass_leave_everything_as_it_is() -> None:
    seen = _seen(2)
    np.testing.assert_allclose(emq(seen, [0.2, 0.3, 0.5], temperature=np.inf), seen, rtol=1e-5)
    np.testing.assert_allclose(emq(seen, [0.2, 0.3, 0.5], alpha=1e9), seen, rtol=1e-4)


def test_chips_are_judged_one_at_a_time_and_pixels_in_any_order() -> None:
    seen = _seen(3, chips=150)
    adapted = emq(seen, [0.2, 0.3, 0.5], tolerance=0)
    np.testing.assert_allclose(
        adapted[[70]], emq(seen[[70]], [0.2, 0.3, 0.5], tolerance=0), rtol=1e-4
    )
    np.testing.assert_allclose(
        adapted[:, ::-1], emq(seen[:, ::-1], [0.2, 0.3, 0.5], tolerance=0), rtol=1e-3
    )


def test_classes_no_prior_knows_stay_finite() -> None:
    adapted = emq(np.array([[[1.0, 0.0], [0.0, 1.0]]]), [1.0, 0.0])
    assert np.isfinite(adapted).all()


def test_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(MethodError, match=r"temperature at least 1, found 0\.0 and 0\.5"):
        emq(_seen(4), [0.2, 0.3, 0.5], temperature=0.5)
    with pytest.raises(MethodError, match="alpha must not be negative"):
        emq(_seen(4), [0.2, 0.3, 0.5], alpha=-1)
