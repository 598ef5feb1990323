"""What predictions of a split add up to: sums over divisions, block after block of chips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.brief import Brief
from llpbench.data.labels import scored_labels
from llpbench.data.overlaps import overlap_areas
from llpbench.errors import PredictionsError
from llpbench.metrics.arrays import FloatArray
from llpbench.metrics.diagnostics import gap_terms
from llpbench.predictions.intervals import levels_of
from llpbench.predictions.seed import Seed
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.scoring.split_truth import SplitTruth
from llpbench.scoring.tallies import tally

if TYPE_CHECKING:
    import xarray as xr


class SplitSums:
    """Sums over the divisions of a split of what one seed predicts.

    Parameters
    ----------
    truth : SplitTruth
        What is scored.

    Attributes
    ----------
    means : ndarray, shape (D, K)
        Mean prediction of each division so far, weighted by the areas that it shares with chips.
    chips : int
        How many were scored by their labels.
    scored, predictions : ScoredChips, Dataset
        Those of the last block.
    """

    def __init__(self, truth: SplitTruth) -> None:
        self._truth = truth
        self._scale = 1 / np.where(truth.areas > 0, truth.areas, 1)
        self._sums: dict[str, FloatArray] = {}
        self.means = np.zeros(truth.proportions.shape)
        self.chips = 0
        self.scored: ScoredChips | None = None
        self.predictions: xr.Dataset | None = None

    def add(self, block: xr.Dataset, predictions: xr.Dataset, *, with_chips: bool) -> None:
        """Add checked predictions of the chips of a block, in its order."""
        predicted = predictions["proportions"].to_numpy().astype(np.float64)
        weights = overlap_areas(block).T.tocsr().multiply(self._scale[:, np.newaxis])
        self.means += weights.tocsr() @ predicted
        if not with_chips:
            return
        self.predictions = predictions
        self.scored = scored = _scored_chips(block, predictions, self._truth.null)
        if not len(scored.chip):
            return
        self.chips += len(scored.chip)
        rows = np.searchsorted(self._truth.owners, scored.divisions)
        for name, sums in tally(scored, ordered=self._truth.info.label_set.ordered).items():
            whole = self._sums.setdefault(name, np.zeros((len(self._truth.owners), sums.shape[1])))
            whole[rows] += sums

    @property
    def tallies(self) -> dict[str, FloatArray]:
        """Tallies (C, m) of the divisions that own scored chips."""
        rows = self._owning
        known = self._truth.proportions
        places = self._truth.divisions.indexes["division"].get_indexer(pd.Index(self.divisions))
        outside = (places < 0)[:, np.newaxis]  # chips of no division
        gaps = gap_terms(self.means[places], np.where(outside, np.nan, known[places]))
        return {**{name: sums[rows] for name, sums in self._sums.items()}, "gaps": gaps}

    @property
    def divisions(self) -> list[str]:
        """Divisions that own scored chips, sorted; one is empty if chips belong to none."""
        return [str(division) for division in self._truth.owners[self._owning]]

    @property
    def _owning(self) -> NDArray[np.intp]:
        return np.flatnonzero(self._sums["errors"][:, -1])


@dataclass(frozen=True, repr=False)
class Summed(Brief):
    """What all seeds add up to.

    Parameters
    ----------
    sums : list of SplitSums
        Of each seed.
    digests : dict
        ``dataset``, ``predictions`` (a list) and ``scorer``.
    attributes : dict
        What the first seed says of itself.
    """

    sums: list[SplitSums]
    digests: dict[str, Any]
    attributes: dict[str, Any]


def add_up(truth: SplitTruth, seeds: Sequence[Seed], *, with_chips: bool = True) -> Summed:
    """Add up what each seed predicts, in one pass over the split; ``with_chips`` by labels too."""
    sums = [SplitSums(truth) for _seed in seeds]
    for block in truth.blocks(with_chips):
        parts = [seed.take(block) for seed in seeds]
        _check_alike(parts)
        for one, part in zip(sums, parts, strict=True):
            one.add(block, part, with_chips=with_chips)
    digests = {
        "dataset": truth.info.digest,
        "predictions": [seed.end() for seed in seeds],
        "scorer": SCORER_VERSION,
    }
    return Summed(sums, digests, seeds[0].attributes)


def _check_alike(seeds: Sequence[xr.Dataset]) -> None:
    if len({"segmentation" in seed for seed in seeds}) > 1:
        raise PredictionsError("either all seeds have a segmentation, or none")
    if len({tuple(level for level, *_bounds in levels_of(seed)) for seed in seeds}) > 1:
        raise PredictionsError("all seeds must have intervals at the same levels, or none")


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
