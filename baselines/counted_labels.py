"""One class for each cell, as many of each class in a division as it is known to hold."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench_baselines.raking import log_factors

_FLOOR = 1e-6
"""Probabilities below cost as much as this one."""
_SHARPNESS = 8.0


def label_by_counts(
    probabilities: NDArray[np.floating], proportions: NDArray[np.floating]
) -> NDArray[np.intp]:
    r"""Assign classes at the least cost that have given counts.

    With the costs :math:`c_{uk} = -\log s_{uk}` and counts :math:`n_k` that are the proportions
    times the number of cells, rounded,

    .. math:: \min_{z \in \{0, 1\}} \sum_{uk} c_{uk} z_{uk}, \qquad \sum_k z_{uk} = 1,
              \quad \sum_u z_{uk} = n_k ,

    is a minimum-cost flow. Its dual are prices of classes: the limit of raking,
    :math:`z_{uk} \propto s_{uk}^{1/T} e^{\lambda_k / T}`, at the temperature T = 0. Raking at a
    low temperature is where it begins; then cells are passed on from classes that have too many
    to those that lack some along shortest augmenting paths, which makes it exact (Ahuja, Magnanti
    and Orlin, Network Flows, 1993, section 9.7).

    Parameters
    ----------
    probabilities : ndarray, shape (cell, category)
        From 0 to 1.
    proportions : ndarray, shape (category,)
        From 0 to 1, with the sum 1.

    Returns
    -------
    ndarray of int, shape (cell,)
        Positions of classes.

    Examples
    --------
    >>> label_by_counts(np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]]), np.array([1 / 3, 2 / 3]))
    array([0, 1, 1])
    """
    costs = -np.log(np.maximum(probabilities, _FLOOR, dtype=np.float64))
    labels = np.argmin(costs - _prices(costs, proportions), axis=1)
    surplus = np.bincount(labels, minlength=len(proportions)) - _counts(proportions, len(costs))
    return _pass_on(costs, labels, surplus)


def _counts(proportions: NDArray[np.floating], total: int) -> NDArray[np.intp]:
    """Whole numbers with this total, by largest remainders."""
    exact = (
        np.asarray(proportions, dtype=np.float64) / np.sum(proportions, dtype=np.float64) * total
    )
    counts = np.floor(exact).astype(np.intp)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts


def _prices(costs: NDArray[np.float64], proportions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Multipliers of classes after raking at a low temperature."""
    sharp = np.exp(-_SHARPNESS * (costs[:: max(1, len(costs) // 4096)]))
    sharp /= sharp.sum(axis=1, keepdims=True)
    whole = csr_array(np.ones((1, 1)))
    factors = log_factors(sharp[np.newaxis], whole, proportions[np.newaxis], accuracy=1e-3)
    return factors[0] / _SHARPNESS


def _pass_on(
    costs: NDArray[np.float64], labels: NDArray[np.intp], surplus: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Move cells until no class has too many; labels are the best ones of their own counts."""
    kinds = costs.shape[1]
    queues = {
        (old, new): _queue(costs, np.flatnonzero(labels == old), old, new)
        for old in range(kinds)
        for new in range(kinds)
        if old != new
    }
    while (surplus > 0).any():
        steps = np.full((kinds, kinds), np.inf)
        for (old, new), queue in queues.items():
            while queue and labels[queue[0][1]] != old:
                heappop(queue)
            if queue:
                steps[old, new] = queue[0][0]
        path = _shortest_path(steps, surplus)
        moved = [(queues[pair][0][1], pair[1]) for pair in pairwise(path)]
        for cell, new in moved:
            labels[cell] = new
            for other in range(kinds):
                if other != new:
                    heappush(queues[new, other], (costs[cell, other] - costs[cell, new], cell))
        surplus[path[0]] -= 1
        surplus[path[-1]] += 1
    return labels


def _queue(
    costs: NDArray[np.float64], cells: NDArray[np.intp], old: int, new: int
) -> list[tuple[float, int]]:
    """Cells of a class by what it costs to give them another."""
    rises = costs[cells, new] - costs[cells, old]
    queue = list(zip(rises.tolist(), cells.tolist(), strict=True))
    heapify(queue)
    return queue


def _shortest_path(steps: NDArray[np.float64], surplus: NDArray[np.intp]) -> list[int]:
    """Classes from one with too many to one with too few (Bellman and Ford)."""
    distances = np.where(surplus > 0, 0.0, np.inf)
    before = np.full(len(surplus), -1)
    for _ in range(len(surplus) - 1):
        through = distances[:, np.newaxis] + steps
        nearest = through.argmin(axis=0)
        shorter = through.min(axis=0) < distances - 1e-12
        before[shorter] = nearest[shorter]
        distances = np.where(shorter, through.min(axis=0), distances)
    end = int(np.where(surplus < 0, distances, np.inf).argmin())
    path = [end]
    while before[path[0]] >= 0:
        path.insert(0, int(before[path[0]]))
    return path
