"""All pairs of many methods at once: how often it errs, and that it agrees with single tests."""

from __future__ import annotations

import numpy as np
import pytest

from llpbench.statistics import holm, rank_methods, ratio, sign_flip_test
from llpbench.statistics.many import largest_difference_test
from llpbench.statistics.ranking import MOST_PAIRS


def draw(
    generator: np.random.Generator, methods: int, effects: float | np.ndarray = 0.0
) -> np.ndarray:
    """Error sums and chip counts of 40 divisions of unequal size: (divisions, methods, 2)."""
    chips = generator.integers(5, 100, (40, 1)).astype(float)
    errors = generator.normal(0.2, 0.05, (40, 1)) + generator.normal(0, 0.02, (40, methods))
    return np.stack(np.broadcast_arrays((errors + effects) * chips, chips), axis=-1)


@pytest.mark.parametrize("effects", [np.zeros(6), np.array([0, 0, 0, 0, 0.1, 0.2])])
def test_equal_methods_are_rarely_told_apart(effects: np.ndarray) -> None:
    """At 5 % in 400 trials, 20 are expected at most; 33 are three standard deviations more.

    With and without others that do differ.
    """
    generator, wrong = np.random.default_rng(0), 0
    for trial in range(400):
        p_values = largest_difference_test(
            draw(generator, 6, effects), ratio, draws=199, random_state=trial
        )
        equal = p_values[:4, :4] if effects.any() else p_values
        wrong += (equal < 0.05).any()
    assert wrong <= 33


def test_one_pair_is_the_single_test() -> None:
    """With one pair, the largest difference is its own, and units do not matter."""
    sums = draw(np.random.default_rng(1), 2, np.array([0, 0.003]))
    single = sign_flip_test(sums[:, 0], sums[:, 1], ratio, draws=499, random_state=3)
    both = largest_difference_test(sums, ratio, draws=499, random_state=3)
    assert both[0, 1] == both[1, 0] == single.p_value
    few = sums[:6]  # 64 swaps, all tried
    exact = largest_difference_test(few, ratio, draws=499)
    assert exact[0, 1] == sign_flip_test(few[:, 0], few[:, 1], ratio, draws=499).p_value


def test_it_finds_what_holm_finds() -> None:
    """Holm assumes the worst about how tests depend on each other; this uses how they do."""
    sums = draw(np.random.default_rng(2), 10, np.repeat([0, 0.03], 5))
    together = largest_difference_test(sums, ratio)
    pairs = np.transpose(np.triu_indices(10, 1))
    single = [sign_flip_test(sums[:, a], sums[:, b], ratio).p_value for a, b in pairs]
    by_holm = holm(single) < 0.05
    assert by_holm.sum() > 20  # 25 pairs differ
    assert (together[tuple(pairs[by_holm].T)] < 0.05).all()


def test_methods_that_never_differ_are_one() -> None:
    sums = draw(np.random.default_rng(3), 3)
    same = sums[:, [0, 0, 2]]
    assert largest_difference_test(same, ratio)[0, 1] == 1


def test_many_methods_are_ranked_in_their_groups() -> None:
    """60 methods in three groups, whose differences are many times their noise."""
    effects = np.repeat([0, 0.1, 0.2], 20)
    sums = draw(np.random.default_rng(4), 60, effects)
    assert MOST_PAIRS < 60 * 59 / 2
    ranking = rank_methods(list(sums.swapaxes(0, 1)))
    assert ranking.group[0] == 1
    for start, low, high in ((0, 1, 20), (20, 21, 40), (40, 41, 60)):
        part = slice(start, start + 20)
        assert ranking.rank[part].min() == low
        assert ranking.rank[part].max() == high
        assert (ranking.low[part] >= low).all()
        assert (ranking.high[part] <= high).all()
