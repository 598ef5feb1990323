"""Whether 95 % intervals hold the truth 95 times in 100, on simulated benchmarks.

A benchmark has divisions of unequal size and chips whose errors share a part with their division:

    error of a chip = 0.05 (A + B),  A, B ~ Gamma(shape 2, scale 1/2), A one a division

A and B have mean 1 and variance 1/2 each, so that the mean error is 0.1, half of the variance is
the division's (intraclass correlation 0.5), and errors are skewed as absolute errors are. Sizes are
1 + multinomial with lognormal weights (sigma 0.75): 12 chips a division on average with a standard
deviation of about 9, as where municipalities are. They do not depend on the errors, so that the
ratio estimator's target is 0.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from regions import make_region, write_region
from scipy.stats import binom, bootstrap

import llpbench
from llpbench.predictions.table import make_predictions
from llpbench.scoring.scores import Scores
from llpbench.statistics import division_interval, division_sums

pytestmark = pytest.mark.usefixtures("no_pictures")

MEAN_ERROR = 0.1
CHIPS_A_DIVISION = 12
FloatArray = NDArray[np.float64]


def simulated(
    divisions: int, simulations: int, seeds: int = 1
) -> Iterator[tuple[FloatArray, NDArray[np.int64]]]:
    """Errors (seeds, chips) and division of each chip, one benchmark after the other."""
    generator = np.random.default_rng(20240 + divisions)
    for _ in range(simulations):
        weights = generator.lognormal(0, 0.75, divisions)
        spread = generator.multinomial((CHIPS_A_DIVISION - 1) * divisions, weights / weights.sum())
        division = np.repeat(np.arange(divisions), 1 + spread)
        shared = generator.gamma(2, 0.5, divisions)[division]
        own = generator.gamma(2, 0.5, (seeds, len(division)))
        yield 0.05 * (shared + own), division


def holds(interval: Any, truth: float = MEAN_ERROR) -> bool:
    return bool(interval.low <= truth <= interval.high)


def coverage(divisions: int, simulations: int) -> dict[str, float]:
    """Fraction of the simulations in which intervals hold the true mean.

    By leaving out divisions; and, by scipy, chips alone as if they were independent.
    """
    held: Counter[str] = Counter()
    for errors, division in simulated(divisions, simulations):
        held["divisions"] += holds(division_interval(division_sums(errors[0], division)[1]))
        chips = bootstrap(
            (errors[0],), np.mean, n_resamples=500, method="percentile", rng=len(division)
        )
        held["chips"] += holds(chips.confidence_interval)
    return {name: number / simulations for name, number in held.items()}


def test_the_simulation_has_the_stated_correlation_and_sizes() -> None:
    # one-way analysis of variance: intraclass correlation = between / (between + within)
    errors, division = next(simulated(4000, 1))
    sizes = np.bincount(division)
    means = np.bincount(division, errors[0]) / sizes
    within = np.sum((errors[0] - means[division]) ** 2) / (len(division) - len(sizes))
    average_size = (len(division) - np.sum(sizes**2) / len(division)) / (len(sizes) - 1)
    square_between = np.sum(sizes * (means - errors[0].mean()) ** 2) / (len(sizes) - 1)
    between = (square_between - within) / average_size
    assert between / (between + within) == pytest.approx(0.5, abs=0.05)
    assert errors[0].mean() == pytest.approx(MEAN_ERROR, rel=0.05)
    assert 0.6 < sizes.std() / sizes.mean() < 0.9


@pytest.mark.parametrize("divisions", [60, pytest.param(120, marks=pytest.mark.full)])
def test_default_interval_covers_on_few_simulations(divisions: int) -> None:
    # An interval that covers 93 to 97 % falls outside these bounds once in a thousand runs.
    simulations = 250
    held = coverage(divisions, simulations)
    low = binom.ppf(0.0005, simulations, 0.93) / simulations
    high = binom.ppf(0.9995, simulations, 0.97) / simulations
    assert low <= held["divisions"] <= high
    assert held["chips"] < low


def coverage_over_seeds(seeds: int, simulations: int) -> tuple[float, float]:
    """Coverage with seeds and with seeds averaged first, for seeds that differ.

    A seed's errors are all shifted by N(0, 0.004²), about as uncertain as the mean of 60 divisions.
    """
    generator = np.random.default_rng(0)
    with_seeds = averaged = 0
    for errors, division in simulated(60, simulations, seeds):
        shifts = generator.normal(0, 0.004, (seeds, 1))
        sums = np.stack([division_sums(row, division)[1] for row in errors + shifts])
        with_seeds += holds(division_interval(sums))
        averaged += holds(division_interval(sums.mean(axis=0)))
    return with_seeds / simulations, averaged / simulations


@pytest.mark.parametrize(
    "simulations", [150, pytest.param(1000, marks=pytest.mark.full)], ids=["few", "many"]
)
def test_intervals_over_seeds_cover(simulations: int) -> None:
    with_seeds, averaged = coverage_over_seeds(5, simulations)
    assert with_seeds > binom.ppf(0.0005, simulations, 0.93) / simulations
    assert with_seeds > averaged


@pytest.mark.full
@pytest.mark.parametrize("divisions", [30, 60, 120])
def test_default_interval_covers(divisions: int, record_property: pytest.RecordProperty) -> None:
    held = coverage(divisions, 2000)
    for name, fraction in held.items():
        record_property(f"coverage of {name} with {divisions} divisions", fraction)
    if divisions >= 60:
        assert 0.93 <= held["divisions"] <= 0.97
    assert held["chips"] < 0.8


# through the product: predictions scored and compared on a region

CLASSES = 5
EASY, SPREAD, OWN = 0.06, 4.0, 8.0


class Region:
    """18 test divisions of 1 to 9 chips, and predictions of them that are as far off as asked."""

    def __init__(self, folder: Path) -> None:
        write_region(make_region(27, 18, 9, 6), folder)
        ds = llpbench.open_dataset(folder).drop_vars("image").llp.split("test").compute()
        names, number = np.unique(ds["own_division"].to_numpy(), return_inverse=True)
        generator = np.random.default_rng(0)
        kept = generator.random(len(number)) < generator.beta(0.8, 0.8, len(names))[number]
        kept[np.unique(number, return_index=True)[1]] = True
        self.ds, self.number, self.divisions = ds.isel(chip=kept), number[kept], len(names)
        self.part = self.ds.llp.group()
        self.truth = self.part.llp.truth().to_numpy()

    def score(self, errors: NDArray[np.float64]) -> Scores:
        """Score seeds whose MAE in divisions (seed, division) is given: the rarest has more."""
        rarest = np.eye(CLASSES)[self.truth.argmin(axis=1)]
        seeds = []
        for one in errors:
            moved = one[self.number] * CLASSES / (2 * (1 - self.truth.min(axis=1)))
            shares = self.truth + moved[:, np.newaxis] * (rarest - self.truth)
            names = self.part["category_name"].to_numpy()
            seeds.append(make_predictions(self.part["chip"].to_numpy(), names, shares))
        return llpbench.evaluate(seeds, self.ds)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    return Region(tmp_path_factory.mktemp("stores") / "grid")


def drawn_errors(generator: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Errors of methods in divisions, which share how hard a division is: (method, division)."""
    shared = generator.gamma(SPREAD, 1 / SPREAD, shape[1])
    own = generator.gamma(OWN, 1 / OWN, shape)
    return EASY * np.minimum(shared * own, 4)


def coverage_of_scores(region: Region, simulations: int) -> dict[str, float]:
    """How often scores and comparisons hold what is so on average over all divisions there are."""
    generator = np.random.default_rng(5)
    truth = float(drawn_errors(generator, (1, 1_000_000)).mean())
    held: Counter[str] = Counter()
    for _ in range(simulations):
        errors = drawn_errors(generator, (2, region.divisions))
        first, second = (region.score(one[np.newaxis]) for one in errors)
        assert first.value("mae") == pytest.approx(errors[0][region.number].mean())
        held["score"] += holds(first.interval("mae"), truth)
        held["difference"] += holds(first.compare(second), 0)
    return {name: count / simulations for name, count in held.items()}


@pytest.mark.parametrize(
    "simulations", [30, pytest.param(1000, marks=pytest.mark.full)], ids=["few", "many"]
)
def test_scores_and_comparisons_cover_with_18_divisions(region: Region, simulations: int) -> None:
    # Intervals that cover 92 to 98 % fall outside these bounds once in a thousand runs.
    held = coverage_of_scores(region, simulations)
    for fraction in held.values():
        assert binom.ppf(0.0005, simulations, 0.92) <= fraction * simulations
        assert fraction * simulations <= binom.ppf(0.9995, simulations, 0.98)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from(["mae", "rmse", "r2"]))
def test_a_comparison_leaves_0_out_exactly_where_it_tells_apart(
    region: Region, seed: int, seeds: int, metric: str
) -> None:
    """Small, large and no differences, in errors of few values, so that there are ties."""
    generator = np.random.default_rng(seed)
    errors = generator.integers(1, 5, (2, seeds, region.divisions)) / 40
    errors[1] = errors[0] if seed % 5 == 0 else errors[1] + generator.choice([0, 0.005, 0.05])
    first, second = (region.score(method) for method in errors)
    found = first.compare(second, metric)
    assert found.low <= found.difference <= found.high
    assert found.is_told_apart == (found.p_value < 0.05) == (not holds(found, 0))
    corrected = found.corrected(min(3 * found.p_value, 1))
    assert corrected.is_told_apart == (not holds(corrected, 0))
