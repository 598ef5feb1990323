"""What predictions of a split add up to: sums over divisions, block after block of chips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.crew import Crew
from llpbench.errors import PredictionsError
from llpbench.metrics.arrays import FloatArray
from llpbench.metrics.diagnostics import gap_terms
from llpbench.predictions.intervals import levels_of
from llpbench.predictions.seed import Seed
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring.block_sums import BlockAdder, BlockSums
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.scoring.split_truth import SplitTruth

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
        Those of the last block, where they are kept.
    """

    def __init__(self, truth: SplitTruth) -> None:
        self._truth = truth
        self._sums: dict[str, FloatArray] = {}
        self.means = np.zeros(truth.proportions.shape)
        self.chips = 0
        self.scored: ScoredChips | None = None
        self.predictions: xr.Dataset | None = None

    def add(self, block: BlockSums) -> None:
        """Add what a block adds up to."""
        self.means[block.rows] += block.means
        self.scored, self.predictions = block.scored, block.predictions
        self.chips += block.chips
        rows = np.searchsorted(self._truth.owners, block.owners)
        for name, sums in block.tallies.items():
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


def add_up(
    truth: SplitTruth,
    seeds: Sequence[Seed],
    *,
    with_chips: bool = True,
    crew: Crew | None = None,
) -> Summed:
    """Add up what each seed predicts, in one pass over the split; ``with_chips`` by labels too.

    Predictions are read here, and labels by the crew that adds blocks up, by default this process.
    What blocks add up to is added in their order, so that whoever does it the sums have the same
    bits.
    """
    sums = [SplitSums(truth) for _seed in seeds]
    adder = BlockAdder.of(truth, with_chips=with_chips)
    blocks = _predicted(truth.blocks(with_chips), seeds)
    for block in (crew or Crew()).share_out(adder, blocks):
        for one, added in zip(sums, block, strict=True):
            one.add(added)
    digests = {
        "dataset": truth.info.digest,
        "predictions": [seed.end() for seed in seeds],
        "scorer": SCORER_VERSION,
    }
    return Summed(sums, digests, seeds[0].attributes)


def _predicted(
    blocks: Iterator[xr.Dataset], seeds: Sequence[Seed]
) -> Iterator[tuple[xr.Dataset, list[xr.Dataset]]]:
    """Blocks, each with what the seeds predict of its chips."""
    for block in blocks:
        parts = [seed.take(block) for seed in seeds]
        _check_alike(parts)
        yield block, parts


def _check_alike(seeds: Sequence[xr.Dataset]) -> None:
    if len({"segmentation" in seed for seed in seeds}) > 1:
        raise PredictionsError("either all seeds have a segmentation, or none")
    if len({tuple(level for level, *_bounds in levels_of(seed)) for seed in seeds}) > 1:
        raise PredictionsError("all seeds must have intervals at the same levels, or none")
