"""Confidence intervals of what is said of one method on several datasets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics.halves import Halves
from llpbench.statistics.interval import Interval
from llpbench.statistics.jackknife import (
    Variance,
    half_width,
    jackknife_variance,
    seed_errors,
    seed_variance,
    shares_of,
)
from llpbench.statistics.scale import Scale
from llpbench.statistics.sums import MINIMUM_DIVISIONS, Statistic, as_sums, caution
from llpbench.statistics.swaps import random_signs

_Region = tuple[list[str], list[int]]
"""Ids of divisions, and the numbers of the datasets that lie there."""


def stratified_interval(
    sums: Sequence[ArrayLike],
    divisions: Sequence[Sequence[str]],
    statistic: Statistic,
    *,
    level: float = 0.95,
    most: float = np.inf,
) -> Interval:
    """Confidence interval of a score over several datasets, as :func:`division_interval` is of one.

    Divisions are left out of each dataset in turn, and variances added up. Datasets of one place
    share their divisions: where more than half of the ids are the same, one is left out of both,
    so that errors which they share do not cancel out. The interval is about these datasets and no
    others.

    Parameters
    ----------
    sums : sequence of array_like, each of shape (C, m) or (seeds, C, m)
        Sums of the same m terms over the chips of the divisions of each dataset.
    divisions : sequence of sequences of str, each of length C
        Ids of the divisions of each dataset, each once.
    statistic : callable
        From the totals of all datasets (..., dataset, m) to a value (...), of ratios between the
        terms of a dataset.
    level : float
        Nominal coverage, between 0 and 1.
    most : float
        Largest value that there can be.

    Returns
    -------
    Interval
        The statistic (seeds averaged) with limits, NaN if a dataset has fewer than 6
        divisions; its note is about the dataset with the fewest.

    Raises
    ------
    MetricError
        If a dataset has other ids than divisions, or sums are not finite.

    Notes
    -----
    Source: the jackknife of stratified samples, Wolter (2007), Introduction to Variance Estimation,
    section 4.5; Agarwal et al. (NeurIPS 2021, arXiv 2108.13264) for strata that are tasks.

    Examples
    --------
    >>> import numpy as np
    >>> sums = np.column_stack([np.tile([0.5, 1.5], 30), np.full(60, 10.0)])
    >>> ids = [f"d{number}" for number in range(60)]
    >>> def mean_error(totals):
    ...     return (totals[..., 0] / totals[..., 1]).mean(axis=-1)
    >>> both = stratified_interval([sums, sums + [1, 0]], [ids, ids], mean_error)
    >>> round(both.value, 2), round(both.low, 2), round(both.high, 2)
    (0.15, 0.14, 0.16)
    """
    arrays = _checked(sums, divisions)
    blocks, scale = _blocks(arrays, divisions), Scale(most=most)
    total = np.sum([block.sum(axis=0) for block in blocks], axis=0)
    fewest, value = min(map(len, divisions)), float(statistic(total))
    low = high = float("nan")
    if fewest >= MINIMUM_DIVISIONS:

        def scaled(totals: FloatArray) -> FloatArray:
            return scale.of(np.asarray(statistic(totals), dtype=np.float64))

        centre = scaled(total)
        parts = [
            jackknife_variance(centre, scaled(total - block), _shares(block)) for block in blocks
        ]
        half = half_width(parts + _by_seed(arrays, scaled), level)
        low, high = float(scale.back(centre - half)), float(scale.back(centre + half))
    return Interval(value, low, high, level, fewest, caution(fewest))


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

    The divisions of every place are halved at random, as in :func:`sign_flip_test`: what is hard
    for both methods cancels out, which two intervals side by side do not show. The luck of seeds
    has the degrees of freedom of the whole difference, as there.

    Parameters
    ----------
    first, second : sequence of array_like, each of shape (C, m) or (seeds, C, m)
        Sums of both methods on the same datasets; numbers of seeds may differ.
    divisions, statistic, level
        As in :func:`stratified_interval`.
    draws, random_state : int
        Number of random partitions, and their seed.

    Returns
    -------
    Interval
        The statistic of ``first`` minus that of ``second``.

    Raises
    ------
    MetricError
        As :func:`stratified_interval`.

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
    methods = [_checked(sums, divisions) for sums in (first, second)]
    blocks = [_blocks(arrays, divisions) for arrays in methods]
    signs = [
        np.concatenate(list(random_signs(len(block), draws, random_state + number))) > 0
        for number, block in enumerate(blocks[0])
    ]
    totals, insides = [], []
    for own in blocks:
        totals.append(np.sum([block.sum(axis=0) for block in own], axis=0))
        taken = zip(signs, own, strict=True)
        insides.append(np.sum([np.tensordot(sign, block, 1) for sign, block in taken], axis=0))

    def gain(first: FloatArray, second: FloatArray) -> FloatArray:
        return np.asarray(statistic(first) - statistic(second), dtype=np.float64)

    difference = gain(*totals)
    without = [[total - block for block in own] for total, own in zip(totals, blocks, strict=True)]
    parts = [
        jackknife_variance(difference, gain(*pair), _shares(block))
        for *pair, block in zip(*without, blocks[0], strict=True)
    ]
    seeds = [part for arrays in methods for part in _by_seed(arrays, statistic)]
    luck = seed_errors(difference, parts, seeds, draws, [random_state, 1])
    rest = [total - inside for total, inside in zip(totals, insides, strict=True)]
    test = Halves.of(difference, gain(*insides) + luck, gain(*rest) - luck, exact=False)
    fewest, (low, high) = min(map(len, divisions)), test.limits(level)
    if fewest < MINIMUM_DIVISIONS:
        low = high = np.asarray(np.nan)
    limits = float(low), float(high)
    return Interval(float(test.difference), *limits, level, fewest, caution(fewest))


def _checked(sums: Sequence[ArrayLike], divisions: Sequence[Sequence[str]]) -> list[FloatArray]:
    arrays = [as_sums(one) for one in sums]
    for one, ids in zip(arrays, divisions, strict=True):
        if one.shape[1] != len(set(ids)):
            raise MetricError(
                f"each division needs an id of its own, found {len(set(ids))} ids of "
                f"{one.shape[1]} divisions"
            )
    return arrays


def _blocks(arrays: Sequence[FloatArray], divisions: Sequence[Sequence[str]]) -> list[FloatArray]:
    """Sums (division, dataset, term) of each region, seeds averaged, 0 where a dataset is not."""
    blocks = []
    for ids, members in _regions(divisions):
        block = np.zeros((len(ids), len(arrays), arrays[0].shape[2]))
        place = {one: row for row, one in enumerate(ids)}
        for dataset in members:
            here = [place[one] for one in divisions[dataset]]
            block[here, dataset] = arrays[dataset].mean(axis=0)
        blocks.append(block)
    return blocks


def _shares(block: FloatArray) -> FloatArray:
    """Part of its datasets that each division of a region carries, on average."""
    return np.asarray(np.nanmean(shares_of(block[..., -1]), axis=1))


def _by_seed(arrays: Sequence[FloatArray], statistic: Statistic) -> list[Variance]:
    """Variance that the seeds of each dataset give the statistic, those of others averaged."""
    means = np.stack([one.mean(axis=0).sum(axis=0) for one in arrays])
    variances = []
    for dataset, one in enumerate(arrays):
        totals = np.repeat(means[np.newaxis], len(one), axis=0)
        totals[:, dataset] = one.sum(axis=1)
        variances.append(seed_variance(np.asarray(statistic(totals), dtype=np.float64)))
    return variances


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
