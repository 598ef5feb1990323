"""Confidence intervals of what is said of one method on several datasets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics.bootstrap import Interval, resampled_totals, resampling_counts
from llpbench.statistics.limits import bootstrap_t
from llpbench.statistics.sums import MINIMUM_DIVISIONS, Statistic, as_sums, caution

_Region = tuple[list[str], list[int]]
"""Ids of divisions, and the numbers of the datasets that lie there."""


def stratified_bootstrap(
    sums: Sequence[ArrayLike],
    divisions: Sequence[Sequence[str]],
    statistic: Statistic,
    *,
    draws: int = 2000,
    level: float = 0.95,
    random_state: int = 0,
) -> Interval:
    """Confidence interval of a score over several datasets, each resampled for itself.

    A draw takes of each dataset as many divisions as it has, with replacement, and as many seeds.
    Datasets of one place share their divisions: where more than half of the ids are the same, a
    draw takes the same divisions for both, so that errors which they share do not cancel out. The
    datasets themselves are not resampled: the interval is about these and no others.

    Parameters
    ----------
    sums : sequence of array_like, each of shape (C, m) or (seeds, C, m)
        Sums of the same m terms over the chips of the divisions of each dataset.
    divisions : sequence of sequences of str, each of length C
        Ids of the divisions of each dataset, each once.
    statistic : callable
        From the totals of all datasets (..., dataset, m) to a value (...), of ratios between the
        terms of a dataset.
    draws : int
        Number of resamples.
    level : float
        Nominal coverage, between 0 and 1.
    random_state : int
        Seed of the draws. Two methods on the same datasets see the same draws.

    Returns
    -------
    Interval
        The statistic (seeds averaged) with bootstrap-t limits, NaN if a dataset has fewer than 5
        divisions; its note is about the dataset with the fewest.

    Raises
    ------
    MetricError
        If a dataset has other ids than divisions, or sums are not finite.

    Notes
    -----
    Source: Davison and Hinkley (1997), Bootstrap Methods and their Application, section 3.2
    (several samples); Agarwal et al. (NeurIPS 2021, arXiv 2108.13264) for strata that are tasks.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.column_stack([np.tile([0.5, 1.5], 30), np.full(60, 10.0)])
    >>> ids = [f"d{number}" for number in range(60)]
    >>> def mean_error(totals):
    ...     return (totals[..., 0] / totals[..., 1]).mean(axis=-1)
    >>> both = stratified_bootstrap([sums, sums + [1, 0]], [ids, ids], mean_error)
    >>> round(both.value, 2), round(both.low, 2), round(both.high, 2)
    (0.15, 0.14, 0.16)
    """
    return _bootstrap([sums], divisions, statistic, draws, level, random_state)


def stratified_difference(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    divisions: Sequence[Sequence[str]],
    statistic: Statistic,
    *,
    draws: int = 2000,
    level: float = 0.95,
    random_state: int = 0,
) -> Interval:
    """Confidence interval of the difference between two methods over several datasets.

    Each draw takes the same divisions for both methods, and seeds for each on their own: what is
    hard for both cancels out, which two intervals side by side do not show.

    Parameters
    ----------
    first, second : sequence of array_like, each of shape (C, m) or (seeds, C, m)
        Sums of both methods on the same datasets; numbers of seeds may differ.
    divisions, statistic, draws, level, random_state
        As in :func:`stratified_bootstrap`.

    Returns
    -------
    Interval
        The statistic of ``first`` minus that of ``second``.

    Raises
    ------
    MetricError
        As :func:`stratified_bootstrap`.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.column_stack([np.tile([0.5, 1.5], 30), np.full(60, 10.0)])
    >>> ids = [[f"d{number}" for number in range(60)]]
    >>> def mean_error(totals):
    ...     return (totals[..., 0] / totals[..., 1]).mean(axis=-1)
    >>> interval = stratified_difference([sums], [sums - [0.1, 0]], ids, mean_error)
    >>> round(interval.value, 6), round(interval.low, 6), round(interval.high, 6)
    (0.01, 0.01, 0.01)
    """

    def difference(totals: FloatArray) -> FloatArray:
        one, other = np.split(totals, 2, axis=-1)
        return np.subtract(statistic(one), statistic(other))

    return _bootstrap([first, second], divisions, difference, draws, level, random_state)


def _bootstrap(
    methods: Sequence[Sequence[ArrayLike]],
    divisions: Sequence[Sequence[str]],
    statistic: Statistic,
    draws: int,
    level: float,
    random_state: int,
) -> Interval:
    """Bootstrap a statistic of the terms of one or two methods, side by side for each dataset."""
    arrays = [[as_sums(one) for one in sums] for sums in methods]
    for one, ids in zip(arrays[0], divisions, strict=True):
        if one.shape[1] != len(set(ids)):
            raise MetricError(
                f"each division needs an id of its own, found {len(set(ids))} ids of "
                f"{one.shape[1]} divisions"
            )
    datasets = len(divisions)

    def flat(totals: FloatArray) -> FloatArray:
        return np.asarray(statistic(totals.reshape(*totals.shape[:-1], datasets, -1)))

    fewest = min(map(len, divisions))
    means = [[one.mean(axis=0).sum(axis=0) for one in sums] for sums in arrays]
    value = float(flat(np.concatenate(means, axis=-1).ravel()))
    low = high = float("nan")
    if fewest >= MINIMUM_DIVISIONS:
        observed, counts, totals = _resampled(arrays, divisions, draws, random_state)
        limits = bootstrap_t(
            lambda rows: flat(rows)[:, np.newaxis], observed, counts, totals, (1 - level) / 2
        )
        low, high = (float(limit[0]) for limit in limits)
    return Interval(value, low, high, level, draws, fewest, caution(fewest))


def _resampled(
    methods: Sequence[Sequence[FloatArray]],
    divisions: Sequence[Sequence[str]],
    draws: int,
    random_state: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of each division, a row; how often it is in each draw; what the draws add up to.

    Shapes (row, terms), (draws, row), (draws, terms): terms by dataset, then method.
    """
    datasets, each = len(divisions), methods[0][0].shape[2]
    totals = np.zeros((draws, datasets, len(methods), each))
    rows, counts = [], []
    for number, (ids, members) in enumerate(_regions(divisions)):
        taken = resampling_counts(len(ids), draws, random_state + number)
        block = np.zeros((len(ids), datasets, len(methods), each))
        place = {one: row for row, one in enumerate(ids)}
        for dataset in members:
            here = [place[one] for one in divisions[dataset]]
            for method, arrays in enumerate(methods):
                block[here, dataset, method] = arrays[dataset].mean(axis=0)
                seed = (random_state, dataset + method * datasets)
                totals[:, dataset, method] = resampled_totals(arrays[dataset], taken[:, here], seed)
        rows.append(block.reshape(len(ids), -1))
        counts.append(taken)
    return np.concatenate(rows), np.hstack(counts), totals.reshape(draws, -1)


def _regions(divisions: Sequence[Sequence[str]]) -> list[_Region]:
    """Put datasets together whose divisions are mostly the same."""
    regions: list[_Region] = []
    for dataset, ids in enumerate(divisions):
        for known, members in regions:
            if 2 * len(set(ids) & set(known)) > min(len(ids), len(known)):
                known.extend(one for one in ids if one not in known)
                members.append(dataset)
                break
        else:
            regions.append((list(ids), [dataset]))
    return regions
