"""What a block of chips adds to the sums of a split, by whoever adds it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.brief import Brief
from llpbench.data.labels import scored_labels
from llpbench.data.overlaps import overlap_areas
from llpbench.metrics.arrays import FloatArray
from llpbench.predictions.intervals import levels_of
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.scoring.split_truth import SplitTruth
from llpbench.scoring.tallies import tally

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, repr=False)
class BlockSums(Brief):
    """Sums over divisions of what one seed predicts of a block.

    Parameters
    ----------
    rows : ndarray of int, shape (r,)
        Divisions of the split that share area with chips of the block, by their places.
    means : ndarray, shape (r, K)
        What the block adds to their mean predictions.
    chips : int
        How many are scored by their labels.
    owners : ndarray of str, shape (c,)
        Divisions that own these, sorted; one is empty if chips belong to none.
    tallies : dict of str to ndarray, shape (c, m)
        Of the owners.
    scored, predictions : ScoredChips, Dataset
        The chips themselves, where they are kept.
    """

    rows: NDArray[np.intp]
    means: FloatArray
    chips: int
    owners: NDArray[np.str_]
    tallies: dict[str, FloatArray]
    scored: ScoredChips | None = None
    predictions: xr.Dataset | None = None


@dataclass(frozen=True, repr=False)
class BlockAdder(Brief):
    """Adds blocks up, each with its predictions of every seed; it can be sent to others.

    Parameters
    ----------
    scale : ndarray, shape (D,)
        Of each division of the split, by which areas become weights of its mean.
    null : ndarray, shape (K,), or None
        Mean target of the train split.
    ordered : bool
        Whether categories have an order.
    with_chips : bool
        Whether chips are scored by their labels too.
    keeps : bool
        Whether the chips themselves are given back.
    """

    scale: FloatArray
    null: FloatArray | None
    ordered: bool
    with_chips: bool
    keeps: bool

    @classmethod
    def of(cls, truth: SplitTruth, *, with_chips: bool) -> Self:
        """Make what adds up blocks of a split; of one in memory the chips are kept."""
        return cls(
            scale=1 / np.where(truth.areas > 0, truth.areas, 1),
            null=truth.null,
            ordered=truth.info.label_set.ordered,
            with_chips=with_chips,
            keeps=truth.opened is not None,
        )

    def __call__(self, block: tuple[xr.Dataset, Sequence[xr.Dataset]]) -> list[BlockSums]:
        """Add up chips of a block, by what each seed predicts of them, in their order."""
        import llpbench.data.accessor  # noqa: F401  (a worker that is sent a block has opened none)

        chips, seeds = block
        weights = overlap_areas(chips).T.tocsr().multiply(self.scale[:, np.newaxis]).tocsr()
        rows = np.flatnonzero(np.diff(weights.indptr))
        return [self._seed(chips, rows, weights[rows], seed) for seed in seeds]

    def _seed(
        self, chips: xr.Dataset, rows: NDArray[np.intp], weights: Any, predictions: xr.Dataset
    ) -> BlockSums:
        means = weights @ predictions["proportions"].to_numpy().astype(np.float64)
        sums = BlockSums(rows, means, 0, np.array([], dtype=str), {})
        if not self.with_chips:
            return sums
        scored = _scored_chips(chips, predictions, self.null)
        kept: dict[str, Any] = {"scored": scored, "predictions": predictions} if self.keeps else {}
        if not len(scored.chip):
            return replace(sums, **kept)
        return BlockSums(
            rows,
            means,
            len(scored.chip),
            scored.divisions,
            tally(scored, ordered=self.ordered),
            **kept,
        )


def _scored_chips(
    block: xr.Dataset, predictions: xr.Dataset, null: FloatArray | None
) -> ScoredChips:
    """Count truth and segmentation in one pass over the labels."""
    predicted = predictions["proportions"].to_numpy().astype(np.float64)
    hard = confusion = None
    if "segmentation" in predictions:
        confusion, truth, hard = metrics.compare_segmentations(
            scored_labels(block).data,
            predictions["segmentation"].to_numpy(),
            block.sizes["category"],
        )
    else:
        truth = block.llp.truth().to_numpy()
    scored = np.isfinite(truth).all(axis=1)
    return ScoredChips(
        chip=block["chip"].to_numpy()[scored],
        truth=truth[scored],
        predicted=predicted[scored],
        null=null,
        division=block["own_division"].to_numpy()[scored],
        hard=None if hard is None else hard[scored],
        confusion=None if confusion is None else confusion[scored],
        intervals={
            level: (low[scored].astype(np.float64), high[scored].astype(np.float64))
            for level, low, high in levels_of(predictions)
        },
    )
